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
// Latency: 16 cycles; `biased` (the accumulator with its bias) after 1. Throughput: one value a cycle.
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
    reg [31:0] mult_q4;
    reg [31:0] mult_q5;
    reg [ 7:0] shift_q1;
    reg [ 7:0] shift_q2;
    reg [ 7:0] shift_q3;
    reg [ 7:0] shift_q4;
    reg [ 7:0] shift_q5;
    reg [ 7:0] shift_q6;
    reg [ 7:0] shift_q7;
    reg [ 7:0] shift_q8;
    reg [ 7:0] shift_q9;

    always @(posedge clk) begin
        mult_q1  <= mult;
        mult_q2  <= mult_q1;
        mult_q3  <= mult_q2;
        mult_q4  <= mult_q3;
        mult_q5  <= mult_q4;
        shift_q1 <= shift;
        shift_q2 <= shift_q1;
        shift_q3 <= shift_q2;
        shift_q4 <= shift_q3;
        shift_q5 <= shift_q4;
        shift_q6 <= shift_q5;
        shift_q7 <= shift_q6;
        shift_q8 <= shift_q7;
        shift_q9 <= shift_q8;
    end

    // Stage 2: float: sign and magnitude. tflite: the accumulator as it is, here and in stages 3 to 5.
    // Stages 3 to 5: float: the leading one moved to bit 31, by 16, 8, 4, 2 and 1 places.
    // Stage 6: float: the upper 24 bits, rounded to even (which may carry into a 25th): float32(acc), without its exponent.
    reg [31:0] acc_q2;
    reg [31:0] acc_q3;
    reg [31:0] acc_q4;
    reg [31:0] acc_q5;
    reg [31:0] acc_q6;
    reg [31:0] mult_q6;
    reg [13:2] negative_q;  // by stage
    reg        places_q3;   // that it was moved: 31 - exponent of acc
    reg [ 2:0] places_q4;
    reg [ 4:0] places_q5;

    wire        by_16 = by_float && acc_q2[31:16] == 16'd0;
    wire        by_8 = by_float && acc_q3[31:24] == 8'd0;
    wire [31:0] acc_8 = by_8 ? {acc_q3[23:0], 8'd0} : acc_q3;
    wire        by_4 = by_float && acc_8[31:28] == 4'd0;
    wire        by_2 = by_float && acc_q4[31:30] == 2'd0;
    wire [31:0] acc_2 = by_2 ? {acc_q4[29:0], 2'd0} : acc_q4;
    wire        by_1 = by_float && !acc_2[31];
    wire        acc_up = acc_q5[7] && (acc_q5[6:0] != 7'd0 || acc_q5[8]);
    wire [24:0] acc_24 = {1'b0, acc_q5[31:8]} + {24'd0, acc_up};
    wire [23:0] mult_24 = {mult_q5[30:23] != 8'd0, mult_q5[22:0]};

    // float: t = product * 2^-right; right is the exponent's part of it, still to be lowered by 23 or 24.
    reg signed [9:0] right_q6;
    reg signed [9:0] right_q7;
    reg signed [9:0] right_q8;
    reg signed [9:0] right_q9;

    always @(posedge clk) begin
        negative_q <= {negative_q[12:2], acc_q1[31] && by_float};
        acc_q2     <= by_float && acc_q1[31] ? -acc_q1 : acc_q1;
        acc_q3     <= by_16 ? {acc_q2[15:0], 16'd0} : acc_q2;
        places_q3  <= by_16;
        acc_q4     <= by_4 ? {acc_8[27:0], 4'd0} : acc_8;
        places_q4  <= {places_q3, by_8, by_4};
        acc_q5     <= by_1 ? {acc_2[30:0], 1'b0} : acc_2;
        places_q5  <= {places_q4, by_2, by_1};
        acc_q6     <= by_float ? {7'd0, acc_24} : acc_q5;
        mult_q6    <= by_float ? {8'd0, mult_24} : mult_q5;
        // 150 - exponent of m - (31 - places - 23)
        right_q6   <= 10'sd142 - $signed({2'd0, mult_q5[30:23]}) + $signed({5'd0, places_q5});
        right_q7   <= right_q6;
        right_q8   <= right_q7;
        right_q9   <= right_q8;
    end

    // Stages 7 to 9: the product in four 17 x 17 bit parts, since that is what multiplier blocks take.
    wire signed [16:0] acc_low = {1'b0, acc_q6[15:0]};
    wire signed [16:0] acc_high = {acc_q6[31], acc_q6[31:16]};
    wire signed [16:0] mult_low = {1'b0, mult_q6[15:0]};
    wire signed [16:0] mult_high = {mult_q6[31], mult_q6[31:16]};

    reg signed [33:0] low_low_q7;
    reg signed [33:0] low_high_q7;
    reg signed [33:0] high_low_q7;
    reg signed [33:0] high_high_q7;
    reg signed [34:0] middle_q8;
    reg        [63:0] outer_q8;
    reg        [63:0] product_q9;

    always @(posedge clk) begin
        low_low_q7   <= acc_low * mult_low;
        low_high_q7  <= acc_low * mult_high;
        high_low_q7  <= acc_high * mult_low;
        high_high_q7 <= acc_high * mult_high;
        middle_q8    <= low_high_q7 + high_low_q7;
        outer_q8     <= {high_high_q7[31:0], low_low_q7[31:0]};
        product_q9   <= outer_q8 + {{13{middle_q8[34]}}, middle_q8, 16'd0};
    end

    // Stage 10: a value and whether to add one to it.
    // tflite: acc * 2^s * q without its 31 lowest bits, rounded half up by the bit below (2^30 can't carry further).
    // float: the upper 24 bits of the product, rounded to even: the product as a float32.
    wire [ 2:0] left = shift_q9[7] ? 3'd0 : shift_q9[2:0];
    wire [70:0] scaled = {{7{product_q9[63]}}, product_q9} << left;
    wire        wide = product_q9[47];
    wire [23:0] product_24 = wide ? product_q9[47:24] : product_q9[46:23];
    wire        half_24 = wide ? product_q9[23] : product_q9[22];
    wire        rest_24 = product_q9[21:0] != 22'd0 || (wide && product_q9[22]);

    // How far t is to the right: 0 to 31. Further right nothing is left, and what would have to go left is beyond any clamp.
    wire signed [9:0] right_float = right_q9 - (wide ? 10'sd24 : 10'sd23);
    wire        [4:0] right_clipped = right_float < 0 ? 5'd0 : right_float > 31 ? 5'd31 : right_float[4:0];
    wire        [4:0] right_tflite = shift_q9[7] ? ~shift_q9[4:0] + 5'd1 : 5'd0;

    reg [39:0] value_q10;
    reg        up_q10;
    reg [ 4:0] right_q10;
    reg [ 4:0] right_q11;
    reg [ 2:0] right_q12;

    // Stage 11: h, or the float32 product.
    // Stages 12 and 13: the same moved to the right. Of what falls off, the uppermost bit is kept, and whether any other
    // was 1.
    reg signed [39:0] value_q11;
    reg signed [40:0] moved_q12;
    reg signed [40:0] moved_q13;
    reg               rest_q12;
    reg               rest_q13;

    wire [40:0] whole = {value_q11, 1'b0};
    wire [23:0] lost_11 = whole[23:0] & ~(24'hFFFFFF << {right_q11[4:3], 3'd0});
    wire [ 6:0] lost_12 = moved_q12[6:0] & ~(7'h7F << right_q12);

    // Stage 14: t, clipped to ten bits, which is beyond any clamp, and whether to add one: at more than half, and at half
    // away from zero (tflite) or to even (float).
    reg signed [9:0] t_q14;
    reg              up_q14;
    reg              negative_q14;

    wire beyond = moved_q13[40:10] != {31{moved_q13[40]}};
    wire tie_up = by_float ? moved_q13[1] : !moved_q13[40];

    // Stage 15: zero point, and the sign (float counted magnitudes): -(t + up) = ~t + 1 - up.
    // Stage 16: clamp.
    reg signed [11:0] shifted_q15;
    reg        [ 7:0] result_q16;

    wire [9:0] signed_t = t_q14 ^ {10{negative_q14}};
    wire       carry = up_q14 ^ negative_q14;

    always @(posedge clk) begin
        value_q10  <= by_float ? {16'd0, product_24} : scaled[70:31];
        up_q10     <= by_float ? half_24 && (rest_24 || product_24[0]) : scaled[30];
        right_q10  <= by_float ? right_clipped : right_tflite;
        right_q11 <= right_q10;
        right_q12 <= right_q11[2:0];
        value_q11 <= value_q10 + {39'd0, up_q10};
        moved_q12 <= $signed(whole) >>> {right_q11[4:3], 3'd0};
        rest_q12  <= lost_11 != 24'd0;
        moved_q13 <= moved_q12 >>> right_q12;
        rest_q13  <= rest_q12 || lost_12 != 7'd0;

        t_q14        <= beyond ? {moved_q13[40], {9{!moved_q13[40]}}} : moved_q13[10:1];
        up_q14       <= moved_q13[0] && (rest_q13 || tie_up);
        negative_q14 <= negative_q[13];
        shifted_q15  <= {{2{signed_t[9]}}, signed_t} + {{4{zero_point[7]}}, zero_point} + {11'd0, carry};
        if (shifted_q15 < $signed({{4{smallest[7]}}, smallest})) result_q16 <= smallest;
        else if (shifted_q15 > $signed({{4{largest[7]}}, largest})) result_q16 <= largest;
        else result_q16 <= shifted_q15[7:0];
    end

    assign result = result_q16;

    wire unused = &{1'b0, high_high_q7[33:32], low_low_q7[33:32], scaled[29:0], shift_q9[6:5]};

endmodule

`default_nettype wire
