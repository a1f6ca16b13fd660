// weight_loader: takes a layer's packet of constants and weights from the stream into their buffers and checks its end.
//
// The packet is, for each group of LANES_OUT filters, CONST_PER_GROUP words of constants, then the group's weights,
// LANES_OUT words (one for each filter) at a time. `wgt_written` counts those sets when their last word has arrived;
// since constants go first, weights that are there imply constants that are there.
// Does not: mend a packet of the wrong length; it reports it and the core halts.
//
// Latency: a word counts as written the cycle after it was taken. Throughput: one word a cycle; one cycle is lost
// between layers.

`default_nettype none

module weight_loader #(
    parameter LANES_IN        = 16,
    parameter LANES_OUT       = 16,
    parameter WGT_WORDS       = 1024,  // words a filter lane
    parameter CONST_WORDS     = 1024,  // words of the constant buffer
    parameter CONST_PER_GROUP = 9,     // words of constants in each group
    parameter WGT_COUNT_W     = 24,    // width of the weight counts
    parameter CONST_COUNT_W   = 12     // width of the constant counts
) (
    input  wire                           clk,
    input  wire                           rst,

    // A layer, taken when both are high.
    input  wire                           cfg_valid,
    output wire                           cfg_ready,
    input  wire [                   15:0] cfg_groups,
    input  wire [        WGT_COUNT_W-1:0] cfg_group_words,  // weight words of a group, for each filter

    input  wire [         8*LANES_IN-1:0] s_data,
    input  wire [           LANES_IN-1:0] s_keep,
    input  wire                           s_last,
    input  wire                           s_valid,
    output wire                           s_ready,

    output wire                           const_wr_en,
    output wire [$clog2(CONST_WORDS)-1:0] const_wr_word,
    output wire [          LANES_OUT-1:0] wgt_wr_lane,
    output wire [  $clog2(WGT_WORDS)-1:0] wgt_wr_word,
    output wire [         8*LANES_IN-1:0] wr_data,

    output wire [        WGT_COUNT_W-1:0] wgt_written,
    input  wire [        WGT_COUNT_W-1:0] wgt_released,
    input  wire [      CONST_COUNT_W-1:0] const_released,

    output reg                            error_early,  // one cycle each
    output reg                            error_late,
    output reg                            error_keep
);

    localparam CONST_INDEX_W = $clog2(CONST_PER_GROUP + 1);

    reg                     active_q;
    reg                     constants_q;  // the next word is a constant
    reg                     last_const_q; // the last of its group
    reg                     last_set_q;   // the weights' set at hand is
    reg                     last_group_q; // the group at hand is the layer's last
    reg [CONST_INDEX_W-1:0] const_left_q; // of this group, less one
    reg [LANES_OUT-1:0]     lane_q;       // one-hot: filter of the next weight word
    reg [WGT_COUNT_W-1:0]   group_words_q;  // less one
    reg                     one_set_q;      // a group has no other
    reg [WGT_COUNT_W-1:0]   words_left_q;   // of this group, less one
    reg [15:0]              groups_left_q;  // less one

    wire wgt_room;
    wire const_room;
    wire [CONST_COUNT_W-1:0] const_written;

    wire accept = s_valid && s_ready;
    wire one_set = cfg_group_words == {{WGT_COUNT_W - 1{1'b0}}, 1'b1};
    wire set_end = !constants_q && lane_q[LANES_OUT-1];
    wire group_end = set_end && last_set_q;
    wire packet_end = group_end && last_group_q;

    ring_fill #(
        .WORDS  (WGT_WORDS),
        .COUNT_W(WGT_COUNT_W)
    ) u_weights_fill (
        .clk     (clk),
        .rst     (rst),
        .write   (accept && set_end),
        .written (wgt_written),
        .released(wgt_released),
        .room    (wgt_room)
    );

    ring_fill #(
        .WORDS  (CONST_WORDS),
        .COUNT_W(CONST_COUNT_W)
    ) u_constants_fill (
        .clk     (clk),
        .rst     (rst),
        .write   (accept && constants_q),
        .written (const_written),
        .released(const_released),
        .room    (const_room)
    );

    localparam [CONST_INDEX_W-1:0] LAST_CONST = CONST_PER_GROUP[CONST_INDEX_W-1:0] - 1'b1;

    assign cfg_ready     = !active_q;
    assign s_ready       = active_q && (constants_q ? const_room : wgt_room);
    assign const_wr_en   = accept && constants_q;
    assign const_wr_word = const_written[$clog2(CONST_WORDS)-1:0];
    assign wgt_wr_lane   = accept && !constants_q ? lane_q : {LANES_OUT{1'b0}};
    assign wgt_wr_word   = wgt_written[$clog2(WGT_WORDS)-1:0];
    assign wr_data       = s_data;

    always @(posedge clk) begin
        if (cfg_ready) begin
            constants_q   <= 1'b1;
            const_left_q  <= LAST_CONST;
            lane_q        <= {{LANES_OUT - 1{1'b0}}, 1'b1};
            group_words_q <= cfg_group_words - 1'b1;
            one_set_q     <= one_set;
            words_left_q  <= cfg_group_words - 1'b1;
            groups_left_q <= cfg_groups - 16'd1;
            last_const_q  <= CONST_PER_GROUP == 1;
            last_set_q    <= one_set;
            last_group_q  <= cfg_groups == 16'd1;
        end else if (accept) begin
            if (constants_q) begin
                const_left_q <= const_left_q - 1'b1;
                last_const_q <= const_left_q == {{CONST_INDEX_W - 1{1'b0}}, 1'b1};
                if (last_const_q) constants_q <= 1'b0;
            end else begin
                lane_q <= {lane_q[LANES_OUT-2:0], lane_q[LANES_OUT-1]};
                if (set_end) begin
                    words_left_q <= words_left_q - 1'b1;
                    last_set_q   <= words_left_q == {{WGT_COUNT_W - 1{1'b0}}, 1'b1};
                end
                if (group_end) begin
                    constants_q   <= 1'b1;
                    const_left_q  <= LAST_CONST;
                    last_const_q  <= CONST_PER_GROUP == 1;
                    words_left_q  <= group_words_q;
                    last_set_q    <= one_set_q;
                    groups_left_q <= groups_left_q - 16'd1;
                    last_group_q  <= groups_left_q == 16'd1;
                end
            end
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            active_q        <= 1'b0;
            error_early     <= 1'b0;
            error_late      <= 1'b0;
            error_keep      <= 1'b0;
        end else begin
            if (cfg_ready) active_q <= cfg_valid;
            else if (accept && packet_end) active_q <= 1'b0;
            error_early <= accept && s_last && !packet_end;
            error_late  <= accept && !s_last && packet_end;
            error_keep  <= accept && s_last == packet_end && s_keep != {LANES_IN{1'b1}};
        end
    end

    wire unused = &{1'b0, const_written};

endmodule

`default_nettype wire
