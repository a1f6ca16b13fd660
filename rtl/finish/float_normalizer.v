// float_normalizer: an int32 as the float32 next to it, ties to even, in two parts that multipliers take; or the int32
// as it is, in the same parts.
//
// Float: the number is moved to the left until bit 30 differs from the sign in bit 31, and rounded to 24 bits. Rounding
// to even is the same on both sides of zero, so two's complement stays; of magnitudes only a power of two below zero
// ends a place further left than its mirror image, and it is exact either way.
// Does not: carry from the low part into the high one: rounded, the low part may be 2^16, which is its 17th bit.
//
// number = (high * 2^16 + low) / 2^places. 0 and -1 are moved by 31 places.
// Latency: 6 cycles. Throughput: a number a cycle.

`default_nettype none

module float_normalizer (
    input  wire               clk,

    input  wire               by_float,
    input  wire        [31:0] number,

    output reg  signed [17:0] low,     // 0 to 2^16
    output reg  signed [16:0] high,
    output reg         [ 4:0] places
);

    // Stages 1 to 5: 16, 8, 4, 2 and 1 places to the left where the sign is not in the way.
    reg [31:0] number_q1;
    reg [31:0] number_q2;
    reg [31:0] number_q3;
    reg [31:0] number_q4;
    reg [31:0] number_q5;
    reg        places_q1;
    reg [ 1:0] places_q2;
    reg [ 2:0] places_q3;
    reg [ 3:0] places_q4;
    reg [ 4:0] places_q5;

    wire by_16 = by_float && number[30:15] == {16{number[31]}};
    wire by_8 = by_float && number_q1[30:23] == {8{number_q1[31]}};
    wire by_4 = by_float && number_q2[30:27] == {4{number_q2[31]}};
    wire by_2 = by_float && number_q3[30:29] == {2{number_q3[31]}};
    wire by_1 = by_float && number_q4[30] == number_q4[31];

    // Stage 6: rounded by bit 6, ties to even.
    wire up = by_float && number_q5[6] && (number_q5[7] || number_q5[5:0] != 6'd0);

    always @(posedge clk) begin
        number_q1 <= by_16 ? {number[15:0], 16'd0} : number;
        number_q2 <= by_8 ? {number_q1[23:0], 8'd0} : number_q1;
        number_q3 <= by_4 ? {number_q2[27:0], 4'd0} : number_q2;
        number_q4 <= by_2 ? {number_q3[29:0], 2'd0} : number_q3;
        number_q5 <= by_1 ? {number_q4[30:0], 1'b0} : number_q4;
        places_q1 <= by_16;
        places_q2 <= {places_q1, by_8};
        places_q3 <= {places_q2, by_4};
        places_q4 <= {places_q3, by_2};
        places_q5 <= {places_q4, by_1};

        low[17:7] <= {2'd0, number_q5[15:7]} + {10'd0, up};
        if (by_float) low[6:0] <= 7'd0;
        else low[6:0] <= number_q5[6:0];
        high   <= {number_q5[31], number_q5[31:16]};
        places <= places_q5;
    end

endmodule

`default_nettype wire
