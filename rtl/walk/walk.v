// walk: from the items of rows.v to steps, cycle by cycle: windows, their queue, steps, gate.
//
// A layer is taken when its first item waits and everything here is empty; rows.v works ahead of that.
// Does not: touch data.
//
// Latency: 7 cycles from an item taken to its first step, if all it needs is there: 5 to the head of the queue
// (windows.v), 1 to steps.v, 1 to gate.v. A layer is taken at the earliest the cycle after the last step of the one
// before, its first item two cycles later: 9 cycles without a step. Throughput: one step a cycle.

`default_nettype none

module walk #(
    `include "parameters.vh"
) (
    input  wire                   clk,
    input  wire                   rst,

    input  wire [           38:0] numbers,        // layer_numbers.vh
    input  wire                   layer_valid,
    output wire                   layer_ready,    // taken when both are high

    input  wire [           38:0] item,           // item_numbers.vh
    input  wire                   item_valid,
    output wire                   item_ready,

    input  wire [ACT_COUNT_W-1:0] act_written,
    input  wire [      WGT_W-1:0] wgt_written,
    output wire [ACT_COUNT_W-1:0] act_released,
    output wire [      WGT_W-1:0] wgt_released,
    input  wire                   credit_return,

    output wire                   step_valid,
    output wire [     STEP_W-1:0] step,           // step.vh
    output wire [    MARKS_W-1:0] marks,          // marks.vh
    output wire [            2:0] stalls          // a step waits: {for a result's place, for weights, for activations}
);

    `include "item_numbers.vh"
    `include "window.vh"

    // The flags come last, so that the latest are those of the item that waits.
    reg  first_item_q;
    reg  layer_q;  // the waiting item's layer has been taken
    reg  settled_q;
    wire windows_busy;
    wire gate_busy;
    wire queued;
    wire walk_valid;
    wire take = layer_valid && layer_ready;
    wire known_valid = item_valid && (!first_item_q || settled_q);
    wire known_ready;

    wire idle = !windows_busy && !queued && !walk_valid && !gate_busy;

    assign layer_ready = item_valid && first_item_q && !layer_q && idle;
    assign item_ready  = known_ready && (!first_item_q || settled_q);

    always @(posedge clk) begin
        if (item[38] && item[37:32] == ITEM_FLAGS) first_item_q <= item[ITEM_FIRST];
        if (rst) {settled_q, layer_q} <= 2'b00;
        else if (take) layer_q <= 1'b1;
        else if (item_valid && item_ready) {settled_q, layer_q} <= 2'b00;
        else settled_q <= layer_q;
    end

    wire                   item_held;
    wire                   window_pushed;
    wire [   WINDOW_W-1:0] window;
    wire [   WINDOW_W-1:0] head;
    wire                   head_ready;
    wire                   pop = queued && head_ready;
    wire                   walk_ready;
    wire [WALK_STEP_W-1:0] walk_step;

    windows #(
        `include "same_parameters.vh"
    ) u_windows (
        .clk         (clk),
        .rst         (rst),
        .busy        (windows_busy),
        .numbers     (numbers),
        .take        (take),
        .item        (item),
        .item_valid  (known_valid),
        .item_ready  (known_ready),
        .item_held   (item_held),
        .window_valid(window_pushed),
        .window      (window),
        .window_taken(pop)
    );

    fifo #(
        .WIDTH(WINDOW_W),
        .DEPTH(WINDOWS)
    ) u_fifo (
        .clk       (clk),
        .rst       (rst),
        .push      (window_pushed),
        .push_data (window),
        .head_valid(queued),
        .head      (head),
        .pop       (pop)
    );

    steps #(
        `include "same_parameters.vh"
    ) u_steps (
        .clk         (clk),
        .rst         (rst),
        .numbers     (numbers),
        .take        (take),
        .window_valid(queued),
        .window_ready(head_ready),
        .window      (head),
        .walk_valid  (walk_valid),
        .walk_ready  (walk_ready),
        .walk_step   (walk_step)
    );

    gate #(
        `include "same_parameters.vh"
    ) u_gate (
        .clk          (clk),
        .rst          (rst),
        .busy         (gate_busy),
        .numbers      (numbers),
        .take         (take),
        .item         (item),
        .take_item    (known_valid && known_ready),
        .item_held    (item_held),
        .walk_valid   (walk_valid),
        .walk_ready   (walk_ready),
        .walk_step    (walk_step),
        .act_written  (act_written),
        .wgt_written  (wgt_written),
        .act_released (act_released),
        .wgt_released (wgt_released),
        .credit_return(credit_return),
        .step_valid   (step_valid),
        .step         (step),
        .marks        (marks),
        .stalls       (stalls)
    );

endmodule

`default_nettype wire
