// activation_loader: takes a layer's frames from the stream into the activation buffer and checks their ends.
//
// Counts words from the reset on; whoever compares counts sees what has arrived (`written`). A word is taken
// only while the buffer has room (`released` says what is needed no more, and may run ahead of `written`: then rows
// that no window uses are swallowed).
// Does not: pad, and does not mend a packet of the wrong length; it reports it and the core halts.
//
// Latency: a word counts as written the cycle after it was taken. Throughput: one word a cycle; one cycle
// is lost between layers, none between frames.

`default_nettype none

module activation_loader #(
    parameter LANES   = 16,     // bytes of a word
    parameter BYTES   = 65536,  // bytes of the buffer
    parameter COUNT_W = 16      // width of the word counts, at least 2 more than log2(BYTES / LANES)
) (
    input  wire                                  clk,
    input  wire                                  rst,

    // A layer, taken when both are high.
    input  wire                                  cfg_valid,
    output wire                                  cfg_ready,
    input  wire [                          31:0] cfg_frame_bytes,
    input  wire [                          15:0] cfg_frames,

    input  wire [                   8*LANES-1:0] s_data,
    input  wire [                     LANES-1:0] s_keep,
    input  wire                                  s_last,
    input  wire                                  s_valid,
    output wire                                  s_ready,

    output wire                                  wr_en,
    output wire [$clog2(BYTES)-$clog2(LANES)-1:0] wr_word,
    output wire [                   8*LANES-1:0] wr_data,

    output wire [                   COUNT_W-1:0] written,   // words taken so far
    input  wire [                   COUNT_W-1:0] released,  // words needed no more

    output wire [                           1:0] layers,       // begun so far, modulo 4

    output reg                                   error_early,  // one cycle each
    output reg                                   error_late,
    output reg                                   error_keep
);

    localparam LANE_W = $clog2(LANES);
    localparam WORDS  = BYTES / LANES;

    reg               active_q;
    reg [31-LANE_W:0] words_q;       // of a frame, less one
    reg [31-LANE_W:0] words_left_q;  // of this frame, less one
    reg [ LANES-1:0]  last_keep_q;
    reg [      15:0]  frames_left_q; // less one
    reg [COUNT_W-1:0] written_q;
    reg [        1:0] layers_q;

    wire [31:0] last_byte = cfg_frame_bytes - 32'd1;

    // Room for the next word, found out a cycle ahead. What is released may be ahead of what was written.
    localparam WORD_W = $clog2(WORDS);

    reg room_q;

    wire [COUNT_W-1:0] held = written_q - released;
    wire full = !held[COUNT_W-1] && held[COUNT_W-2:WORD_W] != {COUNT_W - 1 - WORD_W{1'b0}};
    wire last = !held[COUNT_W-1] && held[WORD_W-1:0] == {WORD_W{1'b1}};
    wire accept = s_valid && s_ready;

    reg  one_word_q;   // a frame has no other
    reg  frame_end_q;  // its last word
    wire one_word = last_byte[31:LANE_W] == {32 - LANE_W{1'b0}};
    wire wrong_keep = s_keep != (frame_end_q ? last_keep_q : {LANES{1'b1}});

    assign cfg_ready = !active_q;
    assign s_ready   = active_q && room_q;
    assign wr_en     = accept;
    assign wr_word   = written_q[$clog2(WORDS)-1:0];
    assign wr_data   = s_data;
    assign written   = written_q;
    assign layers    = layers_q;

    always @(posedge clk) begin
        if (cfg_ready) begin
            words_q       <= last_byte[31:LANE_W];
            words_left_q  <= last_byte[31:LANE_W];
            one_word_q    <= one_word;
            frame_end_q   <= one_word;
            last_keep_q   <= {LANES{1'b1}} >> (~last_byte[LANE_W-1:0]);
            frames_left_q <= cfg_frames - 16'd1;
        end else if (accept) begin
            words_left_q <= frame_end_q ? words_q : words_left_q - 1'b1;
            frame_end_q  <= frame_end_q ? one_word_q : words_left_q == {{31 - LANE_W{1'b0}}, 1'b1};
            if (frame_end_q) frames_left_q <= frames_left_q - 16'd1;
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            active_q    <= 1'b0;
            written_q   <= {COUNT_W{1'b0}};
            layers_q    <= 2'd0;
            room_q      <= 1'b1;
            error_early <= 1'b0;
            error_late  <= 1'b0;
            error_keep  <= 1'b0;
        end else begin
            if (cfg_ready) active_q <= cfg_valid;
            else if (accept && frame_end_q && frames_left_q == 16'd0) active_q <= 1'b0;
            if (cfg_ready && cfg_valid) layers_q <= layers_q + 2'd1;
            if (accept) written_q <= written_q + 1'b1;
            room_q <= !full && !(last && accept);
            error_early <= accept && s_last && !frame_end_q;
            error_late  <= accept && !s_last && frame_end_q;
            error_keep  <= accept && s_last == frame_end_q && wrong_keep;
        end
    end

endmodule

`default_nettype wire
