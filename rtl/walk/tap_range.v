// tap_range: which taps of a window lie inside the image, in one direction.
//
// Tap k of the window lies at position start + k * dilation; inside means 0 <= position < size.
// Does not: take more than 15 taps or a dilation above 4.
//
// Latency: 3 cycles in which `move` is high. Throughput: one window a cycle.

`default_nettype none

module tap_range #(
    parameter START_W = 20  // width of start, signed
) (
    input  wire               clk,
    input  wire               move,

    input  wire [START_W-1:0] start,     // signed
    input  wire [        3:0] taps,
    input  wire [       15:0] size,      // these two are constant
    input  wire [        2:0] dilation,  // 1 to 4

    output wire [        3:0] first,     // the first tap inside
    output wire [        3:0] count,     // taps inside; 0: none, and then `first` is 0 too
    output wire               precedes,    // start is negative
    output wire [        1:0] position   // of the first tap inside, if start is negative: less than the dilation
);

    // Stage 1: distances from the start to the image (less one) and to its end. Beyond 63 they are all alike: even with
    // dilation 4 that is further than any tap.
    function [5:0] saturate(input [START_W-2:0] distance);
        saturate = distance[START_W-2:6] != {START_W - 7{1'b0}} ? 6'd63 : distance[5:0];
    endfunction

    wire [START_W-1:0] to_end = {{START_W - 16{1'b0}}, size} + ~start;

    reg       before_q1;
    reg       behind_q1;
    reg [5:0] to_image_q1;
    reg [5:0] to_end_q1;
    reg [3:0] taps_q1;
    reg [1:0] start_q1;

    // Stage 2: the same in taps, rounded down.
    function [5:0] divide(input [5:0] distance, input [2:0] divisor);
        case (divisor)
            3'd2: divide = {1'b0, distance[5:1]};
            3'd3: divide = third({6'd0, distance} + 12'd1);
            3'd4: divide = {2'b00, distance[5:2]};
            default: divide = distance;
        endcase
    endfunction

    // A third is 21 / 64, which is exact for (distance + 1) up to 64.
    function [5:0] third(input [11:0] more);
        reg [5:0] unused_low;
        {third, unused_low} = {more[7:0], 4'd0} + {more[9:0], 2'd0} + more;
    endfunction

    reg       before_q2;
    reg       behind_q2;
    reg [5:0] to_image_q2;
    reg [5:0] to_end_q2;
    reg [3:0] taps_q2;
    reg [1:0] start_q2;

    // Stage 3: from the first tap inside to the first behind the image or behind the window.
    wire [6:0] from = before_q2 ? {1'b0, to_image_q2} + 7'd1 : 7'd0;
    wire [6:0] upto = to_end_q2 < {2'd0, taps_q2} ? {1'b0, to_end_q2} + 7'd1 : {3'd0, taps_q2};
    wire some = !behind_q2 && from < upto;

    reg       before_q3;
    reg [3:0] first_q3;
    reg [3:0] count_q3;
    reg [1:0] start_q3;

    always @(posedge clk) begin
        if (move) begin
            before_q1   <= start[START_W-1];
            behind_q1   <= to_end[START_W-1];
            to_image_q1 <= saturate(~start[START_W-2:0]);
            to_end_q1   <= saturate(to_end[START_W-2:0]);
            taps_q1     <= taps;
            start_q1    <= start[1:0];

            before_q2   <= before_q1;
            behind_q2   <= behind_q1;
            to_image_q2 <= divide(to_image_q1, dilation);
            to_end_q2   <= divide(to_end_q1, dilation);
            taps_q2     <= taps_q1;
            start_q2    <= start_q1;

            before_q3   <= before_q2;
            first_q3    <= some ? from[3:0] : 4'd0;
            count_q3    <= some ? upto[3:0] - from[3:0] : 4'd0;
            start_q3    <= start_q2;
        end
    end

    assign first    = first_q3;
    assign count    = count_q3;
    assign precedes   = before_q3;
    // The sum's low two bits are all of it.
    assign position = start_q3 + (first_q3[1:0] & {2{dilation[0]}}) + {first_q3[0] && dilation[1], 1'b0};

    wire unused = &{1'b0, upto[6:4]};

endmodule

`default_nettype wire
