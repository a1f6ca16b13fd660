// dot_product: the sum of LANES products of a 9-bit activation and an 8-bit weight, each cycle.
//
// Does not: accumulate (mac_array does).
// Bit growth: |activation - zero point| <= 255 and |weight| <= 128, so a product needs 16 bits signed
// and the sum of LANES of them 16 + log2(LANES).
//
// Latency: 1 + ceil(log2(LANES) / 2) cycles. Throughput: one sum a cycle. It never stalls.

`default_nettype none

module dot_product #(
    parameter LANES = 16,  // 4, 8, 16, 32: multipliers
    parameter SUM_W = 16 + $clog2(LANES)  // derived, leave it
) (
    input  wire                    clk,
    input  wire [     9*LANES-1:0] activations,  // signed, lane 0 lowest
    input  wire [     8*LANES-1:0] weights,      // signed, lane 0 lowest
    output wire signed [SUM_W-1:0] sum
);

    localparam LEVELS = ($clog2(LANES) + 1) / 2;  // adders of four, a register behind each

    // Level l has LANES / 4^l terms (at least one), each sign-extended to the width of the sum.
    genvar l, i;
    generate
        for (l = 0; l <= LEVELS; l = l + 1) begin : gen_level
            localparam TERMS = (LANES >> 2 * l) > 0 ? LANES >> 2 * l : 1;

            wire [SUM_W*TERMS-1:0] terms;

            for (i = 0; i < TERMS; i = i + 1) begin : gen_term
                if (l == 0) begin : gen_product
                    wire signed [ 8:0] activation = activations[9*i+:9];
                    wire signed [ 7:0] weight = weights[8*i+:8];
                    reg signed  [15:0] product_q;

                    always @(posedge clk) product_q <= activation * weight;

                    assign terms[SUM_W*i+:SUM_W] = {{SUM_W - 16{product_q[15]}}, product_q};
                end else begin : gen_adder
                    localparam FAN_IN = (LANES >> 2 * l) > 0 ? 4 : 2;

                    wire [SUM_W*FAN_IN-1:0] parts = gen_level[l-1].terms[SUM_W*FAN_IN*i+:SUM_W*FAN_IN];
                    wire [       SUM_W-1:0] low = parts[0+:SUM_W] + parts[SUM_W+:SUM_W];
                    wire [       SUM_W-1:0] high;
                    reg [        SUM_W-1:0] sum_q;

                    if (FAN_IN == 4) begin : gen_four
                        assign high = parts[2*SUM_W+:SUM_W] + parts[3*SUM_W+:SUM_W];
                    end else begin : gen_two
                        assign high = {SUM_W{1'b0}};
                    end

                    always @(posedge clk) sum_q <= low + high;

                    assign terms[SUM_W*i+:SUM_W] = sum_q;
                end
            end
        end
    endgenerate

    assign sum = gen_level[LEVELS].terms;

endmodule

`default_nettype wire
