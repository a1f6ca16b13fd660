// frame_counter: takes a layer's numbers, and counts the words of its frames as they pass.
//
// Does not: see the words; `next` says that one has passed.
//
// Latency: words may pass 2 cycles after `take`; then the outputs speak of the word at hand.
// Throughput: one word a cycle; two cycles are lost between layers, none between frames.

`default_nettype none

module frame_counter #(
    parameter       LANES = 16,    // bytes of a word; a power of two
    parameter [5:0] INDEX = 6'd10  // in layer_numbers.vh, of the bytes of a frame
) (
    input  wire                     clk,
    input  wire                     rst,

    input  wire [             38:0] numbers,
    input  wire                     take,            // the next layer, while `ready`
    output wire                     ready,
    output reg                      active,          // a word is at hand
    output wire [             15:0] frames,          // of the layer, the cycle after `take`

    input  wire                     next,            // it passes
    output reg                      frame_end,       // its frame's last word
    output wire                     next_frame_end,  // that holds for the word after it
    output wire                     layer_end,       // the last word of the last frame
    output wire [$clog2(LANES)-1:0] last_byte        // of a frame's last word
);

    `include "layer_numbers.vh"

    localparam LANE_W = $clog2(LANES);
    localparam COUNT_W = 33 - LANE_W;

    reg               load_q;
    reg               one_word_q;  // a frame has no other
    reg [COUNT_W-1:0] words_q;     // of the frame after this one, less two: the sign says that the next is the last
    reg [       16:0] frames_q;    // after this one, less one: the sign says that this is the last

    wire [31:0] frame_bytes;

    // verilog_format: off
    number #(.INDEX(INDEX), .WIDTH(32))  u_frame_bytes (clk, numbers, take, frame_bytes);
    number #(.INDEX(FRAMES), .WIDTH(16)) u_frames      (clk, numbers, take, frames);
    // verilog_format: on

    // A frame's first count is its words, rounded up, less three.
    wire reload = load_q || frame_end;
    wire ragged = frame_bytes[LANE_W-1:0] != {LANE_W{1'b0}};
    wire [COUNT_W-1:0] minus = {{COUNT_W - 2{1'b1}}, !reload || ragged, !reload || !ragged};
    wire [COUNT_W-1:0] words = (reload ? {1'b0, frame_bytes[31:LANE_W]} : words_q) + minus;
    wire one_word = words[COUNT_W-1] && !words[0];

    assign ready          = !load_q && !active;
    assign next_frame_end = frame_end ? one_word_q : words_q[COUNT_W-1];
    assign layer_end      = frame_end && frames_q[16];
    assign last_byte      = frame_bytes[LANE_W-1:0] - 1'b1;

    always @(posedge clk) begin
        if (load_q) one_word_q <= one_word;
        if (load_q || next) begin
            words_q   <= words;
            frame_end <= load_q ? one_word : next_frame_end;
        end
        if (load_q || (next && frame_end)) frames_q <= (load_q ? {1'b0, frames} : frames_q) + {{16{1'b1}}, !load_q};
    end

    always @(posedge clk) begin
        if (rst) begin
            load_q   <= 1'b0;
            active <= 1'b0;
        end else begin
            load_q <= take;
            if (load_q) active <= 1'b1;
            else if (next && layer_end) active <= 1'b0;
        end
    end

endmodule

`default_nettype wire
