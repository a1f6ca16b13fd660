// window_walker: the windows of an item of row_walker, one column after the other.
//
// For each window it finds what of a kernel row lies inside the image. A kernel row is either one run of
// KW * Cin bytes (packed: horizontal dilation 1), cropped to the bytes inside, or KW runs of Cin bytes, of which only
// those inside are visited. Runs are cut into chunks of LANES bytes.
// Depthwise, the columns that the window before has seen are not read again: the runs are those that are new, and
// the datapath remembers the rest. Of these, columns outside the image take a step, since something must move up.
// With dilation, as many windows in a row as there are phases see different columns, and only the one after these sees
// columns again: each phase has rows of its own in the tap memory.
// Does not: visit anything else outside the image. A window with no tap inside is one step that multiplies nothing.
//
// Latency: 6 cycles from item to window. Throughput: one window a cycle, no gap between items.

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
    input  wire [             1:0] cfg_spread,        // depthwise: log2 of the filters of a channel
    input  wire [             1:0] cfg_phases,        // depthwise: less one
    input  wire [            15:0] cfg_width,
    input  wire [             3:0] cfg_taps_x,
    input  wire [             2:0] cfg_stride_x,
    input  wire [             2:0] cfg_dilation_x,
    input  wire [       RUN_W-1:0] cfg_run_bytes,
    input  wire [     CHUNK_W-1:0] cfg_run_words,     // weight words of a run
    input  wire [       WIN_W-1:0] cfg_row_bytes,     // bytes of an image row
    input  wire [            15:0] cfg_in_channels,
    input  wire [       WIN_W-1:0] cfg_stride_bytes,  // stride_x * Cin
    input  wire [             3:0] cfg_seen,          // depthwise: columns that the window before of this phase has seen, else 0
    input  wire [             5:0] cfg_seen_cols,     // cfg_seen * dilation_x
    input  wire [       WIN_W-1:0] cfg_seen_bytes,    // cfg_seen * dilation_x * Cin
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
    output wire [             3:0] window_memory,       // depthwise: the first of its rows in the tap memory
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

    // All stages behind the first move together, unless the step that waits at their end holds them.
    wire move;

    // Stage 0: the item at hand, the first column that its current window visits, and whose bytes those are.
    reg                    valid_q;
    reg [            15:0] cols_left_q;  // less one
    reg                    last_col_q;
    reg signed [POS_W-1:0] col_q;
    reg signed [WIN_W-1:0] offset_q;
    reg [       OUT_W-1:0] out_q;
    reg                    first_q;
    reg                    fresh_q;      // the first of its phase
    reg [             1:0] phase_q;
    reg                    turn_q;       // the last of these
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

    // Depthwise: an item's windows but the first of each phase begin behind the columns that are known.
    wire [5:0] step_cols = {3'd0, cfg_stride_x} + (turn_q ? cfg_seen_cols : 6'd0);
    wire [WIN_W-1:0] step_bytes = cfg_stride_bytes + (turn_q ? cfg_seen_bytes : {WIN_W{1'b0}});

    assign item_ready = !valid_q || (move && last_col_q);

    always @(posedge clk) begin
        if (item_ready) begin
            cols_left_q   <= item_cols - 16'd1;
            last_col_q    <= item_cols == 16'd1;
            col_q         <= item_col;
            offset_q      <= item_offset;
            out_q         <= item_out;
            first_q       <= 1'b1;
            fresh_q       <= 1'b1;
            phase_q       <= 2'd0;
            turn_q        <= cfg_phases == 2'd0;
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
        end else if (move) begin
            cols_left_q <= cols_left_q - 16'd1;
            last_col_q  <= cols_left_q == 16'd1;
            col_q       <= col_q + $signed({{POS_W - 6{1'b0}}, step_cols});
            offset_q    <= offset_q + $signed(step_bytes);
            out_q       <= out_q + cfg_pixel_bytes;
            first_q     <= 1'b0;
            fresh_q     <= fresh_q && !turn_q;
            phase_q     <= phase_q == cfg_phases ? 2'd0 : phase_q + 2'd1;
            turn_q      <= fresh_q && !turn_q && phase_q + 2'd1 == cfg_phases;
        end
    end

    // Stages 1 to 3: which runs lie inside; packed, which bytes of the one run, from `from` to `upto` (the last, not
    // the one behind it).
    localparam MARKS_W = OUT_W + ACT_W + WGT_W + 11;
    localparam PASS_W  = 7 + WGT_W + MARKS_W;

    wire [3:0] first_run;
    wire [3:0] runs;
    wire       precedes;
    wire [1:0] position;

    tap_range #(
        .START_W(POS_W)
    ) u_tap_range (
        .clk     (clk),
        .move    (move),
        .start   (col_q),
        .taps    (fresh_q ? cfg_taps_x : cfg_taps_x - cfg_seen),
        .size    (cfg_width),
        .dilation(cfg_dilation_x),
        .first   (first_run),
        .count   (runs),
        .precedes(precedes),
        .position(position)
    );

    wire signed [WIN_W-1:0] run_bytes = $signed({{WIN_W - RUN_W{1'b0}}, cfg_run_bytes});

    reg                    valid_q1;
    reg signed [WIN_W-1:0] from_q1;
    reg signed [WIN_W-1:0] left_q1;  // bytes of the row from the window's start on
    reg [       ACT_W-1:0] row_q1;   // start of the image row
    reg [       ACT_W-1:0] act_q1;   // start of the window in it
    reg [      PASS_W-1:0] pass_q1;

    reg                    valid_q2;
    reg signed [WIN_W-1:0] from_q2;
    reg signed [WIN_W-1:0] end_q2;
    reg [       ACT_W-1:0] row_q2;
    reg [       ACT_W-1:0] act_q2;
    reg [      PASS_W-1:0] pass_q2;

    reg                    valid_q3;
    reg                    some_q3;
    reg [       RUN_W-1:0] from_q3;
    reg [       RUN_W-1:0] upto_q3;
    reg [       ACT_W-1:0] row_q3;
    reg [       ACT_W-1:0] act_q3;
    reg [      PASS_W-1:0] pass_q3;

    always @(posedge clk) begin
        if (move) begin
            from_q1 <= cfg_packed && offset_q[WIN_W-1] ? -offset_q : {WIN_W{1'b0}};
            left_q1 <= $signed(cfg_row_bytes) - offset_q;
            row_q1  <= act_q;
            act_q1  <= act_q + offset_q[ACT_W-1:0];
            pass_q1 <= {
                fresh_q, phase_q, taps_y_q, wgt_q, out_q, act_release_q, wgt_release_q,
                row_end_q && last_col_q,
                final_q,
                final_q && last_col_q,
                last_filter_q,
                new_group_q && first_q,
                last_group_q,
                layer_end_q && last_col_q
            };

            from_q2 <= from_q1;
            end_q2  <= cfg_packed && left_q1 < run_bytes ? left_q1 : run_bytes;
            row_q2  <= row_q1;
            act_q2  <= act_q1;
            pass_q2 <= pass_q1;

            some_q3 <= from_q2 < end_q2;
            from_q3 <= from_q2[RUN_W-1:0];
            upto_q3 <= end_q2[RUN_W-1:0] - 1'b1;
            row_q3  <= row_q2;
            act_q3  <= act_q2;
            pass_q3 <= pass_q2;
        end
    end

    // Stage 4: the runs and chunks to visit, and what their addresses are the sums of. If a window begins before the
    // image, its first run inside is one of the row's first columns.
    reg               valid_q4;
    reg               empty_q4;
    reg [        3:0] rows_q4;
    reg [        3:0] runs_q4;
    reg [        3:0] first_in_q4;  // runs inside
    reg [        3:0] count_in_q4;
    reg               clear_q4;
    reg [        3:0] memory_q4;
    reg [  RUN_W-1:0] from_q4;
    reg [  RUN_W-1:0] upto_q4;
    reg [  ACT_W-1:0] act_q4;
    reg [  ACT_W-1:0] act_more_q4;
    reg [  WGT_W-1:0] wgt_q4;
    reg [  WGT_W-1:0] wgt_more_q4;
    reg [  WGT_W-1:0] wgt_most_q4;
    reg [MARKS_W-1:0] marks_q4;

    wire               fresh_q3;
    wire [        1:0] phase_q3;
    wire [        3:0] taps_y_q3;
    wire [  WGT_W-1:0] wgt_q3;
    wire [MARKS_W-1:0] marks_q3;
    wire [        4:0] last_filter_q3 = marks_q3[7:3];

    assign {fresh_q3, phase_q3, taps_y_q3, wgt_q3, marks_q3} = pass_q3;

    wire in_image = taps_y_q3 != 4'd0 && (cfg_depthwise || (cfg_packed ? some_q3 : runs != 4'd0));
    wire by_column = !cfg_packed && precedes && (fresh_q3 || !cfg_depthwise);
    wire by_run = in_image && !cfg_packed && !cfg_depthwise;
    // Depthwise, a row's first windows begin with the first column inside: what is to its left is nothing anyway.
    wire [3:0] left_out = fresh_q3 ? first_run : 4'd0;
    wire [3:0] fresh = fresh_q3 ? cfg_taps_x : cfg_taps_x - cfg_seen;
    wire [4:0] last_channel = last_filter_q3 >> cfg_spread;
    wire [RUN_W-1:0] from = cfg_packed && in_image ? from_q3 : {RUN_W{1'b0}};
    wire [WGT_W-1:0] from_word = {{WGT_W + LANE_W - RUN_W{1'b0}}, from[RUN_W-1:LANE_W]};
    wire [WIN_W-1:0] from_byte = {{WIN_W - RUN_W{1'b0}}, from[RUN_W-1:LANE_W], {LANE_W{1'b0}}};
    wire [WIN_W-1:0] column_byte = times({{WIN_W - 16{1'b0}}, cfg_in_channels}, position);
    wire [WIN_W-1:0] run_words = {{WIN_W - CHUNK_W{1'b0}}, cfg_run_words};
    wire [WIN_W-1:0] first_words = times(run_words, first_run[1:0]);
    wire [WIN_W-1:0] further_words = times({run_words[WIN_W-3:0], 2'b00}, first_run[3:2]);

    // A number times two bits: too little for a multiplier.
    function [WIN_W-1:0] times(input [WIN_W-1:0] number, input [1:0] bits);
        times = (number & {WIN_W{bits[0]}}) + {number[WIN_W-2:0] & {WIN_W - 1{bits[1]}}, 1'b0};
    endfunction

    always @(posedge clk) begin
        if (move) begin
            empty_q4    <= !in_image;
            rows_q4     <= in_image ? taps_y_q3 - 4'd1 : 4'd0;
            runs_q4     <= !in_image || cfg_packed ? 4'd0 : (cfg_depthwise ? fresh - left_out : runs) - 4'd1;
            first_in_q4 <= first_run - left_out;
            count_in_q4 <= runs;
            clear_q4    <= fresh_q3;
            memory_q4   <= taps_y_q3 > 4'd4 ? {phase_q3[0], 3'd0} : {phase_q3, 2'd0};
            from_q4     <= from;
            upto_q4     <= !in_image ? {RUN_W{1'b0}} : cfg_depthwise ? {{RUN_W - 5{1'b0}}, last_channel} : upto_q3;
            act_q4      <= by_column ? row_q3 : act_q3;
            act_more_q4 <= by_column ? column_byte[ACT_W-1:0] : from_byte[ACT_W-1:0];
            wgt_q4      <= wgt_q3;
            wgt_more_q4 <= by_run ? first_words[WGT_W-1:0] : from_word;
            wgt_most_q4 <= by_run ? further_words[WGT_W-1:0] : {WGT_W{1'b0}};
            marks_q4    <= marks_q3;
        end
    end

    // In a skid buffer so that a waiting step does not hold this chain at once.
    localparam WINDOW_W = 1 + 4 + 4 + 4 + 4 + 1 + 4 + CHUNK_W + 2 * LANE_W + ACT_W + WGT_W + MARKS_W;

    wire [RUN_W-LANE_W-1:0] chunks = upto_q4[RUN_W-1:LANE_W] - from_q4[RUN_W-1:LANE_W];

    skid_buffer #(
        .WIDTH(WINDOW_W)
    ) u_skid_buffer (
        .clk    (clk),
        .rst    (rst),
        .s_data ({
            empty_q4,
            rows_q4,
            runs_q4,
            first_in_q4,
            count_in_q4,
            clear_q4,
            memory_q4,
            {{CHUNK_W + LANE_W - RUN_W{1'b0}}, chunks},
            from_q4[LANE_W-1:0],
            upto_q4[LANE_W-1:0],
            act_q4 + act_more_q4,
            wgt_q4 + wgt_more_q4 + wgt_most_q4,
            marks_q4
        }),
        .s_valid(valid_q4),
        .s_ready(move),
        .m_data ({
            window_empty,
            window_rows,
            window_runs,
            window_first_run,
            window_inside_runs,
            window_clear,
            window_memory,
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
            valid_q2 <= 1'b0;
            valid_q3 <= 1'b0;
            valid_q4 <= 1'b0;
        end else begin
            if (item_ready) valid_q <= item_valid;
            if (move) {valid_q4, valid_q3, valid_q2, valid_q1} <= {valid_q3, valid_q2, valid_q1, valid_q};
        end
    end

    assign busy = valid_q || valid_q1 || valid_q2 || valid_q3 || valid_q4 || window_valid;

    wire unused = &{1'b0, column_byte, from_byte, first_words, further_words};

endmodule

`default_nettype wire
