// requantizer: one lane from int32 accumulator to int8 result, by one of two rules. With q the multiplier, s the shift
// (-31 to 7, negative is to the right) and m a float32:
//
//   tflite (TensorFlow Lite's reference kernels)        float (XNNPACK, ONNX Runtime, PyTorch)
//   h = floor((acc * 2^max(s,0) * q + 2^30) / 2^31)      a = float32(acc)
//   t = h / 2^max(-s,0), to nearest, ties from zero      t = a * m as a float32, to the nearest integer
//   y = clamp(t + zero point, smallest, largest)         y = clamp(t + zero point, smallest, largest)
//
// In the float rule all three roundings are to nearest, ties to even. Both rules share one multiplier, one rounding
// shift and the clamp.
// Does not: saturate acc + bias, which wraps modulo 2^32, nor acc * 2^s * q, which is exact. A float32 that is infinite or
// not a number has no meaning here; a subnormal one gives 0, as it must.
// Bit growth: acc * q needs 63 bits signed, shifted left by up to 7 it needs 70; h is 40 bits. float: 24 x 25 bits make 48.
//
// Latency: 12 cycles; `biased` (the accumulator with its bias) after 1. Throughput: one value a cycle.
// It never stalls; what is not wanted is ignored by whoever reads the output.

`default_nettype none

module requantizer (
    input  wire               clk,

    input  wire signed [31:0] acc,
    input  wire signed [31:0] bias,
    input  wire        [31:0] mult,   // the multiplier, or the bits of a float32
    input  wire        [ 7:0] shift,  // signed

    // Constant while a value is on its way.
    input  wire               by_float,
    input  wire        [ 7:0] zero_point,  // these three are signed
    input  wire        [ 7:0] smallest,
    input  wire        [ 7:0] largest,

    output wire        [31:0] biased,
    output wire        [ 7:0] result
);

    // Stage 1: bias.
    reg [31:0] acc_q1;

    always @(posedge clk) acc_q1 <= acc + bias;

    assign biased = acc_q1;

    // The multiplier and the shift walk beside the accumulator.
    reg [31:0] mult_q1;
    reg [31:0] mult_q2;
    reg [31:0] mult_q3;
    reg [ 7:0] shift_q1;
    reg [ 7:0] shift_q2;
    reg [ 7:0] shift_q3;
    reg [ 7:0] shift_q4;
    reg [ 7:0] shift_q5;
    reg [ 7:0] shift_q6;
    reg [ 7:0] shift_q7;

    always @(posedge clk) begin
        mult_q1  <= mult;
        mult_q2  <= mult_q1;
        mult_q3  <= mult_q2;
        shift_q1 <= shift;
        shift_q2 <= shift_q1;
        shift_q3 <= shift_q2;
        shift_q4 <= shift_q3;
        shift_q5 <= shift_q4;
        shift_q6 <= shift_q5;
        shift_q7 <= shift_q6;
    end

    // Stage 2: float: sign and magnitude. tflite: the accumulator as it is, here and in stages 3 and 4.
    // Stage 3: float: the leading one moved to bit 31.
    // Stage 4: float: the upper 24 bits, rounded to even (which may carry into a 25th): float32(acc), without its exponent.
    reg [31:0] acc_q2;
    reg [31:0] acc_q3;
    reg [31:0] acc_q4;
    reg [31:0] mult_q4;
    reg [10:2] negative_q;  // by stage
    reg [ 5:0] places_q3;   // that stage 3 moved it: 31 - exponent of acc

    function [5:0] leading_zeros(input [31:0] value);
        integer i;
        begin
            leading_zeros = 6'd31;
            for (i = 0; i < 32; i = i + 1) if (value[i]) leading_zeros = 6'd31 - i[5:0];
        end
    endfunction

    wire [ 5:0] places = leading_zeros(acc_q2);
    wire        acc_up = acc_q3[7] && (acc_q3[6:0] != 7'd0 || acc_q3[8]);
    wire [24:0] acc_24 = {1'b0, acc_q3[31:8]} + {24'd0, acc_up};
    wire [23:0] mult_24 = {mult_q3[30:23] != 8'd0, mult_q3[22:0]};

    // float: t = product * 2^-right; right is the exponent's part of it, still to be lowered by 23 or 24.
    reg signed [9:0] right_q4;
    reg signed [9:0] right_q5;
    reg signed [9:0] right_q6;
    reg signed [9:0] right_q7;

    always @(posedge clk) begin
        negative_q <= {negative_q[9:2], acc_q1[31] && by_float};
        acc_q2     <= by_float && acc_q1[31] ? -acc_q1 : acc_q1;
        acc_q3     <= by_float ? acc_q2 << places : acc_q2;
        places_q3  <= places;
        acc_q4     <= by_float ? {7'd0, acc_24} : acc_q3;
        mult_q4    <= by_float ? {8'd0, mult_24} : mult_q3;
        // 150 - exponent of m - (31 - places - 23)
        right_q4   <= 10'sd142 - $signed({2'd0, mult_q3[30:23]}) + $signed({4'd0, places_q3});
        right_q5   <= right_q4;
        right_q6   <= right_q5;
        right_q7   <= right_q6;
    end

    // Stages 5 to 7: the product in four 17 x 17 bit parts, since that is what multiplier blocks take.
    wire signed [16:0] acc_low = {1'b0, acc_q4[15:0]};
    wire signed [16:0] acc_high = {acc_q4[31], acc_q4[31:16]};
    wire signed [16:0] mult_low = {1'b0, mult_q4[15:0]};
    wire signed [16:0] mult_high = {mult_q4[31], mult_q4[31:16]};

    reg signed [33:0] low_low_q5;
    reg signed [33:0] low_high_q5;
    reg signed [33:0] high_low_q5;
    reg signed [33:0] high_high_q5;
    reg signed [34:0] middle_q6;
    reg        [63:0] outer_q6;
    reg        [63:0] product_q7;

    always @(posedge clk) begin
        low_low_q5   <= acc_low * mult_low;
        low_high_q5  <= acc_low * mult_high;
        high_low_q5  <= acc_high * mult_low;
        high_high_q5 <= acc_high * mult_high;
        middle_q6    <= low_high_q5 + high_low_q5;
        outer_q6     <= {high_high_q5[31:0], low_low_q5[31:0]};
        product_q7   <= outer_q6 + {{13{middle_q6[34]}}, middle_q6, 16'd0};
    end

    // Stage 8: a value and whether to add one to it.
    // tflite: acc * 2^s * q without its 31 lowest bits, rounded half up by the bit below (2^30 can't carry further).
    // float: the upper 24 bits of the product, rounded to even: the product as a float32.
    wire [ 2:0] left = shift_q7[7] ? 3'd0 : shift_q7[2:0];
    wire [70:0] scaled = {{7{product_q7[63]}}, product_q7} << left;
    wire        wide = product_q7[47];
    wire [23:0] product_24 = wide ? product_q7[47:24] : product_q7[46:23];
    wire        half_24 = wide ? product_q7[23] : product_q7[22];
    wire        rest_24 = product_q7[21:0] != 22'd0 || (wide && product_q7[22]);

    // How far t is to the right: 0 to 31. Further right nothing is left, and what would have to go left is beyond any clamp.
    wire signed [9:0] right_float = right_q7 - (wide ? 10'sd24 : 10'sd23);
    wire        [4:0] right_clipped = right_float < 0 ? 5'd0 : right_float > 31 ? 5'd31 : right_float[4:0];
    wire        [4:0] right_tflite = shift_q7[7] ? ~shift_q7[4:0] + 5'd1 : 5'd0;

    reg [39:0] value_q8;
    reg        up_q8;
    reg [ 4:0] right_q8;
    reg [ 4:0] right_q9;
    reg [ 4:0] right_q10;

    // Stage 9: h, or the float32 product.
    // Stages 10 and 11: t. Half of the divisor is added; less one if h is negative, so that ties go away from zero, or
    // less one if the bit to the left of the cut is 0, so that ties go to even.
    reg signed [39:0] value_q9;
    reg signed [40:0] rounded_q10;
    reg signed [40:0] t_q11;

    wire signed [40:0] cut = rounded_q10 >>> right_q10;
    wire [31:0] half = (32'd1 << right_q9) >> 1;
    wire        even = !value_q9[{1'b0, right_q9}];
    wire        less = right_q9 != 5'd0 && (by_float ? even : value_q9[39]);

    always @(posedge clk) begin
        value_q8    <= by_float ? {16'd0, product_24} : scaled[70:31];
        up_q8       <= by_float ? half_24 && (rest_24 || product_24[0]) : scaled[30];
        right_q8    <= by_float ? right_clipped : right_tflite;
        right_q9    <= right_q8;
        right_q10   <= right_q9;
        value_q9    <= value_q8 + {39'd0, up_q8};
        rounded_q10 <= {value_q9[39], value_q9} + {9'd0, half} - {40'd0, less};
        t_q11       <= negative_q[10] ? ~cut : cut;
    end

    // Stage 12: the rest of the sign (float counted magnitudes), zero point and clamp.
    reg       negative_q11;
    reg [7:0] result_q12;

    wire signed [41:0] shifted = {t_q11[40], t_q11} + {{34{zero_point[7]}}, zero_point} + {41'd0, negative_q11};
    wire signed [41:0] floor_of = {{34{smallest[7]}}, smallest};
    wire signed [41:0] ceiling_of = {{34{largest[7]}}, largest};

    always @(posedge clk) begin
        negative_q11 <= negative_q[10];
        if (shifted < floor_of) result_q12 <= smallest;
        else if (shifted > ceiling_of) result_q12 <= largest;
        else result_q12 <= shifted[7:0];
    end

    assign result = result_q12;

    wire unused = &{1'b0, high_high_q5[33:32], low_low_q5[33:32], scaled[29:0], shift_q7[6:5]};

endmodule

`default_nettype wire
