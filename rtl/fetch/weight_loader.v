// weight_loader: takes a layer's packet of constants and weights from the stream into their buffers and checks its end.
//
// The packet is, for each filter block, CONST_PER_BLOCK words of constants, of which the last LANES_OUT bytes are the
// weights' zero points; then the block's weights in sets, a set being a word for each filter that the block has. Zero
// points are subtracted from the weights on their way, which takes a ninth bit. `wgt_written` counts sets; since
// constants go first, weights that are there imply constants that are there.
// A filter block is LANES_OUT filters, or what is left of its span or of the layer: the block's first set counts them.
// Does not: mend a packet of the wrong length; it reports it and the core halts.
//
//   cycle     0       1                      2                     3
//   constant  taken   on its way             a read sees it
//   weights   taken   zero point subtracted  on their way          counted in wgt_written: a read sees them
//   error                                    reported
//
// Latency: as drawn; the first word can be taken 2 cycles after the layer. Throughput: one word a cycle; two cycles are
// lost between layers.

`default_nettype none

module weight_loader #(
    `include "parameters.vh"
) (
    input  wire                     clk,
    input  wire                     rst,

    // A layer, taken when both are high.
    input  wire [             38:0] numbers,
    input  wire                     layer_valid,
    output wire                     layer_ready,

    input  wire [     9*LANES_IN:0] s_word,          // {last, keep, data}
    input  wire                     s_valid,
    output wire                     s_ready,

    output wire [CONST_WRITE_W-1:0] const_write,     // {valid, word, data}
    input  wire [CONST_COUNT_W-1:0] const_released,

    output wire [  WGT_WRITE_W-1:0] wgt_write,       // {filter, one-hot, or 0; word; data, signed, nine bits each}
    output reg  [        WGT_W-1:0] wgt_written,     // sets that a read sees
    input  wire [        WGT_W-1:0] wgt_released,

    output reg  [              2:0] error            // one cycle each: TLAST early, TLAST late, TKEEP
);

    `include "layer_numbers.vh"

    localparam FILTER_W = 16;
    localparam SETS_W = 22;  // layer_setup refuses blocks of more words
    localparam CONST_W = $clog2(CONST_PER_BLOCK);
    localparam FURTHER = CONST_PER_BLOCK - 2;  // constants after the first, less one

    localparam [CONST_W:0] FURTHER_CONST = FURTHER[CONST_W:0];
    localparam [LANES_OUT-1:0] FIRST_LANE = {{LANES_OUT - 1{1'b0}}, 1'b1};
    localparam [LANES_OUT-1:0] LAST_LANE = {1'b1, {LANES_OUT - 1{1'b0}}};

    // The layer at hand.
    wire [FILTER_W-1:0] out_channels;
    wire [FILTER_W-1:0] span_filters;
    wire [  SETS_W-1:0] block_words;

    wire take = layer_valid && layer_ready;

    // verilog_format: off
    number #(.INDEX(OUT_CHANNELS), .WIDTH(FILTER_W)) u_out_channels (clk, numbers, take, out_channels);
    number #(.INDEX(SPAN_FILTERS), .WIDTH(FILTER_W)) u_span_filters (clk, numbers, take, span_filters);
    number #(.INDEX(BLOCK_WORDS), .WIDTH(SETS_W))    u_block_words  (clk, numbers, take, block_words);
    // verilog_format: on

    // Stage 0: what the word at the stream is. Counts are of those after this one, less one: the sign marks the last.
    reg                  load_q;
    reg                  active_q;
    reg                  constants_q;  // constants, not weights
    reg [   CONST_W:0]   const_q;      // constants of the block
    reg                  first_set_q;  // of the block
    reg [LANES_OUT-1:0]  lane_q;       // one-hot: the word's filter
    reg [LANES_OUT-1:0]  last_lane_q;  // one-hot: the block's last filter, or the last that it can have
    reg [SETS_W:0]       sets_q;       // sets of the block
    reg [FILTER_W:0]     span_q;       // filters of the span
    reg [FILTER_W:0]     filters_q;    // filters of the layer

    wire wgt_room;
    wire const_room;
    wire [WGT_W-1:0] wgt_count;
    wire [CONST_COUNT_W-1:0] const_count;

    wire accept = s_valid && s_ready;
    wire constant = accept && constants_q;
    wire weight = accept && !constants_q;
    wire set_end = (lane_q & last_lane_q) != {LANES_OUT{1'b0}}
                || (first_set_q && (span_q[FILTER_W] || filters_q[FILTER_W]));
    wire block_end = set_end && sets_q[SETS_W];
    wire packet_end = !constants_q && block_end && filters_q[FILTER_W];

    // The first set counts its filters, but the last of them only when the block ends.
    wire next_filter = weight && (block_end || (first_set_q && !set_end));
    wire span_begin = load_q || span_q[FILTER_W];

    assign layer_ready = !load_q && !active_q;
    assign s_ready     = active_q && (constants_q ? const_room : wgt_room);

    always @(posedge clk) begin
        if (constant) begin
            first_set_q <= 1'b1;
            {lane_q, last_lane_q} <= {FIRST_LANE, LAST_LANE};
        end else if (weight) begin
            lane_q <= set_end ? FIRST_LANE : lane_q << 1;
            if (set_end) first_set_q <= 1'b0;
            if (set_end) last_lane_q <= lane_q;
        end
        if (constant || (weight && set_end))
            sets_q <= (constants_q ? {1'b0, block_words} : sets_q) + {{SETS_W{1'b1}}, !constants_q};
        if (load_q || next_filter) begin
            span_q    <= (span_begin ? {1'b0, span_filters} : span_q) + {{FILTER_W{1'b1}}, !span_begin};
            filters_q <= (load_q ? {1'b0, out_channels} : filters_q) + {{FILTER_W{1'b1}}, !load_q};
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            load_q      <= 1'b0;
            active_q    <= 1'b0;
            constants_q <= 1'b1;
            const_q     <= FURTHER_CONST;
        end else begin
            load_q <= take;
            if (load_q) active_q <= 1'b1;
            else if (accept && packet_end) active_q <= 1'b0;
            if (constant) const_q <= const_q[CONST_W] ? FURTHER_CONST : const_q - 1'b1;
            if (constant && const_q[CONST_W]) constants_q <= 1'b0;
            else if (weight && block_end) constants_q <= 1'b1;
        end
    end

    ring_fill #(
        .WORDS  (WGT_WORDS),
        .COUNT_W(WGT_W)
    ) u_weights_fill (
        .clk     (clk),
        .rst     (rst),
        .write   (weight && set_end),
        .count   (wgt_count),
        .released(wgt_released),
        .room    (wgt_room)
    );

    ring_fill #(
        .WORDS  (CONST_WORDS),
        .COUNT_W(CONST_COUNT_W)
    ) u_constants_fill (
        .clk     (clk),
        .rst     (rst),
        .write   (constant),
        .count   (const_count),
        .released(const_released),
        .room    (const_room)
    );

    // Stage 1: a constant on its way into its memory, at the count before it.
    reg                    taken_q1;
    reg                    constant_q1;
    reg [   LANES_OUT-1:0] lane_q1;  // zero if it is no weight
    reg [8*LANES_IN-1:0]   data_q1;
    reg                    last_q1;
    reg [LANES_IN-1:0]     keep_q1;
    reg                    packet_end_q1;
    reg [CONST_ADDR_W-1:0] const_word_q1;
    reg [WGT_W-1:0]  wgt_count_q1;

    assign const_write = {constant_q1, const_word_q1, data_q1};

    always @(posedge clk) begin
        {last_q1, keep_q1, data_q1} <= s_word;
        {packet_end_q1, const_word_q1} <= {packet_end, const_count[CONST_ADDR_W-1:0]};
    end

    always @(posedge clk) begin
        if (rst) begin
            taken_q1    <= 1'b0;
            constant_q1 <= 1'b0;
            lane_q1     <= {LANES_OUT{1'b0}};
            error       <= 3'd0;
        end else begin
            {taken_q1, constant_q1} <= {accept, constant};
            lane_q1     <= weight ? lane_q : {LANES_OUT{1'b0}};
            error[0]    <= taken_q1 && last_q1 && !packet_end_q1;
            error[1]    <= taken_q1 && !last_q1 && packet_end_q1;
            error[2]    <= taken_q1 && last_q1 == packet_end_q1 && keep_q1 != {LANES_IN{1'b1}};
        end
    end

    // The block's zero points: what the last words of constants leave here. A set takes them from the first on.
    reg [8*LANES_OUT-1:0] zero_points_q;
    reg [8*LANES_OUT-9:0] further_q;

    generate
        if (LANES_OUT > LANES_IN) begin : gen_words
            always @(posedge clk) if (constant_q1) zero_points_q <= {data_q1, zero_points_q[8*LANES_OUT-1:8*LANES_IN]};
        end else begin : gen_word
            always @(posedge clk) if (constant_q1) zero_points_q <= data_q1[8*(9*LANES_OUT%LANES_IN)+:8*LANES_OUT];
        end
    endgenerate

    wire [7:0] zero_point = lane_q1[0] ? zero_points_q[7:0] : further_q[7:0];

    always @(posedge clk) begin
        if (taken_q1 && !constant_q1) further_q <= lane_q1[0] ? zero_points_q[8*LANES_OUT-1:8] : further_q >> 8;
    end

    // Stage 2: weights on their way into their memory, at the count before them.
    reg [LANES_OUT-1:0]   lane_q2;
    reg [9*LANES_IN-1:0]  data_q2;

    assign wgt_write = {lane_q2, wgt_written[WGT_ADDR_W-1:0], data_q2};

    integer i;

    always @(posedge clk) begin
        for (i = 0; i < LANES_IN; i = i + 1) begin
            data_q2[9*i+:9] <= {data_q1[8*i+7], data_q1[8*i+:8]} - {zero_point[7], zero_point};
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            lane_q2      <= {LANES_OUT{1'b0}};
            wgt_count_q1 <= {WGT_W{1'b0}};
            wgt_written <= {WGT_W{1'b0}};
        end else begin
            lane_q2                     <= lane_q1;
            {wgt_written, wgt_count_q1} <= {wgt_count_q1, wgt_count};
        end
    end

    wire unused = &{1'b0, const_count};

endmodule

`default_nettype wire
