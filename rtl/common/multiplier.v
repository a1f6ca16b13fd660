// multiplier: LANES signed products side by side, each with a register in front and one after it, as the multiplier
// blocks of FPGAs have them inside.
//
// The registers are plain ones that most tools move into the block. Yosys doesn't for ECP5: CONV_ECP5 instantiates it.
// Does not: reset or hold anything. For unsigned operands hand in a leading 0.
//
// Latency: 2 cycles. Throughput: LANES products a cycle.

`default_nettype none

module multiplier #(
    parameter LANES = 1,  // 1 and more: pairs of operands
    parameter A_W   = 9,  // 2 to 18: bits of an `a`
    parameter B_W   = 9,  // 2 to 18: bits of a `b`
    parameter P_W   = A_W + B_W  // up to that: bits of a product, the lowest ones
) (
    input  wire                 clk,
    input  wire [A_W*LANES-1:0] a,       // signed, lane 0 lowest
    input  wire [B_W*LANES-1:0] b,       // signed
    output wire [P_W*LANES-1:0] product  // signed
);

`ifdef CONV_ECP5
    localparam BLOCK_W = 18;  // operands of a MULT18X18D

    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : gen_lane
            wire [  BLOCK_W-1:0] x = {{BLOCK_W - A_W + 1{a[A_W*i+A_W-1]}}, a[A_W*i+:A_W-1]};
            wire [  BLOCK_W-1:0] y = {{BLOCK_W - B_W + 1{b[B_W*i+B_W-1]}}, b[B_W*i+:B_W-1]};
            wire [2*BLOCK_W-1:0] p;

            assign product[P_W*i+:P_W] = p[P_W-1:0];

            // verilog_format: off
            MULT18X18D #(
                .REG_INPUTA_CLK  ("CLK0"),
                .REG_INPUTB_CLK  ("CLK0"),
                .REG_PIPELINE_CLK("NONE"),
                .REG_OUTPUT_CLK  ("CLK0"),
                .GSR             ("DISABLED"),
                .RESETMODE       ("SYNC")
            ) u_block (
                .CLK0(clk), .CE0(1'b1), .RST0(1'b0), .SIGNEDA(1'b1), .SIGNEDB(1'b1), .SOURCEA(1'b0), .SOURCEB(1'b0),
                .A0(x[0]), .A1(x[1]), .A2(x[2]), .A3(x[3]), .A4(x[4]), .A5(x[5]), .A6(x[6]), .A7(x[7]), .A8(x[8]),
                .A9(x[9]), .A10(x[10]), .A11(x[11]), .A12(x[12]), .A13(x[13]), .A14(x[14]), .A15(x[15]), .A16(x[16]),
                .A17(x[17]),
                .B0(y[0]), .B1(y[1]), .B2(y[2]), .B3(y[3]), .B4(y[4]), .B5(y[5]), .B6(y[6]), .B7(y[7]), .B8(y[8]),
                .B9(y[9]), .B10(y[10]), .B11(y[11]), .B12(y[12]), .B13(y[13]), .B14(y[14]), .B15(y[15]), .B16(y[16]),
                .B17(y[17]),
                .P0(p[0]), .P1(p[1]), .P2(p[2]), .P3(p[3]), .P4(p[4]), .P5(p[5]), .P6(p[6]), .P7(p[7]), .P8(p[8]),
                .P9(p[9]), .P10(p[10]), .P11(p[11]), .P12(p[12]), .P13(p[13]), .P14(p[14]), .P15(p[15]), .P16(p[16]),
                .P17(p[17]), .P18(p[18]), .P19(p[19]), .P20(p[20]), .P21(p[21]), .P22(p[22]), .P23(p[23]), .P24(p[24]),
                .P25(p[25]), .P26(p[26]), .P27(p[27]), .P28(p[28]), .P29(p[29]), .P30(p[30]), .P31(p[31]), .P32(p[32]),
                .P33(p[33]), .P34(p[34]), .P35(p[35])
            );
            // verilog_format: on
        end
    endgenerate
`else
    // Whole vectors are computed in functions: an event-driven simulator then works once a cycle, not once a lane.
    function [P_W*LANES-1:0] multiply(input [A_W*LANES-1:0] x, input [B_W*LANES-1:0] y);
        integer i;
        for (i = 0; i < LANES; i = i + 1) multiply[P_W*i+:P_W] = $signed(x[A_W*i+:A_W]) * $signed(y[B_W*i+:B_W]);
    endfunction

    reg [A_W*LANES-1:0] a_q1;
    reg [B_W*LANES-1:0] b_q1;
    reg [P_W*LANES-1:0] product_q2;

    always @(posedge clk) begin
        a_q1       <= a;
        b_q1       <= b;
        product_q2 <= multiply(a_q1, b_q1);
    end

    assign product = product_q2;
`endif

endmodule

`default_nettype wire
