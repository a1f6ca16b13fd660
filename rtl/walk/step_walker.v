// step_walker: the steps of a window, each one read of activations and one read of weights.
//
// Does not: know what has arrived (step_gate does), nor read anything; it says what to read.
//
// Latency: 2 cycles from window to its first step. Throughput: one step a cycle, no gap between windows.

`default_nettype none

module step_walker #(
    parameter LANES   = 16,
    parameter ACT_W   = 20,
    parameter WGT_W   = 24,
    parameter OUT_W   = 16,
    parameter CHUNK_W = 19
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
    input  wire [              3:0] window_memory,
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

    output wire                     walk_valid,
    input  wire                     walk_ready,
    output wire                     walk_last,
    output wire                     walk_any,            // some lane is inside the image
    output wire                     walk_multiply,       // else, depthwise, the column is only remembered
    output wire [              3:0] walk_row,            // depthwise: row of the tap memory
    output wire                     walk_clear,          // depthwise: that row is forgotten first
    output wire [$clog2(LANES)-1:0] walk_first_lane,
    output wire [$clog2(LANES)-1:0] walk_last_lane,
    output wire [        ACT_W-1:0] walk_act,            // byte under lane 0
    output wire [ACT_W-$clog2(LANES)-1:0] walk_last_word,  // the word under the last lane inside
    output wire [        WGT_W-1:0] walk_wgt,            // weight word
    output wire [        OUT_W-1:0] walk_out,            // the window's, as the rest
    output wire [        ACT_W-1:0] walk_act_release,
    output wire [        WGT_W-1:0] walk_wgt_release,
    output wire                     walk_row_end,
    output wire                     walk_final,
    output wire                     walk_last_use,
    output wire [              4:0] walk_last_filter,
    output wire                     walk_new_group,
    output wire                     walk_last_group,
    output wire                     walk_layer_end
);

    localparam LANE_W = $clog2(LANES);

    reg               valid_q;
    reg               empty_q;
    reg [        3:0] rows_left_q;
    reg [        3:0] runs_left_q;
    reg [CHUNK_W-1:0] chunks_left_q;
    reg               first_chunk_q;
    reg               run_end_q;   // the last chunk of its run
    reg               last_run_q;  // of its kernel row
    reg               last_row_q;  // of the window
    reg               row_end_q;   // the last of its kernel row
    reg               last_q;      // of the window
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
    reg [        3:0] memory_q;
    reg [CHUNK_W-1:0] chunks_q;
    reg               one_chunk_q;
    reg               one_run_q;
    reg [ LANE_W-1:0] first_lane_q;
    reg [ LANE_W-1:0] last_lane_q;
    reg [  OUT_W-1:0] out_q;
    reg [  ACT_W-1:0] act_release_q;
    reg [  WGT_W-1:0] wgt_release_q;
    reg               image_row_end_q;
    reg               final_q;
    reg               last_use_q;
    reg [        4:0] last_filter_q;
    reg               new_group_q;
    reg               last_group_q;
    reg               layer_end_q;

    wire one_chunk = window_chunks == {CHUNK_W{1'b0}};
    wire one_run = window_runs == 4'd0;

    // What the next step is the last of.
    wire run_end = run_end_q ? one_chunk_q : chunks_left_q == {{CHUNK_W - 1{1'b0}}, 1'b1};
    wire last_run = !run_end_q ? last_run_q : last_run_q ? one_run_q : runs_left_q == 4'd1;
    wire last_row = row_end_q ? rows_left_q == 4'd1 : last_row_q;

    // Depthwise: a column outside the image.
    wire outside = cfg_depthwise && (run_q < first_run_q || run_q - first_run_q >= inside_runs_q);

    wire move;
    wire multiply = !cfg_depthwise || row_end_q;

    assign window_ready = !valid_q || (move && last_q);

    wire [ACT_W-1:0] next_row_act = row_act_q + cfg_dilation_span;
    wire [ACT_W-1:0] next_run_act = run_act_q + cfg_tap_bytes;
    wire [WGT_W-1:0] next_row_wgt = row_wgt_q + cfg_tap_row_words;
    wire [WGT_W-1:0] next_run_wgt = run_wgt_q + (cfg_depthwise ? {WGT_W{1'b0}} : {{WGT_W - CHUNK_W{1'b0}}, cfg_run_words});

    always @(posedge clk) begin
        if (window_ready) begin
            empty_q       <= window_empty;
            rows_left_q   <= window_rows;
            runs_left_q   <= window_runs;
            chunks_left_q <= window_chunks;
            first_chunk_q <= 1'b1;
            run_end_q     <= one_chunk;
            last_run_q    <= one_run;
            last_row_q    <= window_rows == 4'd0;
            row_end_q     <= one_chunk && one_run;
            last_q        <= one_chunk && one_run && window_rows == 4'd0;
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
            memory_q      <= window_memory;
            chunks_q      <= window_chunks;
            one_chunk_q   <= one_chunk;
            one_run_q     <= one_run;
            first_lane_q  <= window_first_lane;
            last_lane_q   <= window_last_lane;
            out_q         <= window_out;
            act_release_q <= window_act_release;
            wgt_release_q <= window_wgt_release;
            image_row_end_q <= window_row_end;
            final_q       <= window_final;
            last_use_q    <= window_last_use;
            last_filter_q <= window_last_filter;
            new_group_q   <= window_new_group;
            last_group_q  <= window_last_group;
            layer_end_q   <= window_layer_end;
        end else if (move) begin
            first_chunk_q <= run_end_q;
            run_end_q     <= run_end;
            last_run_q    <= last_run;
            last_row_q    <= last_row;
            row_end_q     <= run_end && last_run;
            last_q        <= run_end && last_run && last_row;
            chunks_left_q <= run_end_q ? chunks_q : chunks_left_q - 1'b1;
            if (run_end_q) runs_left_q <= row_end_q ? runs_q : runs_left_q - 4'd1;
            if (run_end_q) run_q <= row_end_q ? 4'd0 : run_q + 4'd1;
            if (row_end_q) rows_left_q <= rows_left_q - 4'd1;
            if (row_end_q) begin
                act_q     <= next_row_act;
                run_act_q <= next_row_act;
                row_act_q <= next_row_act;
                wgt_q     <= next_row_wgt;
                run_wgt_q <= next_row_wgt;
                row_wgt_q <= next_row_wgt;
            end else if (run_end_q) begin
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

    always @(posedge clk) begin
        if (rst) valid_q <= 1'b0;
        else if (window_ready) valid_q <= window_valid;
    end

    assign busy = valid_q || walk_valid;

    wire [LANE_W-1:0] last_lane = run_end_q ? last_lane_q : {LANE_W{1'b1}};
    wire [ACT_W-1:0] last_byte = act_q + {{ACT_W - LANE_W{1'b0}}, last_lane};

    // In a skid buffer, which cuts the path from a step that waits to everything in front of it.
    skid_buffer #(
        .WIDTH(19 + LANE_W + 3 * ACT_W + 2 * WGT_W + OUT_W)
    ) u_skid_buffer (
        .clk    (clk),
        .rst    (rst),
        .s_data ({
            last_q,
            !empty_q && !outside,
            multiply,
            memory_q | rows_left_q,
            clear_q && run_q == 4'd0,
            first_chunk_q ? first_lane_q : {LANE_W{1'b0}},
            last_lane,
            act_q,
            last_byte[ACT_W-1:LANE_W],
            wgt_q,
            out_q,
            act_release_q,
            wgt_release_q,
            image_row_end_q,
            final_q,
            last_use_q,
            last_filter_q,
            new_group_q,
            last_group_q,
            layer_end_q
        }),
        .s_valid(valid_q),
        .s_ready(move),
        .m_data ({
            walk_last,
            walk_any,
            walk_multiply,
            walk_row,
            walk_clear,
            walk_first_lane,
            walk_last_lane,
            walk_act,
            walk_last_word,
            walk_wgt,
            walk_out,
            walk_act_release,
            walk_wgt_release,
            walk_row_end,
            walk_final,
            walk_last_use,
            walk_last_filter,
            walk_new_group,
            walk_last_group,
            walk_layer_end
        }),
        .m_valid(walk_valid),
        .m_ready(walk_ready)
    );

    wire unused = &{1'b0, last_byte[LANE_W-1:0]};

endmodule

`default_nettype wire
