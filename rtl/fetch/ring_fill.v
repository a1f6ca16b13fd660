// ring_fill: how many words a ring has been given, and whether it has room for another word.
//
// Both counts go on from reset to reset, modulo 2^COUNT_W; what is released may be ahead of what was written.
// Does not: hold the ring.
//
// Latency: a release makes room the cycle after `released` counts it. Throughput: one word a cycle.

`default_nettype none

module ring_fill #(
    parameter WORDS   = 1024,  // of the ring; a power of two
    parameter COUNT_W = 24     // at least two bits more than the ring's addresses have
) (
    input  wire               clk,
    input  wire               rst,

    input  wire               write,     // a word, and there was room for it
    output reg  [COUNT_W-1:0] count,     // words so far
    input  wire [COUNT_W-1:0] released,  // words needed no more
    output reg                room
);

    localparam WORD_W = $clog2(WORDS);

    // Room is found out a cycle ahead.
    wire [COUNT_W-1:0] held = count - released;
    wire full = !held[COUNT_W-1] && held[COUNT_W-2:WORD_W] != {COUNT_W - 1 - WORD_W{1'b0}};
    wire last = !held[COUNT_W-1] && held[WORD_W-1:0] == {WORD_W{1'b1}};

    always @(posedge clk) begin
        if (rst) begin
            count <= {COUNT_W{1'b0}};
            room  <= 1'b1;
        end else begin
            if (write) count <= count + 1'b1;
            room <= !full && !(last && write);
        end
    end

endmodule

`default_nettype wire
