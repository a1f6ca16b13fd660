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
// Latency: 18 cycles; `biased` (the accumulator with its bias) after 1. Throughput: one value a cycle.
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

    // The multiplier and the shift walk beside the accumulator, those of stage 1 lowest.
    reg [32*7-1:0] mult_q;
    reg [8*11-1:0] shift_q;

    wire [31:0] mult_q7 = mult_q[32*6+:32];
    wire [ 7:0] shift_q11 = shift_q[8*10+:8];

    always @(posedge clk) begin
        mult_q  <= {mult_q[32*6-1:0], mult};
        shift_q <= {shift_q[8*10-1:0], shift};
    end

    // Each requantizer has the rule for itself, since much hangs on it.
    (* keep *) reg float_q;

    always @(posedge clk) float_q <= by_float;

    // Stage 2: float: sign and magnitude. tflite: the accumulator as it is, here and in stages 3 to 7.
    // Stages 3 to 7: float: the leading one moved to bit 31, by 16, 8, 4, 2 and 1 places.
    // Stage 8: float: the upper 24 bits, rounded to even (which may carry into a 25th): float32(acc), without its exponent.
    reg [31:0] acc_q2;
    reg [31:0] acc_q3;
    reg [31:0] acc_q4;
    reg [31:0] acc_q5;
    reg [31:0] acc_q6;
    reg [31:0] acc_q7;
    reg [31:0] acc_q8;
    reg [31:0] mult_q8;
    reg [15:2] negative_q;  // by stage
    reg        places_q3;   // that it was moved: 31 - exponent of acc
    reg [ 1:0] places_q4;
    reg [ 2:0] places_q5;
    reg [ 3:0] places_q6;
    reg [ 4:0] places_q7;

    wire        by_16 = float_q && acc_q2[31:16] == 16'd0;
    wire        by_8 = float_q && acc_q3[31:24] == 8'd0;
    wire        by_4 = float_q && acc_q4[31:28] == 4'd0;
    wire        by_2 = float_q && acc_q5[31:30] == 2'd0;
    wire        by_1 = float_q && !acc_q6[31];
    wire        acc_up = acc_q7[7] && (acc_q7[6:0] != 7'd0 || acc_q7[8]);
    wire [24:0] acc_24 = {1'b0, acc_q7[31:8]} + {24'd0, acc_up};
    wire [23:0] mult_24 = {mult_q7[30:23] != 8'd0, mult_q7[22:0]};

    always @(posedge clk) begin
        negative_q <= {negative_q[14:2], acc_q1[31] && float_q};
        acc_q2     <= float_q && acc_q1[31] ? -acc_q1 : acc_q1;
        acc_q3     <= by_16 ? {acc_q2[15:0], 16'd0} : acc_q2;
        acc_q4     <= by_8 ? {acc_q3[23:0], 8'd0} : acc_q3;
        acc_q5     <= by_4 ? {acc_q4[27:0], 4'd0} : acc_q4;
        acc_q6     <= by_2 ? {acc_q5[29:0], 2'd0} : acc_q5;
        acc_q7     <= by_1 ? {acc_q6[30:0], 1'b0} : acc_q6;
        places_q3  <= by_16;
        places_q4  <= {places_q3, by_8};
        places_q5  <= {places_q4, by_4};
        places_q6  <= {places_q5, by_2};
        places_q7  <= {places_q6, by_1};
        acc_q8     <= float_q ? {7'd0, acc_24} : acc_q7;
        mult_q8    <= float_q ? {8'd0, mult_24} : mult_q7;
    end

    // float: t = product * 2^-right, if the product's leading one is in bit 46; one less if it is in bit 47.
    // Right is 0 to 31: further right nothing is left, and what would have to go left is beyond any clamp.
    function [4:0] clip(input signed [9:0] places);
        clip = places < 0 ? 5'd0 : places > 31 ? 5'd31 : places[4:0];
    endfunction

    reg signed [9:0] right_q8;
    reg signed [9:0] right_q9;
    reg        [4:0] right_46_q10;
    reg        [4:0] right_46_q11;
    reg        [4:0] right_47_q10;
    reg        [4:0] right_47_q11;

    always @(posedge clk) begin
        // 150 - exponent of m - (31 - places - 23) - 23
        right_q8     <= 10'sd119 - $signed({2'd0, mult_q7[30:23]}) + $signed({5'd0, places_q7});
        right_q9     <= right_q8;
        right_46_q10 <= clip(right_q9);
        right_47_q10 <= clip(right_q9 - 10'sd1);
        right_46_q11 <= right_46_q10;
        right_47_q11 <= right_47_q10;
    end

    // Stages 9 to 11: the product in four 17 x 17 bit parts, since that is what multiplier blocks take.
    wire signed [16:0] acc_low = {1'b0, acc_q8[15:0]};
    wire signed [16:0] acc_high = {acc_q8[31], acc_q8[31:16]};
    wire signed [16:0] mult_low = {1'b0, mult_q8[15:0]};
    wire signed [16:0] mult_high = {mult_q8[31], mult_q8[31:16]};

    reg signed [33:0] low_low_q9;
    reg signed [33:0] low_high_q9;
    reg signed [33:0] high_low_q9;
    reg signed [33:0] high_high_q9;
    reg signed [34:0] middle_q10;
    reg        [63:0] outer_q10;
    reg        [63:0] product_q11;

    always @(posedge clk) begin
        low_low_q9   <= acc_low * mult_low;
        low_high_q9  <= acc_low * mult_high;
        high_low_q9  <= acc_high * mult_low;
        high_high_q9 <= acc_high * mult_high;
        middle_q10   <= low_high_q9 + high_low_q9;
        outer_q10    <= {high_high_q9[31:0], low_low_q9[31:0]};
        product_q11  <= outer_q10 + {{13{middle_q10[34]}}, middle_q10, 16'd0};
    end

    // Stage 12: a value and whether to add one to it.
    // tflite: acc * 2^s * q without its 31 lowest bits, rounded half up by the bit below (2^30 can't carry further).
    // float: the upper 24 bits of the product, rounded to even: the product as a float32.
    wire [ 2:0] left = shift_q11[7] ? 3'd0 : shift_q11[2:0];
    wire [70:0] scaled = {{7{product_q11[63]}}, product_q11} << left;
    wire        wide = product_q11[47];
    wire [23:0] product_24 = wide ? product_q11[47:24] : product_q11[46:23];
    wire        half_24 = wide ? product_q11[23] : product_q11[22];
    wire        rest_24 = product_q11[21:0] != 22'd0 || (wide && product_q11[22]);

    wire [4:0] right_float = wide ? right_47_q11 : right_46_q11;
    wire [4:0] right_tflite = shift_q11[7] ? ~shift_q11[4:0] + 5'd1 : 5'd0;

    reg [39:0] value_q12;
    reg        up_q12;
    reg [ 4:0] right_q12;
    reg [ 4:0] right_q13;
    reg [ 2:0] right_q14;

    // Stage 13: h, or the float32 product.
    // Stages 14 and 15: the same moved to the right. Of what falls off, the uppermost bit is kept, and whether any other
    // was 1.
    reg signed [39:0] value_q13;
    reg signed [40:0] moved_q14;
    reg signed [40:0] moved_q15;
    reg               rest_q14;
    reg               rest_q15;

    wire [40:0] whole = {value_q13, 1'b0};
    wire [23:0] lost_13 = whole[23:0] & ~(24'hFFFFFF << {right_q13[4:3], 3'd0});
    wire [ 6:0] lost_14 = moved_q14[6:0] & ~(7'h7F << right_q14);

    // Stage 16: t, clipped to ten bits, which is beyond any clamp, and whether to add one: at more than half, and at half
    // away from zero (tflite) or to even (float).
    reg signed [9:0] t_q16;
    reg              up_q16;
    reg              negative_q16;

    wire beyond = moved_q15[40:10] != {31{moved_q15[40]}};
    wire tie_up = float_q ? moved_q15[1] : !moved_q15[40];

    // Stage 17: zero point, and the sign (float counted magnitudes): -(t + up) = ~t + 1 - up.
    // Stage 18: clamp.
    reg signed [11:0] shifted_q17;
    reg        [ 7:0] result_q18;

    wire [9:0] signed_t = t_q16 ^ {10{negative_q16}};
    wire       carry = up_q16 ^ negative_q16;

    always @(posedge clk) begin
        value_q12  <= float_q ? {16'd0, product_24} : scaled[70:31];
        up_q12     <= float_q ? half_24 && (rest_24 || product_24[0]) : scaled[30];
        right_q12  <= float_q ? right_float : right_tflite;
        right_q13  <= right_q12;
        right_q14  <= right_q13[2:0];
        value_q13  <= value_q12 + {39'd0, up_q12};
        moved_q14  <= $signed(whole) >>> {right_q13[4:3], 3'd0};
        rest_q14  <= lost_13 != 24'd0;
        moved_q15  <= moved_q14 >>> right_q14;
        rest_q15  <= rest_q14 || lost_14 != 7'd0;

        t_q16        <= beyond ? {moved_q15[40], {9{!moved_q15[40]}}} : moved_q15[10:1];
        up_q16       <= moved_q15[0] && (rest_q15 || tie_up);
        negative_q16 <= negative_q[15];
        shifted_q17  <= {{2{signed_t[9]}}, signed_t} + {{4{zero_point[7]}}, zero_point} + {11'd0, carry};
        if (shifted_q17 < $signed({{4{smallest[7]}}, smallest})) result_q18 <= smallest;
        else if (shifted_q17 > $signed({{4{largest[7]}}, largest})) result_q18 <= largest;
        else result_q18 <= shifted_q17[7:0];
    end

    assign result = result_q18;

    wire unused = &{1'b0, high_high_q9[33:32], low_low_q9[33:32], scaled[29:0], shift_q11[6:5]};

endmodule

`default_nettype wire
