// step_walker: the steps of a window, each one read of activations and one read of weights.
//
// A step is taken when what it needs has arrived and, if it is its window's last, when the result has a place to go.
// All three are comparisons of counts, so when each step is taken follows from when each word arrived
// (models/cycles.py is that sentence written out).
// Does not: read anything; it says what to read.
//
// Latency: 1 cycle from window to its first step. Throughput: one step a cycle, no gap between windows.

`default_nettype none

module step_walker #(
    parameter LANES   = 16,
    parameter ACT_W   = 20,
    parameter WGT_W   = 24,
    parameter OUT_W   = 16,
    parameter CHUNK_W = 19,
    parameter CREDITS = 8    // results that may be on their way or waiting
) (
    input  wire                     clk,
    input  wire                     rst,
    output wire                     busy,

    // The layer; constant while busy.
    input  wire                     cfg_depthwise,
    input  wire [        ACT_W-1:0] cfg_tap_bytes,       // dilation_x * Cin
    input  wire [        ACT_W-1:0] cfg_dilation_span,   // dilation_y * bytes of an image row
    input  wire [      CHUNK_W-1:0] cfg_run_words,       // weight words of a run
    input  wire [        WGT_W-1:0] cfg_tap_row_words,   // weight words of a kernel row

    input  wire                     window_valid,
    output wire                     window_ready,
    input  wire                     window_empty,
    input  wire [              3:0] window_rows,
    input  wire [              3:0] window_runs,
    input  wire [              3:0] window_first_run,
    input  wire [              3:0] window_inside_runs,
    input  wire                     window_clear,
    input  wire [      CHUNK_W-1:0] window_chunks,
    input  wire [$clog2(LANES)-1:0] window_first_lane,
    input  wire [$clog2(LANES)-1:0] window_last_lane,
    input  wire [        ACT_W-1:0] window_act,
    input  wire [        WGT_W-1:0] window_wgt,
    input  wire [        OUT_W-1:0] window_out,
    input  wire [        ACT_W-1:0] window_act_release,
    input  wire [        WGT_W-1:0] window_wgt_release,
    input  wire                     window_row_end,
    input  wire                     window_final,
    input  wire                     window_last_use,
    input  wire [              4:0] window_last_filter,
    input  wire                     window_new_group,
    input  wire                     window_last_group,
    input  wire                     window_layer_end,

    // What has arrived, and what is needed no more.
    input  wire [ACT_W-$clog2(LANES)-1:0] act_written,   // words
    input  wire [        WGT_W-1:0] wgt_written,         // words
    output reg  [ACT_W-$clog2(LANES)-1:0] act_released,  // words
    output reg  [        WGT_W-1:0] wgt_released,        // words
    input  wire                     credit_return,       // a result has left the queue

    output wire                     step_valid,
    output wire                     step_first,
    output wire                     step_last,
    output wire                     step_any,            // some lane is inside the image
    output wire                     step_multiply,       // else, depthwise, the column is only remembered
    output wire                     step_depthwise,
    output wire [              3:0] step_row,            // depthwise: which kernel row's memory
    output wire                     step_clear,          // depthwise: that memory is forgotten first
    output wire [$clog2(LANES)-1:0] step_first_lane,
    output wire [$clog2(LANES)-1:0] step_last_lane,
    output wire [        ACT_W-1:0] step_act,            // byte under lane 0
    output wire [        WGT_W-1:0] step_wgt,            // weight word
    output wire [        OUT_W-1:0] step_out,            // the window's result address and marks
    output wire                     step_final,
    output wire [              4:0] step_last_filter,
    output wire                     step_new_group,
    output wire                     step_last_group,
    output wire                     step_layer_end,

    output wire                     stall_act,
    output wire                     stall_wgt,
    output wire                     stall_out
);

    localparam LANE_W   = $clog2(LANES);
    localparam WORD_W   = ACT_W - LANE_W;
    localparam CREDIT_W = $clog2(CREDITS + 1);
    // A release reaches the loader only after the reads it follows are over.
    localparam DELAY    = 4;

    reg               valid_q;
    reg               first_q;
    reg               empty_q;
    reg [        3:0] rows_left_q;
    reg [        3:0] runs_left_q;
    reg [CHUNK_W-1:0] chunks_left_q;
    reg               first_chunk_q;
    reg [  ACT_W-1:0] act_q;      // of this chunk
    reg [  ACT_W-1:0] run_act_q;  // of the first chunk of this run
    reg [  ACT_W-1:0] row_act_q;  // of the first chunk of this kernel row
    reg [  WGT_W-1:0] wgt_q;
    reg [  WGT_W-1:0] run_wgt_q;
    reg [  WGT_W-1:0] row_wgt_q;

    // Of the window at hand.
    reg [        3:0] runs_q;
    reg [        3:0] run_q;         // index of the run at hand
    reg [        3:0] first_run_q;
    reg [        3:0] inside_runs_q;
    reg               clear_q;
    reg [CHUNK_W-1:0] chunks_q;
    reg [ LANE_W-1:0] first_lane_q;
    reg [ LANE_W-1:0] last_lane_q;
    reg [  OUT_W-1:0] out_q;
    reg [  ACT_W-1:0] act_release_q;
    reg [  WGT_W-1:0] wgt_release_q;
    reg               row_end_q;
    reg               final_q;
    reg               last_use_q;
    reg [        4:0] last_filter_q;
    reg               new_group_q;
    reg               last_group_q;
    reg               layer_end_q;

    reg [CREDIT_W-1:0] credits_q;

    wire run_end = chunks_left_q == {CHUNK_W{1'b0}};
    wire row_end = run_end && runs_left_q == 4'd0;
    wire last = row_end && rows_left_q == 4'd0;

    assign step_first_lane = first_chunk_q ? first_lane_q : {LANE_W{1'b0}};
    assign step_last_lane  = run_end ? last_lane_q : {LANE_W{1'b1}};

    // The word under the last lane inside is act_q's own, or the next if the lanes run over its end.
    wire [LANE_W:0] last_byte = {1'b0, act_q[LANE_W-1:0]} + {1'b0, step_last_lane};
    wire [WORD_W-1:0] act_ahead = act_written - act_q[ACT_W-1:LANE_W];
    wire [WGT_W-1:0] wgt_ahead = wgt_written - wgt_q;
    wire act_here = !act_ahead[WORD_W-1] && act_ahead > {{WORD_W - 1{1'b0}}, last_byte[LANE_W]};
    wire wgt_here = !wgt_ahead[WGT_W-1] && wgt_ahead != {WGT_W{1'b0}};

    // Depthwise: a column outside the image.
    wire outside = cfg_depthwise && (run_q < first_run_q || run_q - first_run_q >= inside_runs_q);
    wire any = !empty_q && !outside;

    wire act_ok = !any || act_here;
    wire wgt_ok = wgt_here;
    wire out_ok = !last || credits_q != {CREDIT_W{1'b0}};

    wire take = valid_q && act_ok && wgt_ok && out_ok;

    assign window_ready = !valid_q || (take && last);

    assign stall_act = valid_q && !act_ok;
    assign stall_wgt = valid_q && act_ok && !wgt_ok;
    assign stall_out = valid_q && act_ok && wgt_ok && !out_ok;

    wire [ACT_W-1:0] next_row_act = row_act_q + cfg_dilation_span;
    wire [ACT_W-1:0] next_run_act = run_act_q + cfg_tap_bytes;
    wire [WGT_W-1:0] next_row_wgt = row_wgt_q + cfg_tap_row_words;
    wire [WGT_W-1:0] next_run_wgt = run_wgt_q + (cfg_depthwise ? {WGT_W{1'b0}} : {{WGT_W - CHUNK_W{1'b0}}, cfg_run_words});

    always @(posedge clk) begin
        if (window_ready) begin
            first_q       <= 1'b1;
            empty_q       <= window_empty;
            rows_left_q   <= window_rows;
            runs_left_q   <= window_runs;
            chunks_left_q <= window_chunks;
            first_chunk_q <= 1'b1;
            act_q         <= window_act;
            run_act_q     <= window_act;
            row_act_q     <= window_act;
            wgt_q         <= window_wgt;
            run_wgt_q     <= window_wgt;
            row_wgt_q     <= window_wgt;

            runs_q        <= window_runs;
            run_q         <= 4'd0;
            first_run_q   <= window_first_run;
            inside_runs_q <= window_inside_runs;
            clear_q       <= window_clear;
            chunks_q      <= window_chunks;
            first_lane_q  <= window_first_lane;
            last_lane_q   <= window_last_lane;
            out_q         <= window_out;
            act_release_q <= window_act_release;
            wgt_release_q <= window_wgt_release;
            row_end_q     <= window_row_end;
            final_q       <= window_final;
            last_use_q    <= window_last_use;
            last_filter_q <= window_last_filter;
            new_group_q   <= window_new_group;
            last_group_q  <= window_last_group;
            layer_end_q   <= window_layer_end;
        end else if (take) begin
            first_q       <= first_q && !step_multiply;
            first_chunk_q <= run_end;
            chunks_left_q <= run_end ? chunks_q : chunks_left_q - 1'b1;
            if (run_end) runs_left_q <= row_end ? runs_q : runs_left_q - 4'd1;
            if (run_end) run_q <= row_end ? 4'd0 : run_q + 4'd1;
            if (row_end) rows_left_q <= rows_left_q - 4'd1;
            if (row_end) begin
                act_q     <= next_row_act;
                run_act_q <= next_row_act;
                row_act_q <= next_row_act;
                wgt_q     <= next_row_wgt;
                run_wgt_q <= next_row_wgt;
                row_wgt_q <= next_row_wgt;
            end else if (run_end) begin
                act_q     <= next_run_act;
                run_act_q <= next_run_act;
                wgt_q     <= next_run_wgt;
                run_wgt_q <= next_run_wgt;
            end else begin
                act_q <= act_q + {{ACT_W - LANE_W - 1{1'b0}}, 1'b1, {LANE_W{1'b0}}};
                wgt_q <= wgt_q + 1'b1;
            end
        end
    end

    // Releases. On the last use of a group's weights each step frees all before it, also while it waits: what is
    // skipped, because it lies outside the image, may be more than the buffer holds.
    reg [WORD_W-1:0] act_release_now_q;
    reg [ WGT_W-1:0] wgt_release_now_q;
    reg [WORD_W*DELAY-1:0] act_release_later_q;
    reg [ WGT_W*DELAY-1:0] wgt_release_later_q;

    always @(posedge clk) begin
        if (rst) begin
            valid_q             <= 1'b0;
            credits_q           <= CREDITS[CREDIT_W-1:0];
            act_release_now_q   <= {WORD_W{1'b0}};
            wgt_release_now_q   <= {WGT_W{1'b0}};
            act_release_later_q <= {WORD_W * DELAY{1'b0}};
            wgt_release_later_q <= {WGT_W * DELAY{1'b0}};
            act_released        <= {WORD_W{1'b0}};
            wgt_released        <= {WGT_W{1'b0}};
        end else begin
            if (window_ready) valid_q <= window_valid;
            if (take && last && !credit_return) credits_q <= credits_q - 1'b1;
            if (credit_return && !(take && last)) credits_q <= credits_q + 1'b1;
            if (take && last && row_end_q) act_release_now_q <= act_release_q[ACT_W-1:LANE_W];
            if (valid_q && last_use_q) wgt_release_now_q <= take && last ? wgt_release_q : wgt_q;
            {act_released, act_release_later_q} <= {act_release_later_q, act_release_now_q};
            {wgt_released, wgt_release_later_q} <= {wgt_release_later_q, wgt_release_now_q};
        end
    end

    assign busy            = valid_q;
    assign step_valid      = take;
    assign step_first      = first_q;
    assign step_last       = last;
    assign step_any        = any;
    assign step_multiply   = !cfg_depthwise || row_end;
    assign step_depthwise  = cfg_depthwise;
    assign step_row        = rows_left_q;
    assign step_clear      = clear_q && run_q == 4'd0;
    assign step_act        = act_q;
    assign step_wgt        = wgt_q;
    assign step_out        = out_q;
    assign step_final      = final_q;
    assign step_last_filter = last_filter_q;
    assign step_new_group  = new_group_q;
    assign step_last_group = last_group_q;
    assign step_layer_end  = layer_end_q;

    wire unused = &{1'b0, last_byte[LANE_W-1:0], act_release_q[LANE_W-1:0]};

endmodule

`default_nettype wire
