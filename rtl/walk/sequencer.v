// sequencer: says, cycle by cycle, which activations and weights the array multiplies.
//
// Three nested walkers, each a pipeline that works ahead of the next: rows (row_walker), windows (window_walker),
// steps (step_walker); then step_gate, where a step waits for what it needs. The layer's numbers are copied when it
// begins, so that the next can be set up meanwhile.
// Does not: touch data.
//
// Latency: 16 cycles from a layer taken to its first step; the next is taken behind its last.
// Throughput: one step a cycle.

`default_nettype none

module sequencer #(
    parameter LANES_IN  = 16,
    parameter LANES_OUT = 16,
    parameter CREDITS   = 8,
    parameter ACT_W     = 20,
    parameter WGT_W     = 24,
    parameter OUT_W     = 16,
    parameter WIN_W     = 26,
    parameter POS_W     = 20,
    parameter RUN_W     = 20,
    parameter CHUNK_W   = 19
) (
    input  wire                    clk,
    input  wire                    rst,

    // A layer, taken when both are high.
    input  wire                    cfg_valid,
    output wire                    cfg_ready,
    input  wire [15:0]                   cfg_frames,
    input  wire [15:0]                   cfg_height,
    input  wire [15:0]                   cfg_out_height,
    input  wire [15:0]                   cfg_out_width,
    input  wire [15:0]                   cfg_groups,
    input  wire [15:0]                   cfg_out_channels,
    input  wire [15:0]                   cfg_span_filters,
    input  wire [15:0]                   cfg_span,
    input  wire [15:0]                   cfg_last_channel,
    input  wire                          cfg_requantise,
    input  wire [15:0]                   cfg_block_cols,
    input  wire [3:0]                    cfg_taps_y,
    input  wire [2:0]                    cfg_stride_y,
    input  wire [2:0]                    cfg_dilation_y,
    input  wire signed [POS_W-1:0]       cfg_first_row,
    input  wire signed [POS_W-1:0]       cfg_first_col,
    input  wire [POS_W-1:0]              cfg_block_pos,
    input  wire signed [WIN_W-1:0]       cfg_first_offset,
    input  wire [WIN_W-1:0]              cfg_block_offset,
    input  wire [ACT_W-1:0]              cfg_frame_span,
    input  wire [ACT_W-1:0]              cfg_top_span,
    input  wire [ACT_W-1:0]              cfg_stride_span,
    input  wire [ACT_W-1:0]              cfg_dilation_span,
    input  wire [WGT_W-1:0]              cfg_tap_row_words,
    input  wire [WGT_W-1:0]              cfg_group_words,
    input  wire [OUT_W-1:0]              cfg_block_bytes,
    input  wire [OUT_W-1:0]              cfg_out_row_bytes,
    input  wire                          cfg_packed,
    input  wire                          cfg_depthwise,
    input  wire [1:0]                    cfg_spread,
    input  wire [1:0]                    cfg_phases,
    input  wire [15:0]                   cfg_width,
    input  wire [3:0]                    cfg_taps_x,
    input  wire [2:0]                    cfg_stride_x,
    input  wire [2:0]                    cfg_dilation_x,
    input  wire [RUN_W-1:0]              cfg_run_bytes,
    input  wire [CHUNK_W-1:0]            cfg_run_words,
    input  wire [WIN_W-1:0]              cfg_row_bytes,
    input  wire [ACT_W-1:0]              cfg_tap_bytes,
    input  wire [15:0]                   cfg_in_channels,
    input  wire [3:0]                    cfg_seen,
    input  wire [5:0]                    cfg_seen_cols,
    input  wire [WIN_W-1:0]              cfg_seen_bytes,
    input  wire [WIN_W-1:0]              cfg_stride_bytes,
    input  wire [OUT_W-1:0]              cfg_pixel_bytes,
    input  wire [7:0]                    cfg_in_zero_point,

    input  wire [ACT_W-$clog2(LANES_IN)-1:0] act_written,
    input  wire [WGT_W-1:0]              wgt_written,
    output wire [ACT_W-$clog2(LANES_IN)-1:0] act_released,
    output wire [WGT_W-1:0]              wgt_released,
    input  wire                          credit_return,
    output wire                          step_valid,
    output wire                          step_last,
    output wire                          step_any,
    output wire                          step_multiply,
    output wire                          step_depthwise,
    output wire [1:0]                    step_spread,
    output wire [3:0]                    step_row,
    output wire                          step_clear,
    output wire [$clog2(LANES_IN)-1:0]   step_first_lane,
    output wire [$clog2(LANES_IN)-1:0]   step_last_lane,
    output wire [ACT_W-1:0]              step_act,
    output wire [WGT_W-1:0]              step_wgt,
    output wire [OUT_W-1:0]              step_out,
    output wire                          step_final,
    output wire [4:0]                    step_last_filter,
    output wire                          step_new_group,
    output wire                          step_last_group,
    output wire                          step_layer_end,
    output wire [7:0]                    step_zero_point,
    output wire                          stall_act,
    output wire                          stall_wgt,
    output wire                          stall_out
);

    reg start_q;

    wire rows_busy;
    wire windows_busy;
    wire steps_busy;
    wire gate_busy;
    wire take = cfg_valid && cfg_ready;

    assign cfg_ready = !start_q && !rows_busy && !windows_busy && !steps_busy && !gate_busy;

    always @(posedge clk) begin
        if (rst) start_q <= 1'b0;
        else start_q <= take;
    end

    // The layer at hand.
    reg [15:0]             frames_q;
    reg [15:0]             height_q;
    reg [15:0]             out_height_q;
    reg [15:0]             out_width_q;
    reg [15:0]             groups_q;
    reg [15:0]             out_channels_q;
    reg [15:0]             span_filters_q;
    reg [15:0]             span_q;
    reg [15:0]             last_channel_q;
    reg                    one_group_q;
    reg                    one_span_q;
    reg                    one_block_q;
    reg                    requantise_q;
    reg [15:0]             block_cols_q;
    reg [3:0]              taps_y_q;
    reg [2:0]              stride_y_q;
    reg [2:0]              dilation_y_q;
    reg signed [POS_W-1:0] first_row_q;
    reg signed [POS_W-1:0] first_col_q;
    reg [POS_W-1:0]        block_pos_q;
    reg signed [WIN_W-1:0] first_offset_q;
    reg [WIN_W-1:0]        block_offset_q;
    reg [ACT_W-1:0]        frame_span_q;
    reg [ACT_W-1:0]        top_span_q;
    reg [ACT_W-1:0]        stride_span_q;
    reg [ACT_W-1:0]        dilation_span_q;
    reg [WGT_W-1:0]        tap_row_words_q;
    reg [WGT_W-1:0]        group_words_q;
    reg [OUT_W-1:0]        block_bytes_q;
    reg [OUT_W-1:0]        out_row_bytes_q;
    reg                    packed_q;
    reg                    depthwise_q;
    reg [1:0]              spread_q;
    reg [1:0]              phases_q;
    reg [15:0]             width_q;
    reg [3:0]              taps_x_q;
    reg [2:0]              stride_x_q;
    reg [2:0]              dilation_x_q;
    reg [RUN_W-1:0]        run_bytes_q;
    reg [CHUNK_W-1:0]      run_words_q;
    reg [WIN_W-1:0]        row_bytes_q;
    reg [ACT_W-1:0]        tap_bytes_q;
    reg [15:0]             in_channels_q;
    reg [3:0]              seen_q;
    reg [5:0]              seen_cols_q;
    reg [WIN_W-1:0]        seen_bytes_q;
    reg [WIN_W-1:0]        stride_bytes_q;
    reg [OUT_W-1:0]        pixel_bytes_q;
    reg [7:0]              in_zero_point_q;

    always @(posedge clk) begin
        if (take) begin
            frames_q <= cfg_frames;
            height_q <= cfg_height;
            out_height_q <= cfg_out_height;
            out_width_q <= cfg_out_width;
            groups_q <= cfg_groups;
            out_channels_q <= cfg_out_channels;
            span_filters_q <= cfg_span_filters;
            span_q <= cfg_span;
            last_channel_q <= cfg_last_channel;
            one_group_q <= cfg_span_filters <= LANES_OUT[15:0];
            one_span_q <= cfg_out_channels <= cfg_span_filters;
            one_block_q <= cfg_out_width <= cfg_block_cols;
            requantise_q <= cfg_requantise;
            block_cols_q <= cfg_block_cols;
            taps_y_q <= cfg_taps_y;
            stride_y_q <= cfg_stride_y;
            dilation_y_q <= cfg_dilation_y;
            first_row_q <= cfg_first_row;
            first_col_q <= cfg_first_col;
            block_pos_q <= cfg_block_pos;
            first_offset_q <= cfg_first_offset;
            block_offset_q <= cfg_block_offset;
            frame_span_q <= cfg_frame_span;
            top_span_q <= cfg_top_span;
            stride_span_q <= cfg_stride_span;
            dilation_span_q <= cfg_dilation_span;
            tap_row_words_q <= cfg_tap_row_words;
            group_words_q <= cfg_group_words;
            block_bytes_q <= cfg_block_bytes;
            out_row_bytes_q <= cfg_out_row_bytes;
            packed_q <= cfg_packed;
            depthwise_q <= cfg_depthwise;
            spread_q <= cfg_spread;
            phases_q <= cfg_phases;
            width_q <= cfg_width;
            taps_x_q <= cfg_taps_x;
            stride_x_q <= cfg_stride_x;
            dilation_x_q <= cfg_dilation_x;
            run_bytes_q <= cfg_run_bytes;
            run_words_q <= cfg_run_words;
            row_bytes_q <= cfg_row_bytes;
            tap_bytes_q <= cfg_tap_bytes;
            in_channels_q <= cfg_in_channels;
            seen_q <= cfg_seen;
            seen_cols_q <= cfg_seen_cols;
            seen_bytes_q <= cfg_seen_bytes;
            stride_bytes_q <= cfg_stride_bytes;
            pixel_bytes_q <= cfg_pixel_bytes;
            in_zero_point_q <= cfg_in_zero_point;
        end
    end

    wire                          item_valid;
    wire                          item_ready;
    wire [3:0]                    item_taps_y;
    wire [15:0]                   item_cols;
    wire signed [POS_W-1:0]       item_col;
    wire signed [WIN_W-1:0]       item_offset;
    wire [ACT_W-1:0]              item_act;
    wire [WGT_W-1:0]              item_wgt;
    wire [OUT_W-1:0]              item_out;
    wire [ACT_W-1:0]              item_act_release;
    wire [WGT_W-1:0]              item_wgt_release;
    wire                          item_row_end;
    wire                          item_final;
    wire [4:0]                    item_last_filter;
    wire                          item_new_group;
    wire                          item_last_group;
    wire                          item_layer_end;
    wire                          window_valid;
    wire                          window_ready;
    wire                          window_empty;
    wire [3:0]                    window_rows;
    wire [3:0]                    window_runs;
    wire [3:0]                    window_first_run;
    wire [3:0]                    window_inside_runs;
    wire                          window_clear;
    wire [3:0]                    window_memory;
    wire [CHUNK_W-1:0]            window_chunks;
    wire [$clog2(LANES_IN)-1:0]   window_first_lane;
    wire [$clog2(LANES_IN)-1:0]   window_last_lane;
    wire [ACT_W-1:0]              window_act;
    wire [WGT_W-1:0]              window_wgt;
    wire [OUT_W-1:0]              window_out;
    wire [ACT_W-1:0]              window_act_release;
    wire [WGT_W-1:0]              window_wgt_release;
    wire                          window_row_end;
    wire                          window_final;
    wire                          window_last_use;
    wire [4:0]                    window_last_filter;
    wire                          window_new_group;
    wire                          window_last_group;
    wire                          window_layer_end;

    wire                          walk_valid;
    wire                          walk_ready;
    wire                          walk_last;
    wire                          walk_any;
    wire                          walk_multiply;
    wire [3:0]                    walk_row;
    wire                          walk_clear;
    wire [$clog2(LANES_IN)-1:0]   walk_first_lane;
    wire [$clog2(LANES_IN)-1:0]   walk_last_lane;
    wire [ACT_W-1:0]              walk_act;
    wire [ACT_W-$clog2(LANES_IN)-1:0] walk_last_word;
    wire [WGT_W-1:0]              walk_wgt;
    wire [OUT_W-1:0]              walk_out;
    wire [ACT_W-1:0]              walk_act_release;
    wire [WGT_W-1:0]              walk_wgt_release;
    wire                          walk_row_end;
    wire                          walk_final;
    wire                          walk_last_use;
    wire [4:0]                    walk_last_filter;
    wire                          walk_new_group;
    wire                          walk_last_group;
    wire                          walk_layer_end;

    row_walker #(
        .LANES_OUT(LANES_OUT),
        .ACT_W(ACT_W),
        .WGT_W(WGT_W),
        .OUT_W(OUT_W),
        .WIN_W(WIN_W),
        .POS_W(POS_W)
    ) u_row_walker (
        .clk(clk),
        .rst(rst),
        .start(start_q),
        .busy(rows_busy),
        .cfg_frames(frames_q),
        .cfg_height(height_q),
        .cfg_out_height(out_height_q),
        .cfg_out_width(out_width_q),
        .cfg_groups(groups_q),
        .cfg_out_channels(out_channels_q),
        .cfg_span_filters(span_filters_q),
        .cfg_span(span_q),
        .cfg_last_channel(last_channel_q),
        .cfg_one_group(one_group_q),
        .cfg_one_span(one_span_q),
        .cfg_one_block(one_block_q),
        .cfg_requantise(requantise_q),
        .cfg_block_cols(block_cols_q),
        .cfg_taps_y(taps_y_q),
        .cfg_stride_y(stride_y_q),
        .cfg_dilation_y(dilation_y_q),
        .cfg_first_row(first_row_q),
        .cfg_first_col(first_col_q),
        .cfg_block_pos(block_pos_q),
        .cfg_first_offset(first_offset_q),
        .cfg_block_offset(block_offset_q),
        .cfg_frame_span(frame_span_q),
        .cfg_top_span(top_span_q),
        .cfg_stride_span(stride_span_q),
        .cfg_row_bytes(row_bytes_q),
        .cfg_tap_row_words(tap_row_words_q),
        .cfg_group_words(group_words_q),
        .cfg_block_bytes(block_bytes_q),
        .cfg_out_row_bytes(out_row_bytes_q),
        .item_valid(item_valid),
        .item_ready(item_ready),
        .item_taps_y(item_taps_y),
        .item_cols(item_cols),
        .item_col(item_col),
        .item_offset(item_offset),
        .item_act(item_act),
        .item_wgt(item_wgt),
        .item_out(item_out),
        .item_act_release(item_act_release),
        .item_wgt_release(item_wgt_release),
        .item_row_end(item_row_end),
        .item_final(item_final),
        .item_last_filter(item_last_filter),
        .item_new_group(item_new_group),
        .item_last_group(item_last_group),
        .item_layer_end(item_layer_end)
    );

    window_walker #(
        .LANES(LANES_IN),
        .ACT_W(ACT_W),
        .WGT_W(WGT_W),
        .OUT_W(OUT_W),
        .WIN_W(WIN_W),
        .POS_W(POS_W),
        .RUN_W(RUN_W),
        .CHUNK_W(CHUNK_W)
    ) u_window_walker (
        .clk(clk),
        .rst(rst),
        .busy(windows_busy),
        .cfg_packed(packed_q),
        .cfg_depthwise(depthwise_q),
        .cfg_spread(spread_q),
        .cfg_phases(phases_q),
        .cfg_width(width_q),
        .cfg_taps_x(taps_x_q),
        .cfg_stride_x(stride_x_q),
        .cfg_dilation_x(dilation_x_q),
        .cfg_run_bytes(run_bytes_q),
        .cfg_run_words(run_words_q),
        .cfg_row_bytes(row_bytes_q),
        .cfg_in_channels(in_channels_q),
        .cfg_stride_bytes(stride_bytes_q),
        .cfg_seen(seen_q),
        .cfg_seen_cols(seen_cols_q),
        .cfg_seen_bytes(seen_bytes_q),
        .cfg_pixel_bytes(pixel_bytes_q),
        .item_valid(item_valid),
        .item_ready(item_ready),
        .item_taps_y(item_taps_y),
        .item_cols(item_cols),
        .item_col(item_col),
        .item_offset(item_offset),
        .item_act(item_act),
        .item_wgt(item_wgt),
        .item_out(item_out),
        .item_act_release(item_act_release),
        .item_wgt_release(item_wgt_release),
        .item_row_end(item_row_end),
        .item_final(item_final),
        .item_last_filter(item_last_filter),
        .item_new_group(item_new_group),
        .item_last_group(item_last_group),
        .item_layer_end(item_layer_end),
        .window_valid(window_valid),
        .window_ready(window_ready),
        .window_empty(window_empty),
        .window_rows(window_rows),
        .window_runs(window_runs),
        .window_first_run(window_first_run),
        .window_inside_runs(window_inside_runs),
        .window_clear(window_clear),
        .window_memory(window_memory),
        .window_chunks(window_chunks),
        .window_first_lane(window_first_lane),
        .window_last_lane(window_last_lane),
        .window_act(window_act),
        .window_wgt(window_wgt),
        .window_out(window_out),
        .window_act_release(window_act_release),
        .window_wgt_release(window_wgt_release),
        .window_row_end(window_row_end),
        .window_final(window_final),
        .window_last_use(window_last_use),
        .window_last_filter(window_last_filter),
        .window_new_group(window_new_group),
        .window_last_group(window_last_group),
        .window_layer_end(window_layer_end)
    );

    step_walker #(
        .LANES(LANES_IN),
        .ACT_W(ACT_W),
        .WGT_W(WGT_W),
        .OUT_W(OUT_W),
        .CHUNK_W(CHUNK_W)
    ) u_step_walker (
        .clk(clk),
        .rst(rst),
        .busy(steps_busy),
        .cfg_depthwise(depthwise_q),
        .cfg_tap_bytes(tap_bytes_q),
        .cfg_dilation_span(dilation_span_q),
        .cfg_run_words(run_words_q),
        .cfg_tap_row_words(tap_row_words_q),
        .window_valid(window_valid),
        .window_ready(window_ready),
        .window_empty(window_empty),
        .window_rows(window_rows),
        .window_runs(window_runs),
        .window_first_run(window_first_run),
        .window_inside_runs(window_inside_runs),
        .window_clear(window_clear),
        .window_memory(window_memory),
        .window_chunks(window_chunks),
        .window_first_lane(window_first_lane),
        .window_last_lane(window_last_lane),
        .window_act(window_act),
        .window_wgt(window_wgt),
        .window_out(window_out),
        .window_act_release(window_act_release),
        .window_wgt_release(window_wgt_release),
        .window_row_end(window_row_end),
        .window_final(window_final),
        .window_last_use(window_last_use),
        .window_last_filter(window_last_filter),
        .window_new_group(window_new_group),
        .window_last_group(window_last_group),
        .window_layer_end(window_layer_end),
        .walk_valid(walk_valid),
        .walk_ready(walk_ready),
        .walk_last(walk_last),
        .walk_any(walk_any),
        .walk_multiply(walk_multiply),
        .walk_row(walk_row),
        .walk_clear(walk_clear),
        .walk_first_lane(walk_first_lane),
        .walk_last_lane(walk_last_lane),
        .walk_act(walk_act),
        .walk_last_word(walk_last_word),
        .walk_wgt(walk_wgt),
        .walk_out(walk_out),
        .walk_act_release(walk_act_release),
        .walk_wgt_release(walk_wgt_release),
        .walk_row_end(walk_row_end),
        .walk_final(walk_final),
        .walk_last_use(walk_last_use),
        .walk_last_filter(walk_last_filter),
        .walk_new_group(walk_new_group),
        .walk_last_group(walk_last_group),
        .walk_layer_end(walk_layer_end)
    );

    step_gate #(
        .LANES(LANES_IN),
        .ACT_W(ACT_W),
        .WGT_W(WGT_W),
        .OUT_W(OUT_W),
        .CREDITS(CREDITS)
    ) u_step_gate (
        .clk(clk),
        .rst(rst),
        .busy(gate_busy),
        .cfg_depthwise(depthwise_q),
        .cfg_spread(spread_q),
        .cfg_in_zero_point(in_zero_point_q),
        .walk_valid(walk_valid),
        .walk_ready(walk_ready),
        .walk_last(walk_last),
        .walk_any(walk_any),
        .walk_multiply(walk_multiply),
        .walk_row(walk_row),
        .walk_clear(walk_clear),
        .walk_first_lane(walk_first_lane),
        .walk_last_lane(walk_last_lane),
        .walk_act(walk_act),
        .walk_last_word(walk_last_word),
        .walk_wgt(walk_wgt),
        .walk_out(walk_out),
        .walk_act_release(walk_act_release),
        .walk_wgt_release(walk_wgt_release),
        .walk_row_end(walk_row_end),
        .walk_final(walk_final),
        .walk_last_use(walk_last_use),
        .walk_last_filter(walk_last_filter),
        .walk_new_group(walk_new_group),
        .walk_last_group(walk_last_group),
        .walk_layer_end(walk_layer_end),
        .act_written(act_written),
        .wgt_written(wgt_written),
        .act_released(act_released),
        .wgt_released(wgt_released),
        .credit_return(credit_return),
        .step_valid(step_valid),
        .step_last(step_last),
        .step_any(step_any),
        .step_multiply(step_multiply),
        .step_depthwise(step_depthwise),
        .step_spread(step_spread),
        .step_row(step_row),
        .step_clear(step_clear),
        .step_first_lane(step_first_lane),
        .step_last_lane(step_last_lane),
        .step_act(step_act),
        .step_wgt(step_wgt),
        .step_out(step_out),
        .step_final(step_final),
        .step_last_filter(step_last_filter),
        .step_new_group(step_new_group),
        .step_last_group(step_last_group),
        .step_layer_end(step_layer_end),
        .step_zero_point(step_zero_point),
        .stall_act(stall_act),
        .stall_wgt(stall_wgt),
        .stall_out(stall_out)
    );

endmodule

`default_nettype wire
