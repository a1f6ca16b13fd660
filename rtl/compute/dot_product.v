// dot_product: the sum of LANES products of a 9-bit activation and an 8-bit weight, each cycle.
//
// Does not: accumulate (mac_array does).
// Bit growth: |activation - zero point| <= 255 and |weight| <= 128, so a product needs 16 bits signed
// and the sum of LANES of them 16 + log2(LANES).
//
// Latency: 2 + ceil(log2(LANES) / 2) cycles. Throughput: one sum a cycle. It never stalls.

`default_nettype none

module dot_product #(
    parameter LANES = 16,  // 4, 8, 16, 32: multipliers
    parameter SUM_W = 16 + $clog2(LANES)  // derived, leave it
) (
    input  wire               clk,
    input  wire [9*LANES-1:0] activations,  // signed, lane 0 lowest
    input  wire [9*LANES-1:0] taps,         // the same, in their place if `depthwise`
    input  wire               depthwise,
    input  wire [8*LANES-1:0] weights,      // signed, lane 0 lowest
    output wire [  SUM_W-1:0] sum           // signed
);

    localparam LEVELS = ($clog2(LANES) + 1) / 2;  // adders of four (the last may be of two), a register behind each

    // Whole vectors are computed in functions: an event-driven simulator then works once a cycle, not once a lane.
    function [SUM_W*LANES-1:0] multiply(input [9*LANES-1:0] a, input [8*LANES-1:0] w);
        reg signed [15:0] product;
        integer           i;
        begin
            for (i = 0; i < LANES; i = i + 1) begin
                product = $signed(a[9*i+:9]) * $signed(w[8*i+:8]);
                multiply[SUM_W*i+:SUM_W] = {{SUM_W - 16{product[15]}}, product};
            end
        end
    endfunction

    // Sums of four terms each; what is not there is 0.
    function [SUM_W*LANES-1:0] add(input [SUM_W*LANES-1:0] terms);
        integer i;
        begin
            add = {SUM_W * LANES{1'b0}};
            for (i = 0; i < LANES / 4; i = i + 1)
                add[SUM_W*i+:SUM_W] = (terms[SUM_W*(4*i)+:SUM_W] + terms[SUM_W*(4*i+1)+:SUM_W])
                                    + (terms[SUM_W*(4*i+2)+:SUM_W] + terms[SUM_W*(4*i+3)+:SUM_W]);
        end
    endfunction

    // Memories are slow to answer and multipliers slow to multiply: a register between them.
    reg [9*LANES-1:0] operands_q;
    reg [8*LANES-1:0] weights_q;

    always @(posedge clk) begin
        operands_q <= depthwise ? taps : activations;
        weights_q  <= weights;
    end

    genvar l;
    generate
        for (l = 0; l <= LEVELS; l = l + 1) begin : gen_level
            reg [SUM_W*LANES-1:0] terms_q;  // LANES / 4^l of them; the synthesiser drops the rest

            if (l == 0) begin : gen_multiply
                always @(posedge clk) terms_q <= multiply(operands_q, weights_q);
            end else begin : gen_add
                always @(posedge clk) terms_q <= add(gen_level[l-1].terms_q);
            end
        end
    endgenerate

    assign sum = gen_level[LEVELS].terms_q[SUM_W-1:0];

    wire unused = &{1'b0, gen_level[LEVELS].terms_q};

endmodule

`default_nettype wire
