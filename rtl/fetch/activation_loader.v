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

    output reg                                   error_early,  // one cycle each
    output reg                                   error_late,
    output reg                                   error_keep
);

    localparam LANE_W = $clog2(LANES);
    localparam WORDS  = BYTES / LANES;

    reg       active_q;

    wire room;
    wire frame_end;
    wire next_frame_end;
    wire layer_end;
    wire [LANE_W-1:0] last_byte;

    wire accept = s_valid && s_ready;
    wire wrong_keep = s_keep != {LANES{1'b1}} >> (frame_end ? ~last_byte : {LANE_W{1'b0}});

    ring_fill #(
        .WORDS  (WORDS),
        .COUNT_W(COUNT_W)
    ) u_ring_fill (
        .clk     (clk),
        .rst     (rst),
        .write   (accept),
        .written (written),
        .released(released),
        .room    (room)
    );

    frame_counter #(
        .LANES(LANES)
    ) u_frame_counter (
        .clk            (clk),
        .load           (cfg_ready),
        .cfg_frame_bytes(cfg_frame_bytes),
        .cfg_frames     (cfg_frames),
        .next           (accept),
        .frame_end      (frame_end),
        .next_frame_end (next_frame_end),
        .layer_end      (layer_end),
        .last_byte      (last_byte)
    );

    assign cfg_ready = !active_q;
    assign s_ready   = active_q && room;
    assign wr_en     = accept;
    assign wr_word   = written[$clog2(WORDS)-1:0];
    assign wr_data   = s_data;

    always @(posedge clk) begin
        if (rst) begin
            active_q    <= 1'b0;
            error_early <= 1'b0;
            error_late  <= 1'b0;
            error_keep  <= 1'b0;
        end else begin
            if (cfg_ready) active_q <= cfg_valid;
            else if (accept && layer_end) active_q <= 1'b0;
            error_early <= accept && s_last && !frame_end;
            error_late  <= accept && !s_last && frame_end;
            error_keep  <= accept && s_last == frame_end && wrong_keep;
        end
    end

    wire unused = &{1'b0, next_frame_end};

endmodule

`default_nettype wire
