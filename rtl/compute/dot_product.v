// dot_product: the sum of LANES products of a 9-bit activation and a 9-bit weight, each cycle.
//
// Does not: accumulate (mac_array does).
// Bit growth: both had their zero point subtracted, so they lie in -255 to 255: a product needs 17 bits signed, and
// each level of two-term adders adds one. The levels stay apart, a register after each: sums of more terms become
// carry-save logic in look-up tables, which is slower and larger than carry chains.
//
// Latency: 2 + log2(LANES) cycles. Throughput: one sum a cycle. It never stalls.

`default_nettype none

module dot_product #(
    parameter LANES = 16,  // 4, 8, 16, 32: multipliers
    parameter SUM_W = 17 + $clog2(LANES)  // derived, leave it
) (
    input  wire               clk,
    input  wire [9*LANES-1:0] activations,  // signed, -255 to 255, lane 0 lowest
    input  wire [9*LANES-1:0] weights,      // the same
    output wire [  SUM_W-1:0] sum           // signed
);

    localparam LEVELS = $clog2(LANES);
    localparam PRODUCT_W = 17;

    wire [PRODUCT_W*LANES-1:0] products;

    multiplier #(
        .LANES(LANES),
        .A_W  (9),
        .B_W  (9),
        .P_W  (PRODUCT_W)
    ) u_multiplier (
        .clk    (clk),
        .a      (activations),
        .b      (weights),
        .product(products)
    );

    genvar l;
    generate
        for (l = 0; l <= LEVELS; l = l + 1) begin : gen_level
            localparam TERMS = LANES >> l;
            localparam TERM_W = PRODUCT_W + l;

            wire [TERM_W*TERMS-1:0] terms;

            if (l == 0) begin : gen_products
                assign terms = products;
            end else begin : gen_add
                // Whole vectors are computed in functions: an event-driven simulator then works once a cycle, not once
                // a lane.
                function [TERM_W*TERMS-1:0] add(input [2*(TERM_W-1)*TERMS-1:0] terms_before);
                    integer i;
                    for (i = 0; i < TERMS; i = i + 1) begin
                        add[TERM_W*i+:TERM_W] = $signed(terms_before[(TERM_W-1)*i+:TERM_W-1]) +
                            $signed(terms_before[(TERM_W-1)*(i+TERMS)+:TERM_W-1]);
                    end
                endfunction

                reg [TERM_W*TERMS-1:0] terms_q;

                always @(posedge clk) terms_q <= add(gen_level[l-1].terms);

                assign terms = terms_q;
            end
        end
    endgenerate

    assign sum = gen_level[LEVELS].terms;

endmodule

`default_nettype wire
