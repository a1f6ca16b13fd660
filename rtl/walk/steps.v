// steps: the steps of a window, each one read of activations and one read of weights.
//
// Does not: know what has arrived (gate.v does), nor read anything; it says what to read.
//
// Latency: 1 cycle from a window at the head of the queue to its first step. Throughput: one step a cycle, no gap
// between windows. A window has rows * runs * chunks steps, as windows.v counts them.

`default_nettype none

module steps #(
    parameter LANES      = 16,
    parameter ACT_W      = 20,  // activation byte addresses: 16 times the buffer; 10 to 24
    parameter WGT_W      = 24,  // weight word addresses
    parameter WGT_ADDR_W = 10   // those of the weight buffer
) (
    input  wire                                                   clk,
    input  wire                                                   rst,

    input  wire [                                           38:0] numbers,         // of layers (layer_numbers.vh)
    input  wire                                                   take,            // a layer begins

    input  wire                                                   window_valid,
    output wire                                                   window_ready,
    input  wire [           2*ACT_W+WGT_W+$clog2(LANES)+22:0]     window,          // window.vh

    output wire                                                   step_valid,
    input  wire                                                   step_ready,
    output wire [     2*$clog2(LANES)+ACT_W+WGT_ADDR_W+14:0]      step,            // step.vh
    output wire [                           ACT_W-$clog2(LANES)-1:0] step_last_word,  // of its last lane
    output wire [                                      WGT_W-1:0] step_wgt,        // weight word, counted from reset
    output wire                                                   begins_item,     // the first step of an item
    output wire                                                   first_window,    // of the item
    output wire                                                   last_window
);

    localparam LANE_W = $clog2(LANES);
    localparam CHUNK = LANES;  // bytes
    localparam ACT_ADDR_W = ACT_W - 4;
    localparam TAP_W = 5;
    localparam BYTES_W = ACT_W - 1;  // four pixels, each at most the buffer

    /* verilator lint_off UNUSEDPARAM */  // each unit uses some of these
    `include "layer_numbers.vh"
    `include "window.vh"
    `include "step.vh"
    /* verilator lint_on UNUSEDPARAM */

    // ---------------------------------------------------------------- the layer
    wire [        5:0] mode;
    wire [        7:0] zero_point;
    wire [BYTES_W-1:0] tap_bytes;
    wire [  ACT_W-1:0] dilation_span;
    wire [  WGT_W-1:0] row_words;

    // verilog_format: off
    number #(.INDEX(MODE), .WIDTH(6)) u_mode (.clk(clk), .numbers(numbers), .take(take), .value(mode));
    number #(.INDEX(IN_ZERO_POINT), .WIDTH(8)) u_zero_point
        (.clk(clk), .numbers(numbers), .take(take), .value(zero_point));
    number #(.INDEX(TAP_BYTES), .WIDTH(BYTES_W)) u_tap_bytes
        (.clk(clk), .numbers(numbers), .take(take), .value(tap_bytes));
    number #(.INDEX(DILATION_SPAN), .WIDTH(ACT_W)) u_dilation_span
        (.clk(clk), .numbers(numbers), .take(take), .value(dilation_span));
    number #(.INDEX(KERNEL_ROW_WORDS), .WIDTH(WGT_W)) u_row_words
        (.clk(clk), .numbers(numbers), .take(take), .value(row_words));
    // verilog_format: on

    wire depthwise = mode[MODE_DEPTHWISE];

    // ---------------------------------------------------------------- the window
    wire               head_first;
    wire               head_last;
    wire               head_empty;
    wire [  TAP_W-1:0] head_rows;
    wire [  TAP_W-1:0] head_runs;
    wire [        3:0] head_begin;
    wire [        3:0] head_after;
    wire               head_fresh;
    wire [        3:0] head_memory;
    wire [CHUNK_W-1:0] head_chunks;
    wire [ LANE_W-1:0] head_first_lane;
    wire [ LANE_W-1:0] head_last_lane;
    wire [  ACT_W-1:0] head_act;
    wire [  WGT_W-1:0] head_wgt;

    assign {
        head_first, head_last, head_empty, head_rows, head_runs, head_begin, head_after, head_fresh, head_memory,
        head_chunks, head_first_lane, head_last_lane, head_act, head_wgt
    } = window;

    wire load = window_ready && window_valid;
    wire one_chunk = head_chunks == {CHUNK_W{1'b0}};
    wire one_run = head_runs == {TAP_W{1'b0}};
    wire one_row = head_rows == {TAP_W{1'b0}};

    reg               first_window_q;
    reg               last_window_q;
    reg               empty_q;
    reg [  TAP_W-1:0] runs_q;
    reg [        3:0] begin_q;
    reg [        3:0] after_q;
    reg               fresh_q;
    reg [        3:0] memory_q;
    reg [CHUNK_W-1:0] chunks_q;
    reg               one_chunk_q;
    reg               one_run_q;
    reg [ LANE_W-1:0] first_lane_q;
    reg [ LANE_W-1:0] last_lane_q;

    always @(posedge clk) begin
        if (window_ready) begin
            first_window_q <= head_first;
            last_window_q  <= head_last;
            empty_q        <= head_empty;
            runs_q         <= head_runs;
            begin_q        <= head_begin;
            after_q        <= head_after;
            fresh_q        <= head_fresh;
            memory_q       <= head_memory;
            chunks_q       <= head_chunks;
            one_chunk_q    <= one_chunk;
            one_run_q      <= one_run;
            first_lane_q   <= head_first_lane;
            last_lane_q    <= head_last_lane;
        end
    end

    // ---------------------------------------------------------------- which step it is
    reg               valid_q;
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

    wire move = step_valid && step_ready;
    wire multiply = !depthwise || row_end_q;

    // What the next step is the last of: known a cycle ahead, since much hangs on it.
    wire run_end = run_end_q ? one_chunk_q : chunks_left_q == {{CHUNK_W - 1{1'b0}}, 1'b1};
    wire last_run = !run_end_q ? last_run_q : last_run_q ? one_run_q : runs_left_q == {{TAP_W - 1{1'b0}}, 1'b1};
    wire last_row = row_end_q ? rows_left_q == {{TAP_W - 1{1'b0}}, 1'b1} : last_row_q;

    assign window_ready = !valid_q || (move && last_q);

    always @(posedge clk) begin
        if (window_ready) begin
            begin_window_q <= 1'b1;
            rows_left_q    <= head_rows;
            runs_left_q    <= head_runs;
            chunks_left_q  <= head_chunks;
            first_run_q    <= 1'b1;
            first_chunk_q  <= 1'b1;
            run_end_q      <= one_chunk;
            lane_q         <= one_chunk ? head_last_lane : {LANE_W{1'b1}};
            last_run_q     <= one_run;
            last_row_q     <= one_row;
            row_end_q      <= one_chunk && one_run;
            last_q         <= one_chunk && one_run && one_row;
        end else if (move) begin
            begin_window_q <= 1'b0;
            first_chunk_q  <= run_end_q;
            run_end_q      <= run_end;
            lane_q         <= run_end ? last_lane_q : {LANE_W{1'b1}};
            last_run_q     <= last_run;
            last_row_q     <= last_row;
            row_end_q      <= run_end && last_run;
            last_q         <= run_end && last_run && last_row;
            chunks_left_q  <= run_end_q ? chunks_q : chunks_left_q - 1'b1;
            if (run_end_q) runs_left_q <= row_end_q ? runs_q : runs_left_q - 1'b1;
            if (run_end_q) first_run_q <= row_end_q;
            if (row_end_q) rows_left_q <= rows_left_q - 1'b1;
        end
    end

    always @(posedge clk) begin
        if (rst) valid_q <= 1'b0;
        else if (window_ready) valid_q <= load;
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
    wire [ACT_W-1:0] run_more = run_end_q ? {{ACT_W - BYTES_W{1'b0}}, tap_bytes} : CHUNK[ACT_W-1:0];
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
    wire outside = depthwise && (runs_left_q[3:0] >= begin_q || runs_left_q[3:0] < after_q);
    wire [ACT_W-1:0] last_byte = act_q + {{ACT_W - LANE_W{1'b0}}, lane_q};

    assign step_valid     = valid_q;
    assign step_last_word = last_byte[ACT_W-1:LANE_W];
    assign step_wgt       = wgt_q;
    assign begins_item    = begin_window_q && first_window_q;
    assign first_window   = first_window_q;
    assign last_window    = last_window_q;

    assign step[STEP_LAST]                = last_q;
    assign step[STEP_ANY]                 = !empty_q && !outside;
    assign step[STEP_MULTIPLY]            = multiply;
    assign step[STEP_DEPTHWISE]           = depthwise;
    assign step[STEP_SPREAD+:2]           = mode[MODE_SPREAD+:2];
    assign step[STEP_ROW+:4]              = memory_q | rows_left_q[3:0];
    assign step[STEP_CLEAR]               = fresh_q && first_run_q;
    assign step[STEP_ZERO_POINT+:8]       = zero_point;
    assign step[STEP_FIRST_LANE+:LANE_W]  = first_chunk_q ? first_lane_q : {LANE_W{1'b0}};
    assign step[STEP_LAST_LANE+:LANE_W]   = lane_q;
    assign step[STEP_ACT+:ACT_ADDR_W]     = act_q[ACT_ADDR_W-1:0];
    assign step[STEP_WGT+:WGT_ADDR_W]     = wgt_q[WGT_ADDR_W-1:0];

    wire unused = &{1'b0, mode, last_byte[LANE_W-1:0]};

endmodule

`default_nettype wire
