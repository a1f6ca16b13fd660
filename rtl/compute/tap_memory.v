// tap_memory: the activations that each filter multiplies: in depthwise layers the columns of its channel's window,
// made from one column of channels a cycle, in all others the same for every filter.
//
// It remembers, for each of 16 rows and each channel, the TAPS - 1 columns before; the newest is tap 0. A row is a
// kernel row or, with dilation, every second, third or fourth column of one.
// Does not: know what is inside the image; a column outside comes as zeros.
// A bit of a tap is one look-up table: what is remembered, whether that counts, the shared one, and which of both. The
// same table feeds the memory.
//
// Latency: 1 cycle. Throughput: one column a cycle, of the same row or another.

`default_nettype none

module tap_memory #(
    parameter CHANNELS = 16,  // of a column
    parameter TAPS     = 11   // columns of a window, 2 and more
) (
    input  wire                       clk,

    input  wire                       enable,     // remember this column; with `depthwise` only
    input  wire                       depthwise,  // else every channel gets `shared`
    input  wire [                3:0] row,        // that this column belongs to
    input  wire                       clear,      // its columns before count as zeros
    input  wire [     9*CHANNELS-1:0] column,     // signed 9 bits a channel, channel 0 lowest
    input  wire [         9*TAPS-1:0] shared,     // tap 0 lowest

    output reg  [9*TAPS*CHANNELS-1:0] taps        // those of channel 0 lowest
);

    localparam KEPT = 9 * (TAPS - 1);  // bits a channel

    reg [KEPT*CHANNELS-1:0] memory[0:15];

    // Whole vectors are computed in functions, at the clock's edge: an event-driven simulator then works once a cycle,
    // not once a lane.
    function [9*TAPS*CHANNELS-1:0] side_by_side(input [KEPT*CHANNELS-1:0] earlier, input [9*CHANNELS-1:0] newest);
        integer c;
        for (c = 0; c < CHANNELS; c = c + 1) side_by_side[9*TAPS*c+:9*TAPS] = {earlier[KEPT*c+:KEPT], newest[9*c+:9]};
    endfunction

    function [KEPT*CHANNELS-1:0] newest_of(input [9*TAPS*CHANNELS-1:0] all);
        integer c;
        for (c = 0; c < CHANNELS; c = c + 1) newest_of[KEPT*c+:KEPT] = all[9*TAPS*c+:KEPT];
    endfunction

    function [9*TAPS*CHANNELS-1:0] chosen(input own, input forget, input [KEPT*CHANNELS-1:0] earlier,
                                          input [9*CHANNELS-1:0] newest, input [9*TAPS-1:0] common);
        if (own) chosen = side_by_side(forget ? {KEPT * CHANNELS{1'b0}} : earlier, newest);
        else chosen = {CHANNELS{common}};
    endfunction

    always @(posedge clk) begin
        if (enable) memory[row] <= newest_of(chosen(depthwise, clear, memory[row], column, shared));
        taps <= chosen(depthwise, clear, memory[row], column, shared);
    end


endmodule

`default_nettype wire
