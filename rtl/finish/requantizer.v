// requantizer: one lane from int32 accumulator to int8 result, by one of three rules. With q the multiplier, s the
// shift (negative is to the right) and m a float32:
//
//   tflite (TensorFlow Lite's reference kernels)        float (XNNPACK, ONNX Runtime, PyTorch)
//   h = floor((acc * 2^max(s,0) * q + 2^30) / 2^31)      a = float32(acc)
//   t = h / 2^max(-s,0), to nearest, ties from zero      t = a * m as a float32, to the nearest integer
//   y = clamp(t + zero point, smallest, largest)         y = clamp(t + zero point, smallest, largest)
//
// The third rule, single (LiteRT's reference kernel of fully connected layers), reads q and s like tflite and rounds
// once: t = acc * q * 2^(s - 31) to the nearest, ties away from zero.
//
// In the float rule all three roundings are to nearest, ties to even. q is any int32. A shift above 8 counts as 8, one
// below -31 as -31. The sign of m is not looked at; an m that is subnormal counts as 0; infinite or not a number it is
// larger than all others: it makes 0 of 0, and takes every other accumulator to the clamp on its side.
// Does not: saturate acc + bias, which wraps modulo 2^32. Nothing else overflows.
//
// All rules are one: a product, rounded at a place of its own, moved to the right, rounded to an integer. With s above
// 0 tflite only has the last rounding, half up, since then h is already t. Single never has another.
// Bit growth: acc * q needs 63 bits, signed; float: 25 bits at bit 7 times 24 bits, 56 bits. t is clipped to 9 bits,
// since what is beyond is beyond any clamp, whatever the zero point.
//
// Latency: 18 cycles; `biased` (the accumulator with its bias) after 1. Throughput: one value a cycle.
// It never stalls; what is not wanted is ignored by whoever reads the output.

`default_nettype none

module requantizer #(
    parameter FLOAT = 1  // 1: all rules; 0: without float, some 190 LUTs less
) (
    input  wire        clk,

    input  wire [31:0] acc,         // signed
    input  wire [31:0] bias,        // signed
    input  wire [31:0] mult,        // the multiplier, signed, or the bits of a float32
    input  wire [ 7:0] shift,       // signed

    // Constant while a value is on its way.
    input  wire        by_float,
    input  wire        by_single,
    input  wire [ 7:0] zero_point,  // these three are signed
    input  wire [ 7:0] smallest,
    input  wire [ 7:0] largest,

    output wire [31:0] biased,
    output wire [ 7:0] result
);

    // Each requantizer has the rule for itself, since much hangs on it.
    wire float;

    (* keep *) reg single;

    always @(posedge clk) single <= by_single && !by_float;

    generate
        if (FLOAT) begin : gen_rule
            (* keep *) reg float_q;

            always @(posedge clk) float_q <= by_float;

            assign float = float_q;
        end else begin : gen_no_rule
            wire unused = &{1'b0, by_float};

            assign float = 1'b0;
        end
    endgenerate

    // Stage 1: bias.
    reg [31:0] acc_q1;

    always @(posedge clk) acc_q1 <= acc + bias;

    assign biased = acc_q1;

    // Stages 2 to 7: float: the accumulator as a float32, without its exponent, which is 31 - places. Multiplier and
    // shift walk beside, those of stage 1 lowest. What the product is moved by is
    //   tflite: 8 - s = ~s + 9            float: 127 - exponent of m + places, places being 0 to 31
    localparam WALK = 6;

    wire signed [17:0] low_q7;   // acc = high * 2^16 + low
    wire signed [16:0] high_q7;
    wire [4:0] places_q7;

    reg [32*WALK-1:0] mult_q;
    reg [ 8*WALK-1:0] less_q;
    reg [       31:0] mult_q7;
    reg signed [ 7:0] less_q7;

    wire [ 7:0] places = float ? {3'd0, places_q7} : 8'd9;
    wire [31:0] mult_q6 = mult_q[32*(WALK-1)+:32];

    always @(posedge clk) begin
        mult_q  <= {mult_q[32*(WALK-1)-1:0], mult};
        less_q  <= {less_q[8*(WALK-1)-1:0], float ? {mult[30], ~mult[29:23]} : ~shift};
        less_q7 <= less_q[8*(WALK-1)+:8];
        // The hidden bit is taken for granted: a subnormal is moved out whole.
        mult_q7[23:0] <= {mult_q6[23] || float, mult_q6[22:0]};
        if (float) mult_q7[31:24] <= 8'd0;
        else mult_q7[31:24] <= mult_q6[31:24];
    end

    generate
        if (FLOAT) begin : gen_normalizer
            float_normalizer u_normalizer (
                .clk     (clk),
                .by_float(float),
                .number  (acc_q1),
                .low     (low_q7),
                .high    (high_q7),
                .places  (places_q7)
            );
        end else begin : gen_delay
            reg [32*WALK-1:0] acc_q;

            always @(posedge clk) acc_q <= {acc_q[32*(WALK-1)-1:0], acc_q1};

            assign low_q7    = {2'd0, acc_q[32*(WALK-1)+:16]};
            assign high_q7   = {acc_q[32*WALK-1], acc_q[32*(WALK-1)+16+:16]};
            assign places_q7 = 5'd0;
        end
    endgenerate

    // Stages 8 to 11: the product in four parts of at most 18 x 17 bits, signed, which is what multiplier blocks take.
    // Meanwhile the places to the right, clipped: further right than 39 nothing is left, to the left of 0 all is beyond
    // (float) or s counts as 8.
    wire signed [16:0] mult_low_q7 = {1'b0, mult_q7[15:0]};
    wire signed [16:0] mult_high_q7 = {mult_q7[31], mult_q7[31:16]};

    wire signed [34:0] low_low_q9;
    wire signed [34:0] low_high_q9;
    wire signed [34:0] high_low_q9;
    wire signed [34:0] high_high_q9;

    multiplier #(
        .LANES(4),
        .A_W  (18),
        .B_W  (17)
    ) u_multiplier (
        .clk    (clk),
        .a      ({high_q7[16], high_q7, high_q7[16], high_q7, low_q7, low_q7}),
        .b      ({mult_high_q7, mult_low_q7, mult_high_q7, mult_low_q7}),
        .product({high_high_q9, high_low_q9, low_high_q9, low_low_q9})
    );

    reg signed [34:0] middle_q10;
    reg        [63:0] outer_q10;
    reg        [63:0] product_q11;
    reg               rest_q11;  // of the product's lowest 16 bits
    reg signed [ 8:0] right_q8;
    reg        [ 5:0] right_q9;
    reg        [ 5:0] right_q10;
    reg        [ 5:0] right_q11;
    reg        [ 5:0] right_q12;
    reg        [ 5:0] right_q13;

    wire too_far = right_q8[7:6] != 2'd0 || (right_q8[5] && right_q8[4:3] != 2'd0);

    always @(posedge clk) begin
        middle_q10  <= low_high_q9 + high_low_q9;
        outer_q10   <= {high_high_q9[31:0], low_low_q9[31:0]};
        product_q11 <= outer_q10 + {{13{middle_q10[34]}}, middle_q10, 16'd0};
        rest_q11    <= outer_q10[15:0] != 16'd0;

        right_q8  <= less_q7 + $signed({1'b0, places});
        right_q9  <= right_q8[8] ? 6'd0 : too_far ? 6'd39 : right_q8[5:0];
        right_q10 <= right_q9;
        right_q11 <= right_q10;
        right_q12 <= right_q11;
        right_q13 <= right_q12;
    end

    // Stage 12: whether the product, taken at bit 31 or 30, is to be rounded up.
    // tflite: at bit 31, half up, but not if s is above 0, which is to say that it moves by less than 8 places.
    // single: not here; what lies below the bits that stage 14 looks at is a flag, `rest`.
    // float: to 24 bits, to even; they end at bit 31 if the product has 55 bits, else at bit 30.
    // Stage 13: rounded; what is below has done its work.
    reg [63:22] product_q12;
    reg         up_31_q12;
    reg         up_30_q12;
    reg         clear_30_q12;
    reg         clear_low_q12;
    reg         rest_q12;
    reg [63:22] value_q13;
    reg         rest_q13;

    wire wide = product_q11[54] != product_q11[63];
    wire rest_21 = rest_q11 || product_q11[21:16] != 6'd0;
    wire rest_28 = rest_21 || product_q11[28:22] != 7'd0;
    wire near = right_q11[5:3] == 3'd0;
    wire once = near || single;
    wire odd_31 = product_q11[31] || product_q11[29] || rest_28;  // or more than half: not a tie that is even already
    wire odd_30 = product_q11[30] || rest_28;

    always @(posedge clk) begin
        product_q12   <= product_q11[63:22];
        up_31_q12     <= product_q11[30] && (float ? wide && odd_31 : !once);
        up_30_q12     <= product_q11[29] && float && !wide && odd_30;
        clear_30_q12  <= float ? wide : !once;
        clear_low_q12 <= float || !once;
        rest_q12      <= single ? rest_21 || (!near && (rest_28 || product_q11[29])) : near;

        value_q13[63:30] <= product_q12[63:30] + {32'd0, up_31_q12, up_30_q12};
        if (clear_30_q12) value_q13[30] <= 1'b0;
        value_q13[29:22] <= product_q12[29:22];
        if (clear_low_q12) value_q13[29:22] <= 8'd0;
        rest_q13 <= rest_q12;
    end

    // Stage 14: moved to the right by 0, 8, 16, 24 or 32; of the rest of the places, 0 to 7, it will take at most 7
    // more bits. What is too large for them, and whether something fell off, is a flag each. With s above 0 tflite's
    // last rounding is half up: as if something had fallen off. Stage 15: by 4. Stage 16: by 2 and 1.
    reg [16:0] moved_q14;
    reg [12:0] moved_q15;
    reg [ 9:0] moved_q16;  // the lowest bit is the half
    reg        sign_q14;
    reg        sign_q15;
    reg        sign_q16;
    reg        beyond_q14;
    reg        beyond_q15;
    reg        beyond_q16;
    reg        rest_q14;
    reg        rest_q15;
    reg        rest_q16;
    reg [ 2:0] right_q14;
    reg [ 1:0] right_q15;

    wire [2:0] coarse = right_q13[5:3];
    wire sign = value_q13[63];
    wire more_0 = value_q13[46:39] != {8{sign}};
    wire more_1 = value_q13[54:47] != {8{sign}};
    wire more_2 = value_q13[62:55] != {8{sign}};
    wire lost_2 = value_q13[37:30] != 8'd0;
    wire lost_3 = value_q13[45:38] != 8'd0;
    wire lost_4 = value_q13[53:46] != 8'd0;
    wire [16:0] by_16 = coarse[0] ? value_q13[62:46] : value_q13[54:38];
    wire [16:0] by_0 = coarse[0] ? value_q13[46:30] : value_q13[38:22];
    wire [10:0] by_2 = right_q15[1] ? moved_q15[12:2] : moved_q15[10:0];

    always @(posedge clk) begin
        moved_q14  <= coarse[2] ? {{7{sign}}, value_q13[63:54]} : coarse[1] ? by_16 : by_0;
        sign_q14   <= sign;
        beyond_q14 <= (more_0 && coarse == 3'd0) || (more_1 && coarse < 3'd2) || (more_2 && coarse < 3'd3);
        rest_q14   <= rest_q13 || (lost_2 && coarse > 3'd1) || (lost_3 && coarse > 3'd2) || (lost_4 && coarse[2]);
        right_q14  <= right_q13[2:0];

        moved_q15  <= right_q14[2] ? moved_q14[16:4] : moved_q14[12:0];
        sign_q15   <= sign_q14;
        beyond_q15 <= beyond_q14 || (!right_q14[2] && moved_q14[16:13] != {4{sign_q14}});
        rest_q15   <= rest_q14 || (right_q14[2] && moved_q14[3:0] != 4'd0);
        right_q15  <= right_q14[1:0];

        moved_q16  <= right_q15[0] ? by_2[10:1] : by_2[9:0];
        sign_q16   <= sign_q15;
        beyond_q16 <= beyond_q15 || (!right_q15[1] && moved_q15[12:11] != {2{sign_q15}})
                                 || (!right_q15[0] && by_2[10] != sign_q15);
        rest_q16   <= rest_q15 || (right_q15[1] && moved_q15[1:0] != 2'd0) || (right_q15[0] && by_2[0]);
    end

    // Stage 17: t, rounded at more than half, and at half to even (float) or away from zero, with the zero point.
    // Stage 18: clamp.
    reg signed [9:0] shifted_q17;
    reg              sign_q17;
    reg              beyond_q17;
    reg        [7:0] result_q18;

    wire tie_up = float ? moved_q16[1] : !sign_q16;
    wire up = moved_q16[0] && (rest_q16 || tie_up);
    wire unused_carry;
    wire signed [9:0] shifted;

    // The 1 below the sum's first bit makes a carry of `up`.
    assign {shifted, unused_carry} = {moved_q16[9], moved_q16[9:1], 1'b1} + {{2{zero_point[7]}}, zero_point, up};

    wire below = shifted_q17 < $signed({{2{smallest[7]}}, smallest});
    wire above = shifted_q17 > $signed({{2{largest[7]}}, largest});

    always @(posedge clk) begin
        shifted_q17 <= shifted;
        sign_q17    <= sign_q16;
        beyond_q17  <= beyond_q16 || moved_q16[9] != sign_q16;
        if (beyond_q17 ? sign_q17 : below) result_q18 <= smallest;
        else if (beyond_q17 || above) result_q18 <= largest;
        else result_q18 <= shifted_q17[7:0];
    end

    assign result = result_q18;

    wire unused = &{1'b0, low_low_q9[34:32], high_high_q9[34:32], product_q11[15:0], mult_q[32*WALK-1], unused_carry};

endmodule

`default_nettype wire
