// frame_counter: counts the words of a layer's frames as they pass.
//
// Does not: see them; `next` says that one has passed.
//
// Latency: none, the outputs speak of the word at hand. Throughput: one word a cycle.

`default_nettype none

module frame_counter #(
    parameter LANES = 16  // bytes of a word; a power of two
) (
    input  wire                     clk,

    input  wire                     load,             // begins the layer that cfg_* describe
    input  wire [             31:0] cfg_frame_bytes,
    input  wire [             15:0] cfg_frames,

    input  wire                     next,
    output reg                      frame_end,        // its frame's last word
    output wire                     next_frame_end,   // that holds for the word behind it
    output wire                     layer_end,        // the last word of the last frame
    output reg  [$clog2(LANES)-1:0] last_byte         // of a frame's last word
);

    localparam LANE_W = $clog2(LANES);

    reg [31-LANE_W:0] words_q;        // of a frame, less one
    reg [31-LANE_W:0] words_left_q;   // of this frame, less one
    reg               one_word_q;     // a frame has no other
    reg [       15:0] frames_left_q;  // less one

    wire [31:0] last = cfg_frame_bytes - 32'd1;
    wire one_word = last[31:LANE_W] == {32 - LANE_W{1'b0}};

    assign next_frame_end = frame_end ? one_word_q : words_left_q == {{31 - LANE_W{1'b0}}, 1'b1};
    assign layer_end      = frame_end && frames_left_q == 16'd0;

    always @(posedge clk) begin
        if (load) begin
            words_q       <= last[31:LANE_W];
            words_left_q  <= last[31:LANE_W];
            one_word_q    <= one_word;
            frame_end     <= one_word;
            last_byte     <= last[LANE_W-1:0];
            frames_left_q <= cfg_frames - 16'd1;
        end else if (next) begin
            words_left_q <= frame_end ? words_q : words_left_q - 1'b1;
            frame_end    <= next_frame_end;
            if (frame_end) frames_left_q <= frames_left_q - 16'd1;
        end
    end

endmodule

`default_nettype wire
