// steps: the steps of a window, each one read of activations and one read of weights.
//
// Does not: know what has arrived (gate.v does), nor read anything; it says what to read.
//
// Latency: 1 cycle from a window at the head of the queue to its first step. Throughput: one step a cycle, no gap
// between windows. A window has rows * runs * chunks steps, as windows.v counts them.

`default_nettype none

module steps #(
    `include "parameters.vh"
) (
    input  wire                   clk,
    input  wire                   rst,

    input  wire [           38:0] numbers,       // of layers (layer_numbers.vh)
    input  wire                   take,          // a layer begins

    input  wire                   window_valid,
    output wire                   window_ready,
    input  wire [   WINDOW_W-1:0] window,        // window.vh

    output reg                    walk_valid,
    input  wire                   walk_ready,
    output wire [WALK_STEP_W-1:0] walk_step      // step.vh
);

    localparam TAP_W = 5;
    localparam BYTES_W = ACT_W - 1;  // four pixels, each at most the buffer

    `include "layer_numbers.vh"
    `include "window.vh"
    `include "step.vh"

    // ---------------------------------------------------------------- the layer
    wire [        5:0] mode;
    wire [        7:0] zero_point;
    wire [BYTES_W-1:0] tap_bytes;
    wire [  ACT_W-1:0] dilation_span;
    wire [  WGT_W-1:0] row_words;

    // verilog_format: off
    number #(.INDEX(MODE), .WIDTH(6))                 u_mode          (clk, numbers, take, mode);
    number #(.INDEX(IN_ZERO_POINT), .WIDTH(8))        u_zero_point    (clk, numbers, take, zero_point);
    number #(.INDEX(TAP_BYTES), .WIDTH(BYTES_W))      u_tap_bytes     (clk, numbers, take, tap_bytes);
    number #(.INDEX(DILATION_SPAN), .WIDTH(ACT_W))    u_dilation_span (clk, numbers, take, dilation_span);
    number #(.INDEX(KERNEL_ROW_WORDS), .WIDTH(WGT_W)) u_row_words     (clk, numbers, take, row_words);
    // verilog_format: on

    wire depthwise = mode[MODE_DEPTHWISE];

    // ---------------------------------------------------------------- the window
    wire               unused_first;
    wire               unused_last;
    wire               unused_empty;
    wire [  TAP_W-1:0] head_rows;
    wire [  TAP_W-1:0] head_runs;
    wire [       12:0] unused_depthwise;
    wire [CHUNK_W-1:0] head_chunks;
    wire [ LANE_W-1:0] unused_first_lane;
    wire [ LANE_W-1:0] head_last_lane;
    wire [  ACT_W-1:0] head_act;
    wire [  WGT_W-1:0] head_wgt;

    assign {
        unused_first, unused_last, unused_empty, head_rows, head_runs, unused_depthwise,
        head_chunks, unused_first_lane, head_last_lane, head_act, head_wgt
    } = window;

    wire load = window_ready && window_valid;
    wire one_chunk = head_chunks == {CHUNK_W{1'b0}};
    wire one_run = head_runs == {TAP_W{1'b0}};
    wire one_row = head_rows == {TAP_W{1'b0}};

    reg [WINDOW_W-1:0] window_q;
    reg                one_chunk_q;
    reg                one_run_q;

    always @(posedge clk) begin
        if (window_ready) {window_q, one_chunk_q, one_run_q} <= {window, one_chunk, one_run};
    end

    wire               first_window;
    wire               last_window;
    wire               empty;
    wire [  TAP_W-1:0] unused_rows;
    wire [  TAP_W-1:0] runs;
    wire [        3:0] begin_run;
    wire [        3:0] after_run;
    wire               fresh;
    wire [        3:0] memory;
    wire [CHUNK_W-1:0] chunks;
    wire [ LANE_W-1:0] first_lane;
    wire [ LANE_W-1:0] last_lane;
    wire [  ACT_W-1:0] unused_act;
    wire [  WGT_W-1:0] unused_wgt;

    assign {
        first_window, last_window, empty, unused_rows, runs, begin_run, after_run, fresh, memory,
        chunks, first_lane, last_lane, unused_act, unused_wgt
    } = window_q;

    // ---------------------------------------------------------------- which step it is
    reg               begin_window_q;
    reg [  TAP_W-1:0] rows_left_q;    // kernel rows after this one, runs after this one, chunks after this one
    reg [  TAP_W-1:0] runs_left_q;
    reg [CHUNK_W-1:0] chunks_left_q;
    reg               first_run_q;    // of its kernel row
    reg               first_chunk_q;  // of its run
    reg               run_end_q;      // the last chunk of its run
    reg [ LANE_W-1:0] lane_q;         // its last
    reg               last_run_q;     // of its kernel row
    reg               last_row_q;     // of the window
    reg               row_end_q;      // the last step of its kernel row
    reg               last_q;         // of the window

    wire move = walk_valid && walk_ready;
    wire multiply = !depthwise || row_end_q;

    // What the next step is the last of: known a cycle ahead, since much hangs on it.
    wire run_end = run_end_q ? one_chunk_q : chunks_left_q == {{CHUNK_W - 1{1'b0}}, 1'b1};
    wire last_run = !run_end_q ? last_run_q : last_run_q ? one_run_q : runs_left_q == {{TAP_W - 1{1'b0}}, 1'b1};
    wire last_row = row_end_q ? rows_left_q == {{TAP_W - 1{1'b0}}, 1'b1} : last_row_q;

    assign window_ready = !walk_valid || (move && last_q);

    always @(posedge clk) begin
        if (window_ready) begin
            begin_window_q <= 1'b1;
            {rows_left_q, runs_left_q, chunks_left_q} <= {head_rows, head_runs, head_chunks};
            {run_end_q, last_run_q, last_row_q}       <= {one_chunk, one_run, one_row};

            first_run_q    <= 1'b1;
            first_chunk_q  <= 1'b1;
            lane_q         <= one_chunk ? head_last_lane : {LANE_W{1'b1}};
            row_end_q      <= one_chunk && one_run;
            last_q         <= one_chunk && one_run && one_row;
        end else if (move) begin
            begin_window_q <= 1'b0;
            {first_chunk_q, run_end_q, last_run_q, last_row_q} <= {run_end_q, run_end, last_run, last_row};

            lane_q         <= run_end ? last_lane : {LANE_W{1'b1}};
            row_end_q      <= run_end && last_run;
            last_q         <= run_end && last_run && last_row;
            chunks_left_q  <= run_end_q ? chunks : chunks_left_q - 1'b1;
            if (run_end_q) runs_left_q <= row_end_q ? runs : runs_left_q - 1'b1;
            if (run_end_q) first_run_q <= row_end_q;
            if (row_end_q) rows_left_q <= rows_left_q - 1'b1;
        end
    end

    always @(posedge clk) begin
        if (rst) walk_valid <= 1'b0;
        else if (window_ready) walk_valid <= load;
    end

    // ---------------------------------------------------------------- where it reads
    // One adder for each address: the next step lies a kernel row after the row's first, a tap after the run's first,
    // or a chunk after this. Runs that follow each other have weights that follow each other; depthwise, they have the
    // same.
    reg [ACT_W-1:0] act_q;
    reg [ACT_W-1:0] run_act_q;  // of the first chunk of this run
    reg [ACT_W-1:0] row_act_q;  // of the first chunk of this kernel row
    reg [WGT_W-1:0] wgt_q;
    reg [WGT_W-1:0] row_wgt_q;

    wire [ACT_W-1:0] act_base = row_end_q ? row_act_q : run_end_q ? run_act_q : act_q;
    wire [ACT_W-1:0] run_more = run_end_q ? {{ACT_W - BYTES_W{1'b0}}, tap_bytes} : LANES_IN[ACT_W-1:0];
    wire [ACT_W-1:0] act_more = row_end_q ? dilation_span : run_more;
    wire [WGT_W-1:0] wgt_base = row_end_q ? row_wgt_q : wgt_q;
    wire [WGT_W-1:0] wgt_more = row_end_q ? row_words : {{WGT_W - 1{1'b0}}, !depthwise};
    wire [ACT_W-1:0] act = window_ready ? head_act : act_base + act_more;
    wire [WGT_W-1:0] wgt = window_ready ? head_wgt : wgt_base + wgt_more;

    always @(posedge clk) begin
        if (window_ready || move) act_q <= act;
        if (window_ready || (move && run_end_q)) run_act_q <= act;
        if (window_ready || (move && row_end_q)) row_act_q <= act;
        if (window_ready || move) wgt_q <= wgt;
        if (window_ready || (move && row_end_q)) row_wgt_q <= wgt;
    end

    // ---------------------------------------------------------------- the step
    wire outside = depthwise && (runs_left_q[3:0] >= begin_run || runs_left_q[3:0] < after_run);
    wire [ACT_W-1:0] last_byte = act_q + {{ACT_W - LANE_W{1'b0}}, lane_q};

    wire [STEP_W-1:0] step;

    assign walk_step = {
        begin_window_q && first_window, first_window, last_window, last_byte[ACT_W-1:LANE_W], wgt_q, step
    };

    assign step[STEP_LAST]                = last_q;
    assign step[STEP_ANY]                 = !empty && !outside;
    assign step[STEP_MULTIPLY]            = multiply;
    assign step[STEP_DEPTHWISE]           = depthwise;
    assign step[STEP_SPREAD+:2]           = mode[MODE_SPREAD+:2];
    assign step[STEP_ROW+:4]              = memory | rows_left_q[3:0];
    assign step[STEP_CLEAR]               = fresh && first_run_q;
    assign step[STEP_ZERO_POINT+:8]       = zero_point;
    assign step[STEP_FIRST_LANE+:LANE_W]  = first_chunk_q ? first_lane : {LANE_W{1'b0}};
    assign step[STEP_LAST_LANE+:LANE_W]   = lane_q;
    assign step[STEP_ACT+:ACT_ADDR_W]     = act_q[ACT_ADDR_W-1:0];
    assign step[STEP_WGT+:WGT_ADDR_W]     = wgt_q[WGT_ADDR_W-1:0];

    wire unused_now = &{1'b0, unused_first, unused_last, unused_empty, unused_depthwise, unused_first_lane};
    wire unused = &{1'b0, unused_now, unused_rows, unused_act, unused_wgt, mode, last_byte[LANE_W-1:0]};

endmodule

`default_nettype wire
