// requantizer: one lane from int32 accumulator to int8 result, by the rule of TensorFlow Lite's reference
// kernels. With q the multiplier and s the shift (-31 to 7, negative is to the right):
//
//   h = floor((acc * 2^max(s,0) * q + 2^30) / 2^31)
//   t = h / 2^max(-s,0), to the nearest, ties away from zero
//   y = clamp(t + zero point, smallest, largest)
//
// Does not: saturate acc + bias, which wraps modulo 2^32, nor acc * 2^s * q, which is exact.
// Bit growth: acc * q needs 63 bits signed, shifted left by up to 7 it needs 70; h is 40 bits.
//
// Latency: 9 cycles; `biased` (the accumulator with its bias) after 1. Throughput: one value a cycle.
// It never stalls; what is not wanted is ignored by whoever reads the output.

`default_nettype none

module requantizer (
    input  wire               clk,

    input  wire signed [31:0] acc,
    input  wire signed [31:0] bias,
    input  wire signed [31:0] mult,
    input  wire signed [ 7:0] shift,

    // Constant while a value is on its way.
    input  wire signed [ 7:0] zero_point,
    input  wire signed [ 7:0] smallest,
    input  wire signed [ 7:0] largest,

    output wire        [31:0] biased,
    output wire        [ 7:0] result
);

    // Stage 1: bias.
    reg signed [31:0] acc_q1;
    reg signed [31:0] mult_q1;

    always @(posedge clk) begin
        acc_q1  <= acc + bias;
        mult_q1 <= mult;
    end

    assign biased = acc_q1;

    // Stages 2 to 4: the product in four 17 x 17 bit parts, since that is what multiplier blocks take.
    wire signed [16:0] acc_low = {1'b0, acc_q1[15:0]};
    wire signed [16:0] acc_high = {acc_q1[31], acc_q1[31:16]};
    wire signed [16:0] mult_low = {1'b0, mult_q1[15:0]};
    wire signed [16:0] mult_high = {mult_q1[31], mult_q1[31:16]};

    reg signed [33:0] low_low_q2;
    reg signed [33:0] low_high_q2;
    reg signed [33:0] high_low_q2;
    reg signed [33:0] high_high_q2;
    reg signed [34:0] middle_q3;
    reg signed [63:0] outer_q3;
    reg signed [63:0] product_q4;

    always @(posedge clk) begin
        low_low_q2   <= acc_low * mult_low;
        low_high_q2  <= acc_low * mult_high;
        high_low_q2  <= acc_high * mult_low;
        high_high_q2 <= acc_high * mult_high;
        middle_q3    <= {low_high_q2[33], low_high_q2} + {high_low_q2[33], high_low_q2};
        outer_q3     <= {high_high_q2[31:0], low_low_q2[31:0]};
        product_q4   <= outer_q3 + {{13{middle_q3[34]}}, middle_q3, 16'd0};
    end

    // The shift travels along: left by 0 to 7 at stage 5, right by 0 to 31 at stages 7 and 8.
    reg [7:0] shift_q1;
    reg [7:0] shift_q2;
    reg [7:0] shift_q3;
    reg [7:0] shift_q4;
    reg [4:0] right_q5;
    reg [4:0] right_q6;
    reg [4:0] right_q7;

    wire [2:0] left = shift_q4[7] ? 3'd0 : shift_q4[2:0];
    wire [4:0] right = shift_q4[7] ? ~shift_q4[4:0] + 5'd1 : 5'd0;

    always @(posedge clk) begin
        shift_q1 <= shift;
        shift_q2 <= shift_q1;
        shift_q3 <= shift_q2;
        shift_q4 <= shift_q3;
        right_q5 <= right;
        right_q6 <= right_q5;
        right_q7 <= right_q6;
    end

    // Stage 5: acc * 2^s * q without its 30 lowest bits, which 2^30 can't carry out of.
    // Stage 6: h, rounded half up by the bit below it.
    reg signed [40:0] scaled_q5;
    reg signed [39:0] h_q6;

    wire [70:0] scaled = {{7{product_q4[63]}}, product_q4} << left;

    always @(posedge clk) begin
        scaled_q5 <= scaled[70:30];
        h_q6      <= scaled_q5[40:1] + {39'd0, scaled_q5[0]};
    end

    // Stages 7 and 8: t. Half of the divisor is added, less one if h is negative, so that ties go away from zero.
    reg signed [40:0] rounded_q7;
    reg signed [40:0] t_q8;

    wire [31:0] half = (32'd1 << right_q6) >> 1;

    always @(posedge clk) begin
        rounded_q7 <= {h_q6[39], h_q6} + {9'd0, half} - {40'd0, h_q6[39] && right_q6 != 5'd0};
        t_q8       <= rounded_q7 >>> right_q7;
    end

    // Stage 9: zero point and clamp.
    reg [7:0] result_q9;

    wire signed [41:0] shifted = {t_q8[40], t_q8} + {{34{zero_point[7]}}, zero_point};
    wire signed [41:0] floor_of = {{34{smallest[7]}}, smallest};
    wire signed [41:0] ceiling_of = {{34{largest[7]}}, largest};

    always @(posedge clk) begin
        if (shifted < floor_of) result_q9 <= smallest;
        else if (shifted > ceiling_of) result_q9 <= largest;
        else result_q9 <= shifted[7:0];
    end

    assign result = result_q9;

    wire unused = &{1'b0, high_high_q2[33:32], low_low_q2[33:32], scaled[29:0], shift_q4[6:5]};

endmodule

`default_nettype wire
