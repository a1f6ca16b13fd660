// step_gate: holds each step until it can be taken.
//
// A step is taken when what it needs has arrived and, if it is its window's last, when the result has a place to go.
// All three are comparisons of counts, so when each step is taken follows from when each word arrived
// (models/cycles.py is that sentence written out). What a step was the last to need is released behind it; where windows
// need nothing, because they lie outside the image, a release waits until it is less than four buffers ahead of what came,
// so that the counts can tell which is ahead.
// Does not: change a step, nor the order.
//
// Latency: 1 cycle; a step sees an arrival the cycle after it was counted. Throughput: one step a cycle.

`default_nettype none

module step_gate #(
    parameter LANES   = 16,
    parameter ACT_W   = 20,
    parameter WGT_W   = 24,
    parameter OUT_W   = 16,
    parameter CREDITS = 8    // results that may be on their way or waiting
) (
    input  wire                     clk,
    input  wire                     rst,
    output wire                     busy,

    // The layer; constant while steps of it come.
    input  wire                     cfg_depthwise,
    input  wire [              1:0] cfg_spread,
    input  wire [              7:0] cfg_in_zero_point,

    input  wire                     walk_valid,
    output wire                     walk_ready,
    input  wire                     walk_last,
    input  wire                     walk_any,
    input  wire                     walk_multiply,
    input  wire [              3:0] walk_row,
    input  wire                     walk_clear,
    input  wire [$clog2(LANES)-1:0] walk_first_lane,
    input  wire [$clog2(LANES)-1:0] walk_last_lane,
    input  wire [        ACT_W-1:0] walk_act,
    input  wire [ACT_W-$clog2(LANES)-1:0] walk_last_word,
    input  wire [        WGT_W-1:0] walk_wgt,
    input  wire [        OUT_W-1:0] walk_out,
    input  wire [        ACT_W-1:0] walk_act_release,
    input  wire [        WGT_W-1:0] walk_wgt_release,
    input  wire                     walk_row_end,
    input  wire                     walk_final,
    input  wire                     walk_last_use,
    input  wire [              4:0] walk_last_filter,
    input  wire                     walk_new_group,
    input  wire                     walk_last_group,
    input  wire                     walk_layer_end,

    // What has arrived, and what is needed no more.
    input  wire [ACT_W-$clog2(LANES)-1:0] act_written,   // words
    input  wire [        WGT_W-1:0] wgt_written,         // words
    output reg  [ACT_W-$clog2(LANES)-1:0] act_released,  // words
    output reg  [        WGT_W-1:0] wgt_released,        // words
    input  wire                     credit_return,       // a result has left the queue

    output wire                     step_valid,
    output reg                      step_last,
    output reg                      step_any,
    output reg                      step_multiply,
    output reg                      step_depthwise,
    output reg  [              1:0] step_spread,
    output reg  [              3:0] step_row,
    output reg                      step_clear,
    output reg  [$clog2(LANES)-1:0] step_first_lane,
    output reg  [$clog2(LANES)-1:0] step_last_lane,
    output reg  [        ACT_W-1:0] step_act,
    output reg  [        WGT_W-1:0] step_wgt,
    output reg  [        OUT_W-1:0] step_out,
    output reg                      step_final,
    output reg  [              4:0] step_last_filter,
    output reg                      step_new_group,
    output reg                      step_last_group,
    output reg                      step_layer_end,
    output reg  [              7:0] step_zero_point,

    output wire                     stall_act,
    output wire                     stall_wgt,
    output wire                     stall_out
);

    localparam LANE_W   = $clog2(LANES);
    localparam WORD_W   = ACT_W - LANE_W;
    localparam CREDIT_W = $clog2(CREDITS + 1);
    // A release reaches the loader only after the reads it follows are over.
    localparam DELAY    = 3;

    // Counts are compared by the sign of their difference.
    function act_here(input [WORD_W-1:0] written, input [WORD_W-1:0] last_word);
        reg [WORD_W-2:0] unused_low;
        {act_here, unused_low} = last_word - written;
    endfunction

    function wgt_here(input [WGT_W-1:0] written, input [WGT_W-1:0] word);
        reg [WGT_W-2:0] unused_low;
        {wgt_here, unused_low} = word - written;
    endfunction

    function may_release(input [WORD_W-1:0] written, input [WORD_W-1:0] word);
        reg [WORD_W-1:0] ahead;
        reg              unused_low;
        begin
            ahead       = word - written;
            may_release = ahead[WORD_W-1] || !ahead[WORD_W-2];
            unused_low  = &{1'b0, ahead[WORD_W-3:0]};
        end
    endfunction

    reg                valid_q;
    reg [WORD_W-1:0]   last_word_q;  // that the step needs
    reg                act_ok_q;
    reg                wgt_ok_q;
    reg [ACT_W-1:0]    act_release_q;
    reg [WGT_W-1:0]    wgt_release_q;
    reg                row_end_q;
    reg                last_use_q;
    reg [CREDIT_W-1:0] credits_q;
    reg                credit_q;  // there is one
    reg                credit_return_q;

    wire take = valid_q && act_ok_q && wgt_ok_q && (credit_q || !step_last);
    wire end_of_window = take && step_last;
    wire [CREDIT_W-1:0] credits = credits_q + {{CREDIT_W - 1{1'b0}}, credit_return_q} - {{CREDIT_W - 1{1'b0}}, end_of_window};

    assign walk_ready = !valid_q || take;
    assign step_valid = take;
    assign busy       = valid_q;
    assign stall_act  = valid_q && !act_ok_q;
    assign stall_wgt  = valid_q && act_ok_q && !wgt_ok_q;
    assign stall_out  = valid_q && act_ok_q && wgt_ok_q && !take;

    always @(posedge clk) begin
        if (walk_ready) begin
            step_last        <= walk_last;
            step_any         <= walk_any;
            step_multiply    <= walk_multiply;
            step_depthwise   <= cfg_depthwise;
            step_spread      <= cfg_spread;
            step_row         <= walk_row;
            step_clear       <= walk_clear;
            step_first_lane  <= walk_first_lane;
            step_last_lane   <= walk_last_lane;
            step_act         <= walk_act;
            step_wgt         <= walk_wgt;
            step_out         <= walk_out;
            step_final       <= walk_final;
            step_last_filter <= walk_last_filter;
            step_new_group   <= walk_new_group;
            step_last_group  <= walk_last_group;
            step_layer_end   <= walk_layer_end;
            step_zero_point  <= cfg_in_zero_point;
            last_word_q      <= walk_last_word;
            act_release_q    <= walk_act_release;
            wgt_release_q    <= walk_wgt_release;
            row_end_q        <= walk_row_end;
            last_use_q       <= walk_last_use;
            act_ok_q         <= (!walk_any || act_here(act_written, walk_last_word))
                             && (!(walk_last && walk_row_end) || may_release(act_written, walk_act_release[ACT_W-1:LANE_W]));
            wgt_ok_q         <= wgt_here(wgt_written, walk_wgt);
        end else begin
            act_ok_q <= (!step_any || act_here(act_written, last_word_q))
                     && (!(step_last && row_end_q) || may_release(act_written, act_release_q[ACT_W-1:LANE_W]));
            wgt_ok_q <= wgt_here(wgt_written, step_wgt);
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
            credit_q            <= 1'b1;
            credit_return_q     <= 1'b0;
            act_release_now_q   <= {WORD_W{1'b0}};
            wgt_release_now_q   <= {WGT_W{1'b0}};
            act_release_later_q <= {WORD_W * DELAY{1'b0}};
            wgt_release_later_q <= {WGT_W * DELAY{1'b0}};
            act_released        <= {WORD_W{1'b0}};
            wgt_released        <= {WGT_W{1'b0}};
        end else begin
            if (walk_ready) valid_q <= walk_valid;
            credit_return_q <= credit_return;
            credits_q <= credits;
            credit_q  <= credits != {CREDIT_W{1'b0}};
            if (end_of_window && row_end_q) act_release_now_q <= act_release_q[ACT_W-1:LANE_W];
            if (valid_q && last_use_q) wgt_release_now_q <= end_of_window ? wgt_release_q : step_wgt;
            {act_released, act_release_later_q} <= {act_release_later_q, act_release_now_q};
            {wgt_released, wgt_release_later_q} <= {wgt_release_later_q, wgt_release_now_q};
        end
    end

    wire unused = &{1'b0, act_release_q[LANE_W-1:0]};

endmodule

`default_nettype wire
