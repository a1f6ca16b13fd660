// layer_setup: derives from a layer's plain fields what loaders, sequencer, finisher and reader count with, and refuses
// what makes no sense or does not fit.
//
// One multiplier is shared by all the products, so a layer takes about 120 cycles; they pass while the layer
// before is computed. The results stay on cfg_* until each of the four users has taken them.
// Does not: start anything by itself; a user takes the layer when it has finished the one before.
//
// Latency: 4 cycles for each product (24 of them), 5 for each halving of the block, 16 to divide, up to 12 to join
// channel groups, and 4 more.

`default_nettype none

module layer_setup #(
    parameter LANES_IN        = 16,
    parameter LANES_OUT       = 16,
    parameter ACT_BYTES       = 65536,
    parameter WGT_WORDS       = 1024,
    parameter CONST_WORDS     = 1024,
    parameter OUT_BYTES       = 16384,
    parameter FLOAT_RULE      = 1,
    parameter CONST_PER_GROUP = 9,
    parameter ACT_W           = 20,
    parameter WGT_W           = 24,
    parameter OUT_W           = 16,
    parameter WIN_W           = 26,
    parameter POS_W           = 20,
    parameter RUN_W           = 20,
    parameter CHUNK_W         = 19
) (
    input  wire                    clk,
    input  wire                    rst,

    // The descriptor registers 0x40 to 0x5C, the first lowest.
    input  wire                    desc_valid,
    output wire                    desc_ready,
    input  wire [           255:0] desc,

    output reg                     error,         // one cycle
    output reg  [             7:0] error_code,
    output reg  [             7:0] error_detail,

    // The four users: activation loader, weight loader, sequencer, finisher with reader.
    output wire [             3:0] cfg_valid,
    input  wire [             3:0] cfg_ready,

    output reg  [            15:0] cfg_frames,
    output reg  [            31:0] cfg_frame_bytes,
    output reg  [            15:0] cfg_groups,
    output reg  [       WGT_W-1:0] cfg_group_words,

    output reg  [            15:0] cfg_height,
    output reg  [            15:0] cfg_width,
    output reg  [            15:0] cfg_out_height,
    output reg  [            15:0] cfg_out_width,
    output reg  [            15:0] cfg_block_cols,
    output reg  [             3:0] cfg_taps_y,
    output reg  [             3:0] cfg_taps_x,
    output reg  [             2:0] cfg_stride_y,
    output reg  [             2:0] cfg_stride_x,
    output reg  [             2:0] cfg_dilation_y,
    output reg  [             2:0] cfg_dilation_x,
    output reg                     cfg_packed,
    output wire                    cfg_depthwise,
    output reg  [             1:0] cfg_spread,
    output reg  [             1:0] cfg_phases,
    output reg  [       RUN_W-1:0] cfg_run_bytes,
    output reg  [     CHUNK_W-1:0] cfg_run_words,
    output reg  [       WGT_W-1:0] cfg_tap_row_words,
    output wire signed [POS_W-1:0] cfg_first_row,
    output wire signed [POS_W-1:0] cfg_first_col,
    output reg  [       POS_W-1:0] cfg_block_pos,
    output reg  signed [WIN_W-1:0] cfg_first_offset,
    output reg  [       WIN_W-1:0] cfg_block_offset,
    output reg  [       WIN_W-1:0] cfg_row_bytes,
    output reg  [       WIN_W-1:0] cfg_stride_bytes,
    output reg  [       ACT_W-1:0] cfg_tap_bytes,
    output wire [            15:0] cfg_in_channels,
    output reg  [             3:0] cfg_seen,         // depthwise: columns of a window that the one before of its phase has had
    output reg  [             5:0] cfg_seen_cols,
    output reg  [       WIN_W-1:0] cfg_seen_bytes,
    output wire [       ACT_W-1:0] cfg_frame_span,
    output reg  [       ACT_W-1:0] cfg_top_span,
    output reg  [       ACT_W-1:0] cfg_stride_span,
    output reg  [       ACT_W-1:0] cfg_dilation_span,
    output reg  [       OUT_W-1:0] cfg_pixel_bytes,
    output reg  [       OUT_W-1:0] cfg_block_bytes,
    output reg  [       OUT_W-1:0] cfg_out_row_bytes,
    output reg  [            31:0] cfg_out_frame_bytes,

    output reg  [            15:0] cfg_out_channels,
    output reg  [            15:0] cfg_span_filters,
    output reg  [            15:0] cfg_span,
    output wire [            15:0] cfg_last_channel,

    output reg                     cfg_requantise,
    output reg                     cfg_by_float,
    output reg  [             7:0] cfg_in_zero_point,
    output reg  [             7:0] cfg_out_zero_point,
    output reg  [             7:0] cfg_smallest,
    output reg  [             7:0] cfg_largest
);

    localparam LANE_IN_W  = $clog2(LANES_IN);
    localparam LANE_OUT_W = $clog2(LANES_OUT);

    // Error codes and details: docs/driving-the-core.md has the table.
    localparam [7:0] ERROR_FIELD = 8'd1;
    localparam [7:0] ERROR_ACT_BUFFER = 8'd2;
    localparam [7:0] ERROR_WGT_BUFFER = 8'd3;
    localparam [7:0] ERROR_CONST_BUFFER = 8'd4;
    localparam [7:0] ERROR_OUT_BUFFER = 8'd5;

    localparam [7:0] IN_SIZE = 8'h40;
    localparam [7:0] CHANNELS = 8'h44;
    localparam [7:0] OUT_SIZE = 8'h48;
    localparam [7:0] BATCH = 8'h4C;
    localparam [7:0] KERNEL = 8'h50;
    localparam [7:0] PADS = 8'h54;
    localparam [7:0] QUANT = 8'h58;
    localparam [7:0] MODE = 8'h5C;

    // The fields of the descriptor.
    wire [15:0] width = desc[15:0];
    wire [15:0] height = desc[31:16];
    wire [15:0] channels_in = desc[47:32];
    wire [15:0] channels_out = desc[63:48];
    wire [15:0] out_width = desc[79:64];
    wire [15:0] out_height = desc[95:80];
    wire [15:0] frames = desc[111:96];
    wire [15:0] groups = desc[127:112];
    wire [31:0] kernel = desc[159:128];
    wire [15:0] left = desc[175:160];
    wire [15:0] top = desc[191:176];
    wire [31:0] quant = desc[223:192];
    wire [31:0] mode = desc[255:224];


    reg [31:0] kernel_q;  // to be looked at in the cycle after they came
    reg        mode_ok_q;
    reg        fresh_q;   // that cycle

    reg [15:0] channels_in_q;
    reg [15:0] channel_groups_q;
    reg [15:0] top_q;
    reg [15:0] left_q;

    // Channels of a channel group: Cin / groups and Cout / groups, by long division, a bit a cycle.
    reg [ 4:0] divide_left_q;
    reg [15:0] in_quotient_q;
    reg [15:0] out_quotient_q;
    reg [15:0] in_rest_q;
    reg [15:0] out_rest_q;

    wire [16:0] in_rest = {in_rest_q, in_quotient_q[15]};
    wire [16:0] out_rest = {out_rest_q, out_quotient_q[15]};
    wire in_fits = in_rest >= {1'b0, channel_groups_q};
    wire out_fits = out_rest >= {1'b0, channel_groups_q};
    wire [16:0] in_less = in_rest - {1'b0, channel_groups_q};
    wire [16:0] out_less = out_rest - {1'b0, channel_groups_q};

    localparam [16:0] FILTERS = {1'b0, LANES_OUT[15:0]};
    localparam [16:0] CHANNELS_AT_ONCE = {1'b0, LANES_IN[15:0]};

    // Channel groups with few filters are joined, by doubling, until they fill the lanes (in_quotient_q and out_quotient_q
    // are then those of the joined ones): a filter multiplies the others' channels by weights of 0.
    reg [2:0] joined_q;  // log2
    reg       decided_q; // may_join_q holds: each joining takes two cycles
    reg       may_join_q;
    reg       uneven_q;
    reg       depthwise_q;
    reg [1:0] spread_q;
    reg [15:0] spans_q;  // how many there are

    // Depthwise with dilation, windows see columns again only every so many windows (phases): 1 to 4 of them, since windows
    // are a stride apart and taps a dilation. A window then has `fresh` new columns.
    reg [1:0] phases;  // less one
    reg [2:0] fresh;

    always @(*) begin
        phases = cfg_dilation_x[1:0] - 2'd1;
        fresh  = cfg_stride_x;
        case (cfg_dilation_x)
            3'd2:
            if (!cfg_stride_x[0]) begin
                phases = 2'd0;
                fresh  = {1'b0, cfg_stride_x[2:1]};
            end
            3'd3:
            if (cfg_stride_x == 3'd3) begin
                phases = 2'd0;
                fresh  = 3'd1;
            end
            3'd4:
            if (!cfg_stride_x[0]) begin
                phases = cfg_stride_x[2] ? 2'd0 : 2'd1;
                fresh  = 3'd1;
            end
            default: ;
        endcase
    end

    // One channel in, one, two or four out, its taps side by side: a read of a column serves all taps of a kernel row.
    // The tap memory has 16 rows.
    wire taps_fit = {13'd0, cfg_taps_x} <= CHANNELS_AT_ONCE
                 && (phases == 2'd0 || cfg_taps_y <= 4'd4 || (phases == 2'd1 && cfg_taps_y <= 4'd8));
    wire few_filters = out_quotient_q == 16'd1 || out_quotient_q == 16'd2 || out_quotient_q == 16'd4;
    wire one_channel = in_quotient_q == 16'd1 && channel_groups_q != 16'd1;
    reg  taps_fit_q;

    wire depthwise = joined_q == 3'd0 ? one_channel && few_filters && taps_fit_q : depthwise_q;
    wire may_join = {out_quotient_q, 1'b0} <= FILTERS && (17'd2 << joined_q) <= {1'b0, channel_groups_q}
                 && !(depthwise && {out_quotient_q, 1'b0} > CHANNELS_AT_ONCE);
    wire [16:0] span_count = ({1'b0, channel_groups_q} + (17'd1 << joined_q) - 17'd1) >> joined_q;
    reg [15:0] groups_of_span_q;

    // One product after the other.
    localparam [4:0] ROW_BYTES = 5'd0;
    localparam [4:0] FRAME_BYTES = 5'd1;
    localparam [4:0] TOP_SPAN = 5'd2;
    localparam [4:0] STRIDE_SPAN = 5'd3;
    localparam [4:0] DILATION_SPAN = 5'd4;
    localparam [4:0] WINDOW_SPAN = 5'd5;
    localparam [4:0] LAST_ROW = 5'd6;
    localparam [4:0] LAST_COL = 5'd7;
    localparam [4:0] STRIDE_BYTES = 5'd8;
    localparam [4:0] TAP_BYTES = 5'd9;
    localparam [4:0] FIRST_OFFSET = 5'd10;
    localparam [4:0] LAST_OFFSET = 5'd11;
    localparam [4:0] RUN_BYTES = 5'd12;
    localparam [4:0] FILTER_GROUPS = 5'd13;
    localparam [4:0] TAP_ROW_WORDS = 5'd14;
    localparam [4:0] GROUP_WORDS = 5'd15;
    localparam [4:0] BLOCK_BYTES = 5'd16;
    localparam [4:0] BLOCK_POS = 5'd17;
    localparam [4:0] BLOCK_OFFSET = 5'd18;
    localparam [4:0] OUT_ROW_BYTES = 5'd19;
    localparam [4:0] OUT_FRAME_BYTES = 5'd20;
    localparam [4:0] LAYER_WORDS = 5'd21;
    localparam [4:0] LAYER_CONSTANTS = 5'd22;
    localparam [4:0] SEEN_BYTES = 5'd23;
    localparam [4:0] LAST_PRODUCT = SEEN_BYTES;
    localparam PRODUCTS = 24;

    localparam [2:0] IDLE = 3'd0;
    localparam [2:0] DIVIDE = 3'd5;
    localparam [2:0] JOIN = 3'd6;
    localparam [2:0] SELECT = 3'd7;
    localparam [2:0] LOAD = 3'd1;
    localparam [2:0] MULTIPLY = 3'd2;
    localparam [2:0] STORE = 3'd3;
    localparam [2:0] OFFER = 3'd4;

    reg [ 2:0] state_q;
    reg [ 4:0] step_q;
    reg [25:0] a_q;
    reg [15:0] b_q;
    reg [41:0] product_q;
    reg [ 3:0] offered_q;
    reg [25:0] row_q;         // bytes of an image row, checked
    reg [25:0] out_row_q;     // bytes of a result row
    reg [25:0] pixel_q;       // bytes of a result pixel
    reg [ 5:0] reach_y_q;     // (KH - 1) * dilation
    reg [ 5:0] reach_x_q;

    wire [15:0] window_rows = {10'd0, reach_y_q} + 16'd1;
    reg  [15:0] window_rows_q;  // of a window and of the image
    reg  [15:0] rows_behind_q;  // OH less one
    reg  [15:0] cols_behind_q;  // OW less one

    // Once-through weights need not all be there at once; on a single column not even a group's.
    wire one_row = cfg_frames == 16'd1 && cfg_out_height == 16'd1 && cfg_block_cols == cfg_out_width;
    wire one_window = one_row && cfg_out_width == 16'd1;

    // The factors, selected in two stages.
    reg [25:0] a;
    reg [15:0] b;
    reg [25:0] late_a;
    reg [15:0] late_b;
    reg [25:0] early_a_q;
    reg [15:0] early_b_q;
    reg [25:0] late_a_q;
    reg [15:0] late_b_q;
    reg        late_q;

    always @(*) begin
        a = 26'd0;
        b = 16'd0;
        case (step_q)
            ROW_BYTES: {a, b} = {10'd0, cfg_width, channels_in_q};
            FRAME_BYTES: {a, b} = {row_q, cfg_height};
            TOP_SPAN: {a, b} = {row_q, top_q};
            STRIDE_SPAN: {a, b} = {row_q, 13'd0, cfg_stride_y};
            DILATION_SPAN: {a, b} = {row_q, 13'd0, cfg_dilation_y};
            WINDOW_SPAN: {a, b} = {row_q, window_rows_q};
            LAST_ROW: {a, b} = {10'd0, rows_behind_q, 13'd0, cfg_stride_y};
            LAST_COL: {a, b} = {10'd0, cols_behind_q, 13'd0, cfg_stride_x};
            STRIDE_BYTES: {a, b} = {10'd0, channels_in_q, 13'd0, cfg_stride_x};
            TAP_BYTES: {a, b} = {10'd0, channels_in_q, 13'd0, cfg_dilation_x};
            FIRST_OFFSET: {a, b} = {10'd0, channels_in_q, left_q};
            LAST_OFFSET: {a, b} = {cfg_stride_bytes, cfg_out_width};
            default: ;
        endcase
    end

    always @(*) begin
        late_a = 26'd0;
        late_b = 16'd0;
        case (step_q)
            RUN_BYTES: {late_a, late_b} = {10'd0, cfg_span, 12'd0, cfg_packed ? cfg_taps_x : 4'd1};
            FILTER_GROUPS: {late_a, late_b} = {10'd0, spans_q, groups_of_span_q};
            TAP_ROW_WORDS: {late_a, late_b} = {{26 - CHUNK_W{1'b0}}, cfg_run_words, 12'd0, cfg_packed || depthwise_q ? 4'd1 : cfg_taps_x};
            GROUP_WORDS: {late_a, late_b} = {{26 - WGT_W{1'b0}}, cfg_tap_row_words, 12'd0, cfg_taps_y};
            BLOCK_BYTES: {late_a, late_b} = {pixel_q, cfg_block_cols};
            BLOCK_POS: {late_a, late_b} = {10'd0, cfg_block_cols, 13'd0, cfg_stride_x};
            BLOCK_OFFSET: {late_a, late_b} = {cfg_stride_bytes, cfg_block_cols};
            OUT_ROW_BYTES: {late_a, late_b} = {pixel_q, cfg_out_width};
            OUT_FRAME_BYTES: {late_a, late_b} = {out_row_q, cfg_out_height};
            LAYER_WORDS: {late_a, late_b} = {{26 - WGT_W{1'b0}}, cfg_group_words, cfg_groups};
            LAYER_CONSTANTS: {late_a, late_b} = {CONST_PER_GROUP[25:0], cfg_groups};
            SEEN_BYTES: {late_a, late_b} = {{26 - ACT_W{1'b0}}, cfg_tap_bytes, 12'd0, cfg_seen};
            default: ;
        endcase
    end

    // Rows (columns) of the image below (right of) the last window: fewer than a stride, or OH (OW) is too small.
    wire signed [19:0] rows_unused = $signed({4'd0, cfg_height}) - 20'sd1 - $signed({2'd0, product_q[17:0]})
                                   + $signed({4'd0, top_q}) - $signed({14'd0, reach_y_q});
    wire signed [19:0] cols_unused = $signed({4'd0, cfg_width}) - 20'sd1 - $signed({2'd0, product_q[17:0]})
                                   + $signed({4'd0, left_q}) - $signed({14'd0, reach_x_q});

    // The buffers, as wide as a product.
    localparam [41:0] BYTES_OF_ACT = {10'd0, ACT_BYTES[31:0]};
    localparam [41:0] BYTES_OF_WORD = {10'd0, LANES_IN[31:0]};
    localparam [41:0] WORDS_OF_WGT = {10'd0, WGT_WORDS[31:0]};
    localparam [41:0] WORDS_OF_CONST = {10'd0, CONST_WORDS[31:0]};
    localparam [41:0] BYTES_OF_OUT = {10'd0, OUT_BYTES[31:0]};
    localparam [41:0] BYTES_OF_TWO_RESULTS = {9'd0, LANES_OUT[31:0], 1'b0};

    reg  halve_q;  // it does not, and is not one column yet
    wire block_fits = product_q <= BYTES_OF_OUT / 2;
    wire pixel_fits = {16'd0, pixel_q} <= BYTES_OF_OUT - BYTES_OF_TWO_RESULTS;

    // Each product is checked when it is stored; what is refused ends the set-up two cycles later.
    reg [PRODUCTS-1:0] wrong;
    reg [PRODUCTS-1:0] wrong_q;
    reg [4:0]          checked_q;
    reg                stored_q;
    reg                refused_q;
    reg [7:0]          refused_code_q;
    reg [7:0]          refused_detail_q;

    always @(*) begin
        wrong                  = {PRODUCTS{1'b0}};
        wrong[ROW_BYTES]       = product_q > BYTES_OF_ACT;
        wrong[FRAME_BYTES]     = product_q[41:32] != 10'd0;
        wrong[WINDOW_SPAN]     = product_q > BYTES_OF_ACT - BYTES_OF_WORD;
        wrong[LAST_ROW]        = rows_unused >= $signed({17'd0, cfg_stride_y});
        wrong[LAST_COL]        = cols_unused >= $signed({17'd0, cfg_stride_x});
        wrong[FIRST_OFFSET]    = product_q[41:WIN_W-2] != {44 - WIN_W{1'b0}};
        wrong[LAST_OFFSET]     = product_q[41:WIN_W-2] != {44 - WIN_W{1'b0}};
        wrong[FILTER_GROUPS]   = product_q[41:16] != 26'd0;
        wrong[GROUP_WORDS]     = product_q[41:WGT_W-2] != {44 - WGT_W{1'b0}};
        wrong[BLOCK_BYTES]     = cfg_block_cols == 16'd1 && !pixel_fits;
        wrong[OUT_ROW_BYTES]   = product_q[41:26] != 16'd0;
        wrong[OUT_FRAME_BYTES] = product_q[41:32] != 10'd0;
        wrong[LAYER_WORDS]     = one_row ? !one_window && {{42 - WGT_W{1'b0}}, cfg_group_words} > WORDS_OF_WGT : product_q > WORDS_OF_WGT;
        wrong[LAYER_CONSTANTS] = !one_row && product_q > WORDS_OF_CONST;
    end

    reg [7:0] refused_code;
    reg [7:0] refused_detail;

    always @(*) begin
        refused_code   = ERROR_FIELD;
        refused_detail = 8'd0;
        case (checked_q)
            ROW_BYTES, WINDOW_SPAN: refused_code = ERROR_ACT_BUFFER;
            FRAME_BYTES: refused_detail = IN_SIZE;
            FIRST_OFFSET: refused_detail = PADS;
            FILTER_GROUPS: refused_detail = CHANNELS;
            GROUP_WORDS, LAYER_WORDS: refused_code = ERROR_WGT_BUFFER;
            LAYER_CONSTANTS: refused_code = ERROR_CONST_BUFFER;
            BLOCK_BYTES: refused_code = ERROR_OUT_BUFFER;
            default: refused_detail = OUT_SIZE;
        endcase
    end

    wire kernel_ok = kernel_q[3:0] >= 4'd1 && kernel_q[3:0] <= 4'd11 && kernel_q[7:4] >= 4'd1 && kernel_q[7:4] <= 4'd11
                  && kernel_q[10:8] >= 3'd1 && kernel_q[10:8] <= 3'd4 && kernel_q[14:12] >= 3'd1 && kernel_q[14:12] <= 3'd4
                  && kernel_q[18:16] >= 3'd1 && kernel_q[18:16] <= 3'd4 && kernel_q[22:20] >= 3'd1 && kernel_q[22:20] <= 3'd4
                  && !kernel_q[11] && !kernel_q[15] && !kernel_q[19] && kernel_q[31:23] == 9'd0;
    wire range_ok = !cfg_requantise || $signed(cfg_smallest) <= $signed(cfg_largest);

    reg       nonsense;
    reg [7:0] nonsense_detail;

    always @(*) begin
        nonsense        = 1'b1;
        nonsense_detail = IN_SIZE;
        if (cfg_width == 16'd0 || cfg_height == 16'd0) nonsense_detail = IN_SIZE;
        else if (channels_in_q == 16'd0 || cfg_out_channels == 16'd0) nonsense_detail = CHANNELS;
        else if (cfg_out_width == 16'd0 || cfg_out_height == 16'd0) nonsense_detail = OUT_SIZE;
        else if (cfg_frames == 16'd0 || channel_groups_q == 16'd0) nonsense_detail = BATCH;
        else if (!kernel_ok) nonsense_detail = KERNEL;
        else if (!range_ok) nonsense_detail = QUANT;
        else if (!mode_ok_q) nonsense_detail = MODE;
        else nonsense = 1'b0;
    end

    // Of so many taps; too little for a multiplier.
    function [5:0] dilated(input [3:0] taps, input [2:0] dilation);
        dilated = ({2'd0, taps} & {6{dilation[0]}}) + ({1'b0, taps, 1'b0} & {6{dilation[1]}}) + ({taps, 2'b00} & {6{dilation[2]}});
    endfunction

    always @(posedge clk) begin
        // These are there before anyone asks.
        taps_fit_q       <= taps_fit;
        window_rows_q    <= window_rows < cfg_height ? window_rows : cfg_height;
        rows_behind_q    <= cfg_out_height - 16'd1;
        cols_behind_q    <= cfg_out_width - 16'd1;
        cfg_packed       <= cfg_dilation_x == 3'd1 && cfg_span == channels_in_q && !depthwise_q;
        groups_of_span_q <= ((cfg_span_filters - 16'd1) >> LANE_OUT_W) + 16'd1;
        cfg_run_words    <= {{CHUNK_W + LANE_IN_W - RUN_W{1'b0}}, cfg_run_bytes[RUN_W-1:LANE_IN_W]}
                          + {{CHUNK_W - 1{1'b0}}, cfg_run_bytes[LANE_IN_W-1:0] != {LANE_IN_W{1'b0}}};
        cfg_spread       <= depthwise_q ? spread_q : 2'd0;
        cfg_phases       <= depthwise_q ? phases : 2'd0;
        cfg_seen         <= depthwise_q && cfg_taps_x > {1'b0, fresh} ? cfg_taps_x - {1'b0, fresh} : 4'd0;
        cfg_seen_cols    <= dilated(cfg_seen, cfg_dilation_x);

        early_a_q <= a;
        early_b_q <= b;
        late_a_q  <= late_a;
        late_b_q  <= late_b;
        late_q    <= step_q > LAST_OFFSET;
        a_q       <= late_q ? late_a_q : early_a_q;
        b_q       <= late_q ? late_b_q : early_b_q;
        product_q <= a_q * b_q;
        wrong_q          <= wrong;
        checked_q        <= step_q;
        refused_code_q   <= fresh_q ? ERROR_FIELD : refused_code;
        refused_detail_q <= fresh_q ? nonsense_detail : refused_detail;

        if (state_q == DIVIDE) begin
            in_quotient_q  <= {in_quotient_q[14:0], in_fits};
            out_quotient_q <= {out_quotient_q[14:0], out_fits};
            in_rest_q      <= in_fits ? in_less[15:0] : in_rest[15:0];
            out_rest_q     <= out_fits ? out_less[15:0] : out_rest[15:0];
        end

        if (state_q == JOIN) begin
            may_join_q <= may_join;
            uneven_q   <= in_rest_q != 16'd0 || out_rest_q != 16'd0;
            if (decided_q && may_join_q) begin
                in_quotient_q  <= {in_quotient_q[14:0], 1'b0};
                out_quotient_q <= {out_quotient_q[14:0], 1'b0};
                joined_q       <= joined_q + 3'd1;
            end
            depthwise_q      <= depthwise;
            if (joined_q == 3'd0) spread_q <= out_quotient_q[2:1];
            cfg_span         <= in_quotient_q;
            cfg_span_filters <= out_quotient_q;
            spans_q          <= span_count[15:0];
        end

        if (state_q == IDLE && desc_valid) begin
            in_quotient_q      <= channels_in;
            out_quotient_q     <= channels_out;
            in_rest_q          <= 16'd0;
            out_rest_q         <= 16'd0;
            joined_q           <= 3'd0;
            cfg_width          <= width;
            cfg_height         <= height;
            channels_in_q      <= channels_in;
            cfg_out_channels   <= channels_out;
            cfg_out_width      <= out_width;
            cfg_out_height     <= out_height;
            cfg_frames         <= frames;
            cfg_taps_x         <= kernel[3:0];
            cfg_taps_y         <= kernel[7:4];
            cfg_stride_x       <= kernel[10:8];
            cfg_stride_y       <= kernel[14:12];
            cfg_dilation_x     <= kernel[18:16];
            cfg_dilation_y     <= kernel[22:20];
            left_q             <= left;
            top_q              <= top;
            cfg_in_zero_point  <= quant[7:0];
            cfg_out_zero_point <= quant[15:8];
            cfg_smallest       <= quant[23:16];
            cfg_largest        <= quant[31:24];
            cfg_requantise     <= mode[0];
            cfg_by_float       <= mode[1];
            channel_groups_q   <= groups;
            kernel_q           <= kernel;
            // float rounds only what is requantised, and only where there is that rule
            mode_ok_q          <= mode[31:2] == 30'd0 && mode[1:0] != 2'b10 && (FLOAT_RULE != 0 || !mode[1]);

            reach_x_q          <= dilated(kernel[3:0] - 4'd1, kernel[18:16]);
            reach_y_q          <= dilated(kernel[7:4] - 4'd1, kernel[22:20]);
            pixel_q            <= mode[0] ? {10'd0, channels_out} : {8'd0, channels_out, 2'd0};
            cfg_block_cols     <= out_width;
        end

        halve_q <= state_q == STORE && step_q == BLOCK_BYTES && !block_fits && cfg_block_cols != 16'd1;
        if (state_q == SELECT && halve_q) cfg_block_cols <= {1'b0, cfg_block_cols[15:1]} + {15'd0, cfg_block_cols[0]};

        if (state_q == STORE) begin
            case (step_q)
                ROW_BYTES: begin
                    row_q         <= product_q[25:0];
                    cfg_row_bytes <= product_q[WIN_W-1:0];
                end
                FRAME_BYTES: cfg_frame_bytes <= product_q[31:0];
                TOP_SPAN: cfg_top_span <= product_q[ACT_W-1:0];
                STRIDE_SPAN: cfg_stride_span <= product_q[ACT_W-1:0];
                DILATION_SPAN: cfg_dilation_span <= product_q[ACT_W-1:0];
                STRIDE_BYTES: cfg_stride_bytes <= product_q[WIN_W-1:0];
                TAP_BYTES: cfg_tap_bytes <= product_q[ACT_W-1:0];
                FIRST_OFFSET: cfg_first_offset <= -$signed(product_q[WIN_W-1:0]);
                FILTER_GROUPS: cfg_groups <= product_q[15:0];
                RUN_BYTES: cfg_run_bytes <= product_q[RUN_W-1:0];
                TAP_ROW_WORDS: cfg_tap_row_words <= product_q[WGT_W-1:0];
                GROUP_WORDS: cfg_group_words <= product_q[WGT_W-1:0];
                BLOCK_BYTES: begin
                    cfg_pixel_bytes <= pixel_q[OUT_W-1:0];
                    cfg_block_bytes <= product_q[OUT_W-1:0];
                end
                BLOCK_POS: cfg_block_pos <= product_q[POS_W-1:0];
                BLOCK_OFFSET: cfg_block_offset <= product_q[WIN_W-1:0];
                OUT_ROW_BYTES: begin
                    out_row_q         <= product_q[25:0];
                    cfg_out_row_bytes <= product_q[OUT_W-1:0];
                end
                OUT_FRAME_BYTES: cfg_out_frame_bytes <= product_q[31:0];
                SEEN_BYTES: cfg_seen_bytes <= product_q[WIN_W-1:0];
                default: ;
            endcase
        end
    end

    always @(posedge clk) begin
        error     <= 1'b0;
        stored_q  <= !rst && state_q == STORE;
        refused_q <= !rst && (fresh_q ? nonsense : stored_q && wrong_q[checked_q]);
        fresh_q   <= !rst && state_q == IDLE && desc_valid;
        if (rst) begin
            state_q   <= IDLE;
            offered_q <= 4'd0;
        end else if (refused_q) begin
            state_q      <= IDLE;
            error        <= 1'b1;
            error_code   <= refused_code_q;
            error_detail <= refused_detail_q;
        end else begin
            case (state_q)
                IDLE: begin
                    step_q        <= ROW_BYTES;
                    divide_left_q <= 5'd15;
                    decided_q     <= 1'b0;
                    if (desc_valid) state_q <= DIVIDE;
                end
                DIVIDE: begin
                    divide_left_q <= divide_left_q - 5'd1;
                    if (divide_left_q == 5'd0) state_q <= JOIN;
                end
                JOIN:
                if (!decided_q) decided_q <= 1'b1;
                else if (uneven_q) begin
                    state_q      <= IDLE;
                    error        <= 1'b1;
                    error_code   <= ERROR_FIELD;
                    error_detail <= BATCH;
                end else if (may_join_q) decided_q <= 1'b0;
                else state_q <= SELECT;
                SELECT:
                if (halve_q) step_q <= BLOCK_BYTES;
                else state_q <= LOAD;
                LOAD: state_q <= MULTIPLY;
                MULTIPLY: state_q <= STORE;
                STORE: begin
                    state_q <= SELECT;
                    step_q  <= step_q + 5'd1;
                    if (step_q == LAST_PRODUCT) begin
                        state_q   <= OFFER;
                        offered_q <= 4'b1111;
                    end
                end
                OFFER: begin
                    offered_q <= offered_q & ~cfg_ready;
                    if ((offered_q & ~cfg_ready) == 4'd0) state_q <= IDLE;
                end
                default: state_q <= IDLE;
            endcase
        end
    end

    assign desc_ready      = state_q == IDLE;
    assign cfg_valid       = offered_q;
    assign cfg_depthwise   = depthwise_q;
    assign cfg_in_channels = channels_in_q;
    assign cfg_first_row   = -$signed({{POS_W - 16{1'b0}}, top_q});
    assign cfg_first_col   = -$signed({{POS_W - 16{1'b0}}, left_q});
    // Depthwise, lane and filter go together, so the last span is cropped; otherwise it is moved back.
    assign cfg_last_channel = depthwise_q ? 16'hFFFF : channels_in_q - cfg_span;

    // A frame in whole words.
    wire [31:0] frame_words = (cfg_frame_bytes + LANES_IN - 1) >> LANE_IN_W;
    assign cfg_frame_span = {frame_words[ACT_W-LANE_IN_W-1:0], {LANE_IN_W{1'b0}}};

    wire unused = &{1'b0, span_count[16], in_less[16], out_less[16], in_rest[16], out_rest[16], frame_words[31:ACT_W-LANE_IN_W]};

endmodule

`default_nettype wire
