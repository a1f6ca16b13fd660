`default_nettype none
// The two blocks of Lattice ECP5 that the core asks for, as far as it uses them. What they do is said in Lattice's usage
// guides for sysDSP (FPGA-TN-02205) and sysMEM (FPGA-TN-02204). Parameters that are not listed have one value here.

/* verilator lint_off DECLFILENAME */
/* verilator lint_off UNUSEDSIGNAL */
/* verilator lint_off UNUSEDPARAM */
module MULT18X18D #(
    parameter REG_INPUTA_CLK   = "NONE",
    parameter REG_INPUTB_CLK   = "NONE",
    parameter REG_PIPELINE_CLK = "NONE",
    parameter REG_OUTPUT_CLK   = "NONE",
    parameter GSR              = "ENABLED",
    parameter RESETMODE        = "SYNC"
) (
    input wire CLK0, CE0, RST0, SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    input wire
        A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11, A12, A13, A14, A15, A16, A17,
    input wire
        B0, B1, B2, B3, B4, B5, B6, B7, B8, B9, B10, B11, B12, B13, B14, B15, B16, B17,
    output wire
        P0, P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12, P13, P14, P15, P16, P17, P18, P19, P20,
        P21, P22, P23, P24, P25, P26, P27, P28, P29, P30, P31, P32, P33, P34, P35
);

    wire [17:0] a =
        {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
    wire [17:0] b =
        {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
    reg  [17:0] a_q;
    reg  [17:0] b_q;
    reg  [35:0] product_q;

    wire signed [18:0] x = REG_INPUTA_CLK == "CLK0" ? {SIGNEDA & a_q[17], a_q} : {SIGNEDA & a[17], a};
    wire signed [18:0] y = REG_INPUTB_CLK == "CLK0" ? {SIGNEDB & b_q[17], b_q} : {SIGNEDB & b[17], b};
    wire signed [37:0] product = x * y;
    wire [35:0] result = REG_OUTPUT_CLK == "CLK0" ? product_q : product[35:0];

    always @(posedge CLK0) begin
        if (RST0) {a_q, b_q, product_q} <= 72'd0;
        else if (CE0) {a_q, b_q, product_q} <= {a, b, product[35:0]};
    end

    assign
        {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18, P17,
        P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = result;

endmodule

module DP16KD #(
    parameter DATA_WIDTH_A = 18,
    parameter DATA_WIDTH_B = 18,
    parameter REGMODE_A    = "NOREG",
    parameter REGMODE_B    = "NOREG",
    parameter RESETMODE    = "SYNC",
    parameter GSR          = "ENABLED"
) (
    input wire CLKA, CEA, OCEA, WEA, RSTA, CSA0, CSA1, CSA2,
    input wire CLKB, CEB, OCEB, WEB, RSTB, CSB0, CSB1, CSB2,
    input wire
        ADA0, ADA1, ADA2, ADA3, ADA4, ADA5, ADA6, ADA7, ADA8, ADA9, ADA10, ADA11, ADA12, ADA13,
    input wire
        DIA0, DIA1, DIA2, DIA3, DIA4, DIA5, DIA6, DIA7, DIA8, DIA9, DIA10, DIA11, DIA12, DIA13, DIA14,
        DIA15, DIA16, DIA17,
    input wire
        ADB0, ADB1, ADB2, ADB3, ADB4, ADB5, ADB6, ADB7, ADB8, ADB9, ADB10, ADB11, ADB12, ADB13,
    output wire
        DOB0, DOB1, DOB2, DOB3, DOB4, DOB5, DOB6, DOB7, DOB8, DOB9, DOB10, DOB11, DOB12, DOB13, DOB14,
        DOB15, DOB16, DOB17
);

    // Both ports have the same width here. A word's address is in the upper pins; of 18 bits, pin 0 enables the lower
    // nine and pin 1 the upper nine.
    localparam WIDTH = DATA_WIDTH_A;
    localparam SHIFT = WIDTH == 18 ? 4 : WIDTH == 9 ? 3 : WIDTH == 4 ? 2 : WIDTH == 2 ? 1 : 0;

    wire [13:0] address_a =
        {ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0};
    wire [13:0] address_b =
        {ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0};
    wire [17:0] data_a =
        {DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
        DIA3, DIA2, DIA1, DIA0};

    reg [WIDTH-1:0] words[0:16383];
    reg [WIDTH-1:0] word_q;
    reg [WIDTH-1:0] out_q;

    wire [WIDTH-1:0] word = words[address_a >> SHIFT];
    wire [17:0] kept = {{18 - WIDTH{1'b0}}, word};
    wire [17:0] written = WIDTH < 18 ? data_a
        : {ADA1 ? data_a[17:9] : kept[17:9], ADA0 ? data_a[8:0] : kept[8:0]};
    wire selected_a = CEA && {CSA2, CSA1, CSA0} == 3'd0;
    wire selected_b = CEB && {CSB2, CSB1, CSB0} == 3'd0;
    wire [17:0] out = {{18 - WIDTH{1'b0}}, REGMODE_B == "OUTREG" ? out_q : word_q};

    always @(posedge CLKA) if (selected_a && WEA) words[address_a >> SHIFT] <= written[WIDTH-1:0];

    always @(posedge CLKB) begin
        if (selected_b && !WEB) word_q <= words[address_b >> SHIFT];
        if (OCEB) out_q <= word_q;
    end

    assign
        {DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4,
        DOB3, DOB2, DOB1, DOB0} = out;

endmodule
`default_nettype wire
