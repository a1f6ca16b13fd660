// tap_range: which taps of a window lie inside the image, in one direction.
//
// Tap k of the window lies at position start + k * dilation; inside means 0 <= position < size.
// Does not: take more than 15 taps or a dilation above 4.
//
// Latency: none, it is combinational.

`default_nettype none

module tap_range #(
    parameter START_W = 20  // width of start, signed
) (
    input  wire signed [START_W-1:0] start,
    input  wire        [       15:0] size,
    input  wire        [        3:0] taps,
    input  wire        [        2:0] dilation,  // 1 to 4
    output wire        [        3:0] first,     // the first tap inside
    output wire        [        3:0] count      // taps inside; 0: none, and then `first` is 0 too
);

    // Distances beyond 63 are all alike: even with dilation 4 they are further than any tap.
    function [5:0] saturate(input signed [START_W-1:0] distance);
        saturate = distance > 63 ? 6'd63 : distance[5:0];
    endfunction

    // distance / dilation, rounded down; exact for distances up to 127 (171 / 512 stands for a third).
    function [6:0] divide(input [6:0] distance, input [2:0] divisor);
        case (divisor)
            3'd2: divide = distance >> 1;
            3'd3: divide = third({8'd0, distance});
            3'd4: divide = distance >> 2;
            default: divide = distance;
        endcase
    endfunction

    function [6:0] third(input [14:0] distance);
        reg [7:0] unused_high;
        {unused_high, third} = (distance * 15'd171) >> 9;
    endfunction

    wire signed [START_W-1:0] below = -start;
    wire signed [START_W-1:0] above = $signed({{START_W - 16{1'b0}}, size}) - 1 - start;

    wire [6:0] from = start[START_W-1] ? divide({1'b0, saturate(below)} + {4'd0, dilation} - 7'd1, dilation) : 7'd0;
    wire [6:0] reach = divide({1'b0, saturate(above)}, dilation) + 7'd1;
    wire [6:0] upto = reach < {3'd0, taps} ? reach : {3'd0, taps};
    wire some = !above[START_W-1] && from < upto;

    assign first = some ? from[3:0] : 4'd0;
    assign count = some ? upto[3:0] - from[3:0] : 4'd0;

    wire unused = &{1'b0, upto[6:4]};

endmodule

`default_nettype wire
