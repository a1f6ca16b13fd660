// gate: holds each step until it can be taken.
//
// A step is taken when what it needs has arrived and, if it is its window's last, when the result has a place to go.
// All of these are comparisons of counts, so when each step is taken follows from when each word arrived
// (models/cycles is that sentence written out). What a step was the last to need is released after it; where windows
// need nothing, because they lie outside the image, a release waits until it is less than four buffers of activations,
// or 2^22 words of weights, ahead of what came, so that the counts can tell which is ahead.
// Does not: change a step, nor the order.
//
// Latency: 1 cycle; a step sees an arrival the cycle after it was counted. Throughput: one step a cycle; the only step
// of an item is taken a cycle later than others. A release is seen 5 cycles after its step was taken.

`default_nettype none

module gate #(
    `include "parameters.vh"
) (
    input  wire                   clk,
    input  wire                   rst,
    output wire                   busy,

    input  wire [           38:0] numbers,        // of layers (layer_numbers.vh)
    input  wire                   take,           // a layer begins

    input  wire [           38:0] item,           // numbers of items (item_numbers.vh)
    input  wire                   take_item,      // windows.v begins one
    output reg                    item_held,      // its first step has not come yet

    input  wire                   walk_valid,
    output wire                   walk_ready,
    input  wire [WALK_STEP_W-1:0] walk_step,      // from steps.v (step.vh)

    // What has arrived, and what is needed no more, in words.
    input  wire [ACT_COUNT_W-1:0] act_written,
    input  wire [      WGT_W-1:0] wgt_written,
    output reg  [ACT_COUNT_W-1:0] act_released,
    output reg  [      WGT_W-1:0] wgt_released,
    input  wire                   credit_return,  // a result has left the queue

    output wire                   step_valid,
    output reg  [     STEP_W-1:0] step,           // step.vh
    output wire [    MARKS_W-1:0] marks,          // marks.vh; with a window's last step
    output wire [            2:0] stalls          // a step waits: {for a result's place, for weights, for activations}
);

    localparam WORD_W = ACT_COUNT_W;
    localparam CREDIT_W = $clog2(RESULT_QUEUE + 1);
    // A release reaches the loader only after the reads it follows are over.
    localparam DELAY = 3;

    `include "layer_numbers.vh"
    `include "item_numbers.vh"
    `include "step.vh"
    `include "marks.vh"

    wire [OUT_W-1:0] pixel_bytes;

    // verilog_format: off
    number #(.INDEX(PIXEL_BYTES), .WIDTH(OUT_W)) u_pixel_bytes (clk, numbers, take, pixel_bytes);
    // verilog_format: on

    wire                   begins_item;
    wire                   first_window;
    wire                   last_window;
    wire [ACT_COUNT_W-1:0] walk_last_word;
    wire [      WGT_W-1:0] walk_wgt;
    wire [     STEP_W-1:0] next_step;

    assign {begins_item, first_window, last_window, walk_last_word, walk_wgt, next_step} = walk_step;

    // ---------------------------------------------------------------- windows.v's item, and that of the steps
    wire [OUT_W-1:0] next_out;
    wire [ACT_W-1:0] next_act_release;
    wire [WGT_W-1:0] next_wgt_release;
    wire [     11:0] next_flags;

    // verilog_format: off
    number #(.INDEX(ITEM_OUT), .WIDTH(OUT_W))         u_out         (clk, item, take_item, next_out);
    number #(.INDEX(ITEM_ACT_RELEASE), .WIDTH(ACT_W)) u_act_release (clk, item, take_item, next_act_release);
    number #(.INDEX(ITEM_WGT_RELEASE), .WIDTH(WGT_W)) u_wgt_release (clk, item, take_item, next_wgt_release);
    number #(.INDEX(ITEM_FLAGS), .WIDTH(12))          u_flags       (clk, item, take_item, next_flags);
    // verilog_format: on

    wire begins = walk_valid && walk_ready && begins_item;
    wire end_of_window;

    reg [ OUT_W-1:0] out_q;
    reg [WORD_W-1:0] act_release_q;
    reg [ WGT_W-1:0] wgt_release_q;
    reg [      11:0] flags_q;

    always @(posedge clk) begin
        if (begins) begin
            {act_release_q, wgt_release_q} <= {next_act_release[ACT_W-1:LANE_W], next_wgt_release};
            {out_q, flags_q}               <= {next_out, next_flags};
        end else if (end_of_window) begin
            out_q <= out_q + pixel_bytes;
        end

        if (rst) item_held <= 1'b0;
        else if (take_item || begins) item_held <= take_item;
    end

    // ---------------------------------------------------------------- the step
    // Counts are compared by the sign of their difference. It is known a cycle ahead: of the step that comes, or of the
    // one that waits.
    reg              valid_q;
    reg [WORD_W-1:0] last_word_q;
    reg [ WGT_W-1:0] wgt_q;
    reg              first_window_q;
    reg              last_window_q;
    reg              act_ok_q;  // valid, and its activations are there
    reg              wgt_ok_q;
    reg              credit_q;  // there is one

    wire [WORD_W-1:0] walk_act_ahead = walk_last_word - act_written;
    wire [WORD_W-1:0] act_ahead = last_word_q - act_written;
    wire [WORD_W-1:0] release_ahead = act_release_q - act_written;
    wire [ WGT_W-1:0] walk_wgt_ahead = walk_wgt - wgt_written;
    wire [ WGT_W-1:0] wgt_ahead = wgt_q - wgt_written;
    wire              release_ok = release_ahead[WORD_W-1] || !release_ahead[WORD_W-2];

    wire ends_row = last_window_q && step[STEP_LAST] && flags_q[ITEM_ROW_END];
    wire walk_ends_row = last_window && next_step[STEP_LAST] && flags_q[ITEM_ROW_END];
    // Of an item with a single step it is not known yet, as it comes, whether it ends a row.
    wire walk_ends_at_once = last_window && next_step[STEP_LAST] && begins_item;

    wire walk_act_ok = !next_step[STEP_ANY] || walk_act_ahead[WORD_W-1];

    assign step_valid    = act_ok_q && wgt_ok_q && (credit_q || !step[STEP_LAST]);
    assign end_of_window = step_valid && step[STEP_LAST];
    assign walk_ready    = !valid_q || step_valid;
    assign busy          = valid_q || item_held;
    assign stalls        = {act_ok_q && wgt_ok_q && !step_valid, act_ok_q && !wgt_ok_q, valid_q && !act_ok_q};

    always @(posedge clk) begin
        if (walk_ready) begin
            {first_window_q, last_window_q, last_word_q} <= {first_window, last_window, walk_last_word};
            {wgt_q, step}                                <= {walk_wgt, next_step};

            act_ok_q <= walk_valid && walk_act_ok && (!walk_ends_row || release_ok) && !walk_ends_at_once;
            wgt_ok_q <= walk_wgt_ahead[WGT_W-1];
        end else begin
            act_ok_q <= (!step[STEP_ANY] || act_ahead[WORD_W-1]) && (!ends_row || release_ok);
            wgt_ok_q <= wgt_ahead[WGT_W-1];
        end
        if (rst) act_ok_q <= 1'b0;
    end

    assign marks[MARK_LAYER_END]     = flags_q[ITEM_LAYER_END] && last_window_q;
    assign marks[MARK_LAST_BLOCK]    = flags_q[ITEM_LAST_BLOCK];
    assign marks[MARK_NEW_BLOCK]     = flags_q[ITEM_NEW_BLOCK] && first_window_q;
    assign marks[MARK_LAST_PASS]     = flags_q[ITEM_LAST_PASS];
    assign marks[MARK_LAST_FILTER+:5] = flags_q[ITEM_LAST_FILTER+:5];
    assign marks[MARK_OUT+:OUT_W]    = out_q;

    // ---------------------------------------------------------------- credits and releases
    // On the last use of a filter block's weights each step frees all before it, also while it waits: what is
    // skipped, because it lies outside the image, may be more than the buffer holds.
    reg  [    CREDIT_W-1:0] credits_q;
    reg                     credit_return_q;
    reg  [      WORD_W-1:0] act_release_now_q;
    reg  [       WGT_W-1:0] wgt_release_now_q;
    reg  [WORD_W*DELAY-1:0] act_release_later_q;
    reg  [ WGT_W*DELAY-1:0] wgt_release_later_q;
    wire [    CREDIT_W-1:0] returned = {{CREDIT_W - 1{1'b0}}, credit_return_q};
    wire [    CREDIT_W-1:0] credits = credits_q + returned - {{CREDIT_W - 1{1'b0}}, end_of_window};
    wire                    last_use = last_window_q && flags_q[ITEM_FINAL];

    always @(posedge clk) begin
        if (rst) begin
            valid_q             <= 1'b0;
            credits_q           <= RESULT_QUEUE[CREDIT_W-1:0];
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
            {credit_return_q, credits_q} <= {credit_return, credits};
            credit_q        <= credits != {CREDIT_W{1'b0}};
            if (end_of_window && last_window_q && flags_q[ITEM_ROW_END]) act_release_now_q <= act_release_q;
            if (valid_q && last_use) wgt_release_now_q <= end_of_window ? wgt_release_q : wgt_q;
            {act_released, act_release_later_q} <= {act_release_later_q, act_release_now_q};
            {wgt_released, wgt_release_later_q} <= {wgt_release_later_q, wgt_release_now_q};
        end
    end

    wire unused = &{1'b0, flags_q[ITEM_FIRST], next_act_release[LANE_W-1:0]};

endmodule

`default_nettype wire
