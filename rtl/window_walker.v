// window_walker: the windows of an item of row_walker, one column after the other.
//
// For each window it finds what of a kernel row lies inside the image. A kernel row is either one run of
// KW * Cin bytes (packed: horizontal dilation 1), cropped to the bytes inside, or KW runs of Cin bytes, of which only
// those inside are visited. Runs are cut into chunks of LANES bytes.
// Depthwise, the columns that the window before has seen are not read again: the runs are those that are new, and
// the datapath remembers the rest. Of these, columns outside the image take a step, since something must move up.
// Does not: visit anything else outside the image. A window with no tap inside is one step that multiplies nothing.
//
// Latency: 3 cycles from item to window. Throughput: one window a cycle, no gap between items.

`default_nettype none

module window_walker #(
    parameter LANES   = 16,
    parameter ACT_W   = 20,
    parameter WGT_W   = 24,
    parameter OUT_W   = 16,
    parameter WIN_W   = 26,  // byte offset of a window in its row, signed
    parameter POS_W   = 20,  // column of a window, signed
    parameter RUN_W   = 20,  // bytes of a run
    parameter CHUNK_W = 19   // chunks of a run
) (
    input  wire                    clk,
    input  wire                    rst,
    output wire                    busy,

    // The layer; constant while busy.
    input  wire                    cfg_packed,
    input  wire                    cfg_depthwise,
    input  wire [            15:0] cfg_width,
    input  wire [             3:0] cfg_taps_x,
    input  wire [             2:0] cfg_stride_x,
    input  wire [             2:0] cfg_dilation_x,
    input  wire [       RUN_W-1:0] cfg_run_bytes,
    input  wire [     CHUNK_W-1:0] cfg_run_words,     // weight words of a run
    input  wire [       WIN_W-1:0] cfg_row_bytes,     // bytes of an image row
    input  wire [       ACT_W-1:0] cfg_tap_bytes,     // dilation_x * Cin
    input  wire [       WIN_W-1:0] cfg_stride_bytes,  // stride_x * Cin
    input  wire [       OUT_W-1:0] cfg_pixel_bytes,   // bytes of a result pixel

    input  wire                    item_valid,
    output wire                    item_ready,
    input  wire [             3:0] item_taps_y,
    input  wire [            15:0] item_cols,
    input  wire signed [POS_W-1:0] item_col,
    input  wire signed [WIN_W-1:0] item_offset,
    input  wire [       ACT_W-1:0] item_act,
    input  wire [       WGT_W-1:0] item_wgt,
    input  wire [       OUT_W-1:0] item_out,
    input  wire [       ACT_W-1:0] item_act_release,
    input  wire [       WGT_W-1:0] item_wgt_release,
    input  wire                    item_row_end,
    input  wire                    item_final,
    input  wire [             4:0] item_last_filter,
    input  wire                    item_new_group,
    input  wire                    item_last_group,
    input  wire                    item_layer_end,

    output wire                    window_valid,
    input  wire                    window_ready,
    output wire                    window_empty,        // no tap inside
    output wire [             3:0] window_rows,         // kernel rows, less one
    output wire [             3:0] window_runs,         // runs of a kernel row, less one
    output wire [             3:0] window_first_run,    // depthwise: the runs inside the image
    output wire [             3:0] window_inside_runs,
    output wire                    window_clear,        // depthwise: nothing is remembered
    output wire [     CHUNK_W-1:0] window_chunks,       // chunks of a run, less one
    output wire [$clog2(LANES)-1:0] window_first_lane,  // first lane inside, in the first chunk
    output wire [$clog2(LANES)-1:0] window_last_lane,   // last lane inside, in the last chunk
    output wire [       ACT_W-1:0] window_act,          // byte under lane 0 of the first chunk
    output wire [       WGT_W-1:0] window_wgt,          // weight word of the first chunk
    output wire [       OUT_W-1:0] window_out,          // result address
    output wire [       ACT_W-1:0] window_act_release,
    output wire [       WGT_W-1:0] window_wgt_release,
    output wire                    window_row_end,      // window_act_release holds
    output wire                    window_final,        // the last row that uses these weights
    output wire                    window_last_use,     // the last window that uses these weights
    output wire [             4:0] window_last_filter,  // the block's, less one
    output wire                    window_new_group,
    output wire                    window_last_group,
    output wire                    window_layer_end
);

    localparam LANE_W = $clog2(LANES);

    // Stage 0: the item at hand and its current column.
    reg                    valid_q;
    reg [            15:0] cols_left_q;  // less one
    reg signed [POS_W-1:0] col_q;
    reg signed [WIN_W-1:0] offset_q;
    reg [       OUT_W-1:0] out_q;
    reg                    first_q;
    reg [             3:0] taps_y_q;
    reg [       ACT_W-1:0] act_q;
    reg [       WGT_W-1:0] wgt_q;
    reg [       ACT_W-1:0] act_release_q;
    reg [       WGT_W-1:0] wgt_release_q;
    reg                    row_end_q;
    reg                    final_q;
    reg [             4:0] last_filter_q;
    reg                    new_group_q;
    reg                    last_group_q;
    reg                    layer_end_q;

    wire stage1_ready;
    wire last_col = cols_left_q == 16'd0;

    assign item_ready = !valid_q || (stage1_ready && last_col);

    always @(posedge clk) begin
        if (item_ready) begin
            cols_left_q   <= item_cols - 16'd1;
            col_q         <= item_col;
            offset_q      <= item_offset;
            out_q         <= item_out;
            first_q       <= 1'b1;
            taps_y_q      <= item_taps_y;
            act_q         <= item_act;
            wgt_q         <= item_wgt;
            act_release_q <= item_act_release;
            wgt_release_q <= item_wgt_release;
            row_end_q     <= item_row_end;
            final_q       <= item_final;
            last_filter_q <= item_last_filter;
            new_group_q   <= item_new_group;
            last_group_q  <= item_last_group;
            layer_end_q   <= item_layer_end;
        end else if (stage1_ready) begin
            cols_left_q <= cols_left_q - 16'd1;
            col_q       <= col_q + $signed({{POS_W - 3{1'b0}}, cfg_stride_x});
            offset_q    <= offset_q + $signed(cfg_stride_bytes);
            out_q       <= out_q + cfg_pixel_bytes;
            first_q     <= 1'b0;
        end
    end

    // Stage 1: what of a kernel row lies inside. Packed: the bytes from_q1 to upto_q1 of its one run; otherwise the runs
    // from first_run_q1 on, whole.
    localparam PASS_W = OUT_W + ACT_W + WGT_W + 11;

    wire signed [WIN_W-1:0] bytes_left = $signed(cfg_row_bytes) - offset_q;
    wire signed [WIN_W-1:0] run_bytes = $signed({{WIN_W - RUN_W{1'b0}}, cfg_run_bytes});
    wire signed [WIN_W-1:0] outside_left = offset_q[WIN_W-1] ? -offset_q : {WIN_W{1'b0}};
    wire signed [WIN_W-1:0] inside_right = bytes_left < run_bytes ? bytes_left : run_bytes;

    wire [3:0] first_run;
    wire [3:0] runs;

    // Depthwise: the new columns are the window's last ones.
    wire [3:0] fresh = first_q || {1'b0, cfg_stride_x} > cfg_taps_x ? cfg_taps_x : {1'b0, cfg_stride_x};
    wire [3:0] seen = cfg_taps_x - fresh;
    wire signed [POS_W-1:0] run_col = cfg_depthwise ? col_q + $signed({{POS_W - 4{1'b0}}, seen}) : col_q;

    tap_range #(
        .START_W(POS_W)
    ) u_tap_range (
        .start   (run_col),
        .size    (cfg_width),
        .taps    (cfg_depthwise ? fresh : cfg_taps_x),
        .dilation(cfg_dilation_x),
        .first   (first_run),
        .count   (runs)
    );

    reg              valid_q1;
    reg              empty_q1;
    reg [       3:0] rows_q1;
    reg [       3:0] runs_q1;
    reg [       3:0] first_run_q1;
    reg [       3:0] skipped_q1;     // taps before the first that is read
    reg [       3:0] first_in_q1;    // runs inside
    reg [       3:0] count_in_q1;
    reg              clear_q1;
    reg [ RUN_W-1:0] from_q1;
    reg [ RUN_W-1:0] upto_q1;  // the last byte, not the one behind it
    reg [ ACT_W-1:0] act_q1;
    reg [ WGT_W-1:0] wgt_q1;
    reg [PASS_W-1:0] pass_q1;

    wire stage2_ready;
    // Depthwise, a row's first window begins with the first column inside: what is to its left is nothing anyway.
    wire [3:0] left_out = first_q && runs != 4'd0 ? first_run : 4'd0;
    wire in_image = taps_y_q != 4'd0 && (cfg_depthwise ? 1'b1 : cfg_packed ? outside_left < inside_right : runs != 4'd0);
    wire [RUN_W-1:0] upto = cfg_packed ? inside_right[RUN_W-1:0] : cfg_run_bytes;

    assign stage1_ready = !valid_q1 || stage2_ready;

    always @(posedge clk) begin
        if (stage1_ready) begin
            empty_q1     <= !in_image;
            rows_q1      <= in_image ? taps_y_q - 4'd1 : 4'd0;
            runs_q1      <= !in_image || cfg_packed ? 4'd0 : cfg_depthwise ? fresh - left_out - 4'd1 : runs - 4'd1;
            first_in_q1  <= first_run - left_out;
            count_in_q1  <= runs;
            clear_q1     <= first_q;
            first_run_q1 <= in_image && !cfg_packed && !cfg_depthwise ? first_run : 4'd0;
            skipped_q1   <= cfg_packed ? 4'd0 : cfg_depthwise ? seen + left_out : first_run;
            from_q1      <= in_image && cfg_packed ? outside_left[RUN_W-1:0] : {RUN_W{1'b0}};
            upto_q1      <= !in_image ? {RUN_W{1'b0}} : cfg_depthwise ? {{RUN_W - 5{1'b0}}, last_filter_q} : upto - 1'b1;
            act_q1       <= act_q + offset_q[ACT_W-1:0];
            wgt_q1       <= wgt_q;
            pass_q1      <= {
                out_q, act_release_q, wgt_release_q,
                row_end_q && last_col,
                final_q,
                final_q && last_col,
                last_filter_q,
                new_group_q && first_q,
                last_group_q,
                layer_end_q && last_col
            };
        end
    end

    // Stage 2: addresses of the first chunk, in a skid buffer so that a waiting step does not hold this chain at once.
    localparam WINDOW_W = 1 + 4 + 4 + 4 + 4 + 1 + CHUNK_W + 2 * LANE_W + ACT_W + WGT_W + PASS_W;

    wire [CHUNK_W-1:0] first_chunk = {{CHUNK_W + LANE_W - RUN_W{1'b0}}, from_q1[RUN_W-1:LANE_W]};
    wire [CHUNK_W-1:0] last_chunk = {{CHUNK_W + LANE_W - RUN_W{1'b0}}, upto_q1[RUN_W-1:LANE_W]};
    wire [ACT_W+RUN_W-1:0] skipped = {{ACT_W{1'b0}}, from_q1[RUN_W-1:LANE_W], {LANE_W{1'b0}}};

    skid_buffer #(
        .WIDTH(WINDOW_W)
    ) u_skid_buffer (
        .clk    (clk),
        .rst    (rst),
        .s_data ({
            empty_q1,
            rows_q1,
            runs_q1,
            first_in_q1,
            count_in_q1,
            clear_q1,
            last_chunk - first_chunk,
            from_q1[LANE_W-1:0],
            upto_q1[LANE_W-1:0],
            act_q1 + skipped_q1 * cfg_tap_bytes + skipped[ACT_W-1:0],
            wgt_q1 + first_run_q1 * {{WGT_W - CHUNK_W{1'b0}}, cfg_run_words} + {{WGT_W - CHUNK_W{1'b0}}, first_chunk},
            pass_q1
        }),
        .s_valid(valid_q1),
        .s_ready(stage2_ready),
        .m_data ({
            window_empty,
            window_rows,
            window_runs,
            window_first_run,
            window_inside_runs,
            window_clear,
            window_chunks,
            window_first_lane,
            window_last_lane,
            window_act,
            window_wgt,
            window_out,
            window_act_release,
            window_wgt_release,
            window_row_end,
            window_final,
            window_last_use,
            window_last_filter,
            window_new_group,
            window_last_group,
            window_layer_end
        }),
        .m_valid(window_valid),
        .m_ready(window_ready)
    );

    always @(posedge clk) begin
        if (rst) begin
            valid_q  <= 1'b0;
            valid_q1 <= 1'b0;
        end else begin
            if (item_ready) valid_q <= item_valid;
            if (stage1_ready) valid_q1 <= valid_q;
        end
    end

    assign busy = valid_q || valid_q1 || window_valid;

    wire unused = &{1'b0, skipped[ACT_W+RUN_W-1:ACT_W]};

endmodule

`default_nettype wire
