// row_walker: the outer loops of a layer: frame, output row, block of columns, group of filters.
//
// One item is one group of filters on the columns of one block of one output row. Blocks are as wide as the result
// buffer allows, usually the whole row. An item says where its windows begin (activation, weight and result addresses,
// of the first kernel row inside the image), how many kernel rows and windows there are, and what may be
// released once it is done.
// Does not: look at the columns (window_walker does) or at what has arrived (step_walker does).
//
// Latency: 6 cycles from start to the first item. Throughput: one item a cycle.

`default_nettype none

module row_walker #(
    parameter LANES_OUT = 16,
    parameter ACT_W     = 20,  // activation byte addresses, counted on from reset
    parameter WGT_W     = 24,  // weight word addresses, likewise
    parameter OUT_W     = 16,  // result byte addresses, likewise
    parameter WIN_W     = 26,  // byte offset of a window in its row, signed
    parameter POS_W     = 20   // row or column of a window, signed
) (
    input  wire                    clk,
    input  wire                    rst,

    input  wire                    start,  // begins the layer that cfg_* describe
    output wire                    busy,

    // The layer; constant from start until busy falls.
    input  wire [            15:0] cfg_frames,
    input  wire [            15:0] cfg_height,
    input  wire [            15:0] cfg_out_height,
    input  wire [            15:0] cfg_out_width,
    input  wire [            15:0] cfg_groups,         // of filters
    input  wire [            15:0] cfg_out_channels,
    input  wire [            15:0] cfg_span_filters,   // filters that see the same input channels
    input  wire [            15:0] cfg_span,           // input channels that a filter sees
    input  wire [            15:0] cfg_last_channel,   // the first that the last filters see: Cin - span
    input  wire                    cfg_one_group,      // of filters that see the same channels
    input  wire                    cfg_one_span,       // all filters see the same channels
    input  wire                    cfg_one_block,      // of columns
    input  wire                    cfg_requantise,     // int8 results
    input  wire [            15:0] cfg_block_cols,
    input  wire [             3:0] cfg_taps_y,
    input  wire [             2:0] cfg_stride_y,
    input  wire [             2:0] cfg_dilation_y,
    input  wire signed [POS_W-1:0] cfg_first_row,      // -top
    input  wire signed [POS_W-1:0] cfg_first_col,      // -left
    input  wire        [POS_W-1:0] cfg_block_pos,      // columns of the image from block to block
    input  wire signed [WIN_W-1:0] cfg_first_offset,   // -left * Cin
    input  wire        [WIN_W-1:0] cfg_block_offset,   // bytes of the image from block to block
    input  wire        [ACT_W-1:0] cfg_frame_span,     // bytes of a frame in whole words
    input  wire        [ACT_W-1:0] cfg_top_span,       // top * bytes of a row
    input  wire        [ACT_W-1:0] cfg_stride_span,    // stride_y * bytes of a row
    input  wire        [WIN_W-1:0] cfg_row_bytes,      // bytes of a row
    input  wire        [WGT_W-1:0] cfg_tap_row_words,  // weight words of a kernel row
    input  wire        [WGT_W-1:0] cfg_group_words,    // weight words of a group
    input  wire        [OUT_W-1:0] cfg_block_bytes,    // result bytes of a full block
    input  wire        [OUT_W-1:0] cfg_out_row_bytes,      // result bytes of a row

    output wire                    item_valid,
    input  wire                    item_ready,
    output wire        [      3:0] item_taps_y,        // kernel rows inside the image, may be 0
    output wire        [     15:0] item_cols,          // windows
    output wire signed [POS_W-1:0] item_col,           // column of the first window
    output wire signed [WIN_W-1:0] item_offset,        // byte offset of the first window
    output wire        [ACT_W-1:0] item_act,           // first channel of the image row under the first kernel row inside
    output wire        [WGT_W-1:0] item_wgt,           // weights of that kernel row
    output wire        [OUT_W-1:0] item_out,           // result address of the first window
    output wire        [ACT_W-1:0] item_act_release,   // activations before this are needed no more
    output wire        [WGT_W-1:0] item_wgt_release,   // weights before this are needed no more
    output wire                    item_row_end,       // item_act_release holds
    output wire                    item_final,         // last use of these weights: item_wgt_release holds
    output wire        [      4:0] item_last_filter,   // of the group: filters less one
    output wire                    item_new_group,     // not the filters of the item before
    output wire                    item_last_group,
    output wire                    item_layer_end
);

    localparam        WORD = LANES_OUT;           // results of a frame begin on a word
    localparam [15:0] FILTERS = LANES_OUT[15:0];  // of a full group

    // Stage 0: the loops.
    reg                     active_q;
    reg [15:0]              frames_left_q;  // less one
    reg [15:0]              rows_left_q;    // less one
    reg [15:0]              cols_left_q;    // of this row, from this block on
    reg [15:0]              filters_left_q; // from this group on, all
    reg [15:0]              span_left_q;    // from this group on, those that see the same channels
    reg [15:0]              channel_q;      // the first that they see
    reg                     first_item_q;
    reg signed [POS_W-1:0]  row_q;          // image row under kernel row 0
    reg signed [POS_W-1:0]  col_q;          // image column under the block's first window
    reg signed [WIN_W-1:0]  offset_q;       // the same in bytes
    reg [ACT_W-1:0]         frame_act_q;    // start of the frame
    reg [ACT_W-1:0]         row_act_q;      // start of image row row_q
    reg [WGT_W-1:0]         layer_wgt_q;    // start of the layer's weights
    reg [WGT_W-1:0]         group_wgt_q;    // start of the group's weights
    reg [OUT_W-1:0]         row_out_q;      // result address of the row
    reg [OUT_W-1:0]         block_out_q;    // of the block
    reg [OUT_W-1:0]         group_out_q;    // of the group in a pixel

    // All stages move together.
    wire move;
    wire advance = active_q && move;

    // Which of its kind the item is the last of. These are known with the counts themselves, since much hangs on them.
    reg span_end_q;    // of the groups that see the same channels
    reg last_span_q;   // of those spans
    reg last_block_q;
    reg last_row_q;
    reg last_frame_q;

    localparam [16:0] ONE_GROUP  = {1'b0, FILTERS};
    localparam [16:0] TWO_GROUPS = {FILTERS, 1'b0};

    wire [16:0] span_filters = {1'b0, cfg_span_filters};
    wire one_row = cfg_out_height == 16'd1;

    reg last_group_q;  // the last of a block
    reg row_end_q;     // of a row
    reg frame_end_q;
    reg layer_end_q;

    wire span_end = start || last_group_q ? cfg_one_group
                  : span_end_q ? cfg_one_group || {1'b0, filters_left_q} <= span_filters + ONE_GROUP
                  : {1'b0, span_left_q} <= TWO_GROUPS;
    wire last_span = start || last_group_q ? cfg_one_span
                   : span_end_q ? {1'b0, filters_left_q} <= {cfg_span_filters, 1'b0} : last_span_q;
    wire last_block = start || (last_group_q && last_block_q) ? cfg_one_block
                    : last_group_q ? {1'b0, cols_left_q} <= {cfg_block_cols, 1'b0} : last_block_q;
    wire last_row = start || frame_end_q ? one_row : row_end_q ? rows_left_q == 16'd1 : last_row_q;
    wire last_frame = start ? cfg_frames == 16'd1 : frame_end_q ? frames_left_q == 16'd1 : last_frame_q;

    always @(posedge clk) begin
        if (start || advance) begin
            span_end_q   <= span_end;
            last_span_q  <= last_span;
            last_block_q <= last_block;
            last_row_q   <= last_row;
            last_frame_q <= last_frame;
            last_group_q <= span_end && last_span;
            row_end_q    <= span_end && last_span && last_block;
            frame_end_q  <= span_end && last_span && last_block && last_row;
            layer_end_q  <= span_end && last_span && last_block && last_row && last_frame;
        end
    end

    // A group is LANES_OUT filters that see the same channels, or what is left of those.
    wire [15:0] filters = span_end_q ? span_left_q : FILTERS;
    wire [15:0] last_filter = filters - 16'd1;
    wire [15:0] filters_behind = filters_left_q - cfg_span_filters;
    wire [15:0] next_channel = channel_q + cfg_span;
    wire [OUT_W:0] group_bytes = cfg_requantise ? {{OUT_W - 5{1'b0}}, filters[5:0]} : {{OUT_W - 7{1'b0}}, filters[5:0], 2'b00};


    wire signed [POS_W-1:0] next_row = row_q + $signed({{POS_W - 3{1'b0}}, cfg_stride_y});
    wire [WIN_W-1:0] channel = {{WIN_W - 16{1'b0}}, channel_q};
    wire [ACT_W-1:0] next_row_act = row_act_q + cfg_stride_span;
    wire [ACT_W-1:0] next_frame_act = frame_act_q + cfg_frame_span;
    wire [WGT_W-1:0] next_group_wgt = group_wgt_q + cfg_group_words;
    wire [OUT_W-1:0] next_row_out = row_out_q + cfg_out_row_bytes;
    wire [OUT_W-1:0] next_frame_out = (next_row_out + WORD[OUT_W-1:0] - 1'b1) & -WORD[OUT_W-1:0];
    wire next_row_below = next_row >= $signed({{POS_W - 16{1'b0}}, cfg_height});
    wire next_row_above = next_row < 0;

    always @(posedge clk) begin
        if (start) begin
            frames_left_q <= cfg_frames - 16'd1;
            rows_left_q   <= cfg_out_height - 16'd1;
            cols_left_q   <= cfg_out_width;
            filters_left_q <= cfg_out_channels;
            span_left_q   <= cfg_span_filters;
            channel_q     <= 16'd0;
            first_item_q  <= 1'b1;
            row_q         <= cfg_first_row;
            col_q         <= cfg_first_col;
            offset_q      <= cfg_first_offset;
            row_act_q     <= frame_act_q - cfg_top_span;
            group_wgt_q   <= layer_wgt_q;
            block_out_q   <= row_out_q;
            group_out_q   <= {OUT_W{1'b0}};
        end else if (advance) begin
            first_item_q  <= 1'b0;
            if (last_group_q) begin
                filters_left_q <= cfg_out_channels;
                span_left_q    <= cfg_span_filters;
                channel_q      <= 16'd0;
            end else if (span_end_q) begin
                filters_left_q <= filters_behind;
                span_left_q    <= filters_behind < cfg_span_filters ? filters_behind : cfg_span_filters;
                channel_q      <= next_channel < cfg_last_channel ? next_channel : cfg_last_channel;
            end else begin
                span_left_q <= span_left_q - FILTERS;
            end
            group_wgt_q   <= last_group_q ? layer_wgt_q : next_group_wgt;
            group_out_q   <= last_group_q ? {OUT_W{1'b0}} : group_out_q + group_bytes[OUT_W-1:0];
            if (last_group_q) begin
                cols_left_q <= last_block_q ? cfg_out_width : cols_left_q - cfg_block_cols;
                col_q       <= last_block_q ? cfg_first_col : col_q + $signed(cfg_block_pos);
                offset_q    <= last_block_q ? cfg_first_offset : offset_q + $signed(cfg_block_offset);
                block_out_q <= frame_end_q ? next_frame_out
                             : last_block_q ? next_row_out : block_out_q + cfg_block_bytes;
            end
            if (row_end_q) begin
                rows_left_q <= last_row_q ? cfg_out_height - 16'd1 : rows_left_q - 16'd1;
                row_q       <= last_row_q ? cfg_first_row : next_row;
                row_act_q   <= last_row_q ? next_frame_act - cfg_top_span : next_row_act;
            end
            if (frame_end_q) frames_left_q <= frames_left_q - 16'd1;
        end
    end

    // These go on from layer to layer.
    always @(posedge clk) begin
        if (rst) begin
            active_q    <= 1'b0;
            frame_act_q <= {ACT_W{1'b0}};
            layer_wgt_q <= {WGT_W{1'b0}};
            row_out_q   <= {OUT_W{1'b0}};
        end else if (start) begin
            active_q <= 1'b1;
        end else if (advance) begin
            if (layer_end_q) active_q <= 1'b0;
            if (layer_end_q) layer_wgt_q <= next_group_wgt;
            if (frame_end_q) frame_act_q <= next_frame_act;
            if (row_end_q) row_out_q <= last_row_q ? next_frame_out : next_row_out;
        end
    end

    // Stages 1 to 3: the kernel rows inside the image.
    localparam PASS_W = 16 + POS_W + WIN_W + OUT_W + ACT_W + WGT_W + 10;

    wire [3:0] first_tap;
    wire [3:0] taps;
    wire       precedes;
    wire [1:0] position;

    tap_range #(
        .START_W(POS_W)
    ) u_tap_range (
        .clk     (clk),
        .move    (move),
        .start   (row_q),
        .taps    (cfg_taps_y),
        .size    (cfg_height),
        .dilation(cfg_dilation_y),
        .first   (first_tap),
        .count   (taps),
        .precedes(precedes),
        .position(position)
    );

    reg [       3:0] valid_q;  // stages 4 to 1
    reg [ ACT_W-1:0] frame_q1;
    reg [ ACT_W-1:0] frame_q2;
    reg [ ACT_W-1:0] frame_q3;
    reg [ ACT_W-1:0] act_q1;
    reg [ ACT_W-1:0] act_q2;
    reg [ ACT_W-1:0] act_q3;
    reg [ WGT_W-1:0] wgt_q1;
    reg [ WGT_W-1:0] wgt_q2;
    reg [ WGT_W-1:0] wgt_q3;
    reg [PASS_W-1:0] pass_q1;
    reg [PASS_W-1:0] pass_q2;
    reg [PASS_W-1:0] pass_q3;

    always @(posedge clk) begin
        if (move) begin
            frame_q1 <= frame_act_q + channel[ACT_W-1:0];
            act_q1   <= row_act_q + channel[ACT_W-1:0];
            wgt_q1   <= group_wgt_q;
            pass_q1  <= {
                last_block_q ? cols_left_q : cfg_block_cols,
                col_q,
                offset_q,
                block_out_q + group_out_q,
                last_row_q || next_row_below ? next_frame_act : next_row_above ? frame_act_q : next_row_act,
                next_group_wgt,
                row_end_q,
                last_frame_q && last_row_q && last_block_q,
                last_filter[4:0],
                first_item_q || cfg_groups != 16'd1,
                last_group_q,
                layer_end_q
            };
            {frame_q3, frame_q2} <= {frame_q2, frame_q1};
            {act_q3, act_q2}     <= {act_q2, act_q1};
            {wgt_q3, wgt_q2}     <= {wgt_q2, wgt_q1};
            {pass_q3, pass_q2}   <= {pass_q2, pass_q1};
        end
    end

    // Stage 4: what their addresses are the sums of. A window that begins above the image has its first kernel row inside on one of
    // the frame's first rows.
    reg [       3:0] taps_q4;
    reg [ ACT_W-1:0] act_q4;
    reg [ ACT_W-1:0] act_more_q4;
    reg [ WGT_W-1:0] wgt_q4;
    reg [ WGT_W-1:0] wgt_more_q4;
    reg [ WGT_W-1:0] wgt_most_q4;
    reg [PASS_W-1:0] pass_q4;

    // A number times two bits: too little for a multiplier.
    function [WIN_W-1:0] times(input [WIN_W-1:0] number, input [1:0] bits);
        times = (number & {WIN_W{bits[0]}}) + {number[WIN_W-2:0] & {WIN_W - 1{bits[1]}}, 1'b0};
    endfunction

    wire [WIN_W-1:0] position_bytes = times(cfg_row_bytes, position);
    wire [WIN_W-1:0] tap_row_words = {{WIN_W - WGT_W{1'b0}}, cfg_tap_row_words};
    wire [WIN_W-1:0] first_words = times(tap_row_words, first_tap[1:0]);
    wire [WIN_W-1:0] further_words = times({tap_row_words[WIN_W-3:0], 2'b00}, first_tap[3:2]);

    always @(posedge clk) begin
        if (move) begin
            taps_q4     <= taps;
            act_q4      <= precedes ? frame_q3 : act_q3;
            act_more_q4 <= precedes ? position_bytes[ACT_W-1:0] : {ACT_W{1'b0}};
            wgt_q4      <= wgt_q3;
            wgt_more_q4 <= first_words[WGT_W-1:0];
            wgt_most_q4 <= further_words[WGT_W-1:0];
            pass_q4     <= pass_q3;
        end
    end

    always @(posedge clk) begin
        if (rst) valid_q <= 4'd0;
        else if (move) valid_q <= {valid_q[2:0], active_q};
    end

    assign busy = active_q || valid_q != 4'd0 || item_valid;

    // In a skid buffer so that a waiting window does not hold this chain at once.
    skid_buffer #(
        .WIDTH(4 + ACT_W + WGT_W + PASS_W)
    ) u_skid_buffer (
        .clk    (clk),
        .rst    (rst),
        .s_data ({taps_q4, act_q4 + act_more_q4, wgt_q4 + wgt_more_q4 + wgt_most_q4, pass_q4}),
        .s_valid(valid_q[3]),
        .s_ready(move),
        .m_data ({
            item_taps_y,
            item_act,
            item_wgt,
            item_cols,
            item_col,
            item_offset,
            item_out,
            item_act_release,
            item_wgt_release,
            item_row_end,
            item_final,
            item_last_filter,
            item_new_group,
            item_last_group,
            item_layer_end
        }),
        .m_valid(item_valid),
        .m_ready(item_ready)
    );

    wire unused = &{1'b0, last_filter[15:5], group_bytes[OUT_W], channel, position_bytes, first_words, further_words};

endmodule

`default_nettype wire
