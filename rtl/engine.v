// engine: computes layer after layer; all of the core that a halt resets, but the set-up.
//
//   act_word --> activation_loader --> +----------+
//                                      | datapath | --> finisher --> result_reader --> out_word
//   wgt_word --> weight_loader ------> +----------+        ^
//                      |                    ^              |
//                      |              rows --> walk        |
//                      +---------- constants --------------+
//
// Each of the four who take a layer keeps the numbers it needs, two layers deep, and goes on to the next layer when it
// is done with the one before.
// Does not: look at the registers or at the pins. This module is wiring only.
//
// Throughput: LANES_IN * LANES_OUT multiply-accumulates a cycle.

`default_nettype none

module engine #(
    `include "parameters.vh"
) (
    input  wire                   clk,
    input  wire                   rst,

    input  wire [           38:0] numbers,      // of the next layer: valid, index, value (layer_numbers.vh)
    input  wire [            3:0] layer_valid,  // for 0 activations, 1 weights, 2 walk, 3 finisher and reader
    output wire [            3:0] layer_ready,

    output wire [           15:0] frames,       // of the layer, the cycle after activations have taken it
    input  wire [   9*LANES_IN:0] act_word,     // {last, keep, data}
    input  wire                   act_valid,
    output wire                   act_ready,
    output wire [            2:0] act_error,    // one cycle each: TLAST early, TLAST late, TKEEP

    input  wire [   9*LANES_IN:0] wgt_word,
    input  wire                   wgt_valid,
    output wire                   wgt_ready,
    output wire [            2:0] wgt_error,

    output wire [9*LANES_OUT+1:0] out_word,     // {last of the layer, last, keep, data}
    output wire                   out_valid,
    input  wire                   out_ready,

    output wire                   step_valid,   // a step is taken
    output wire [            2:0] stalls        // one waits: {for a result's place, for weights, for activations}
);

    `include "step.vh"

    wire [38:0] item;
    wire item_valid;
    wire item_ready;
    wire [ACT_WRITE_W-1:0] act_write;
    wire [ACT_COUNT_W-1:0] act_written;
    wire [ACT_COUNT_W-1:0] act_released;
    wire [WGT_WRITE_W-1:0] wgt_write;
    wire [WGT_W-1:0] wgt_written;
    wire [WGT_W-1:0] wgt_released;
    wire [CONST_WRITE_W-1:0] const_write;
    wire [CONST_COUNT_W-1:0] const_released;
    wire [STEP_W-1:0] step;
    wire [MARKS_W-1:0] marks;
    wire result_valid;
    wire [32*LANES_OUT-1:0] result;
    wire credit;
    wire finisher_ready;
    wire [OUT_WRITE_W-1:0] out_write;
    wire [OUT_W-1:0] out_committed;
    wire [OUT_W-1:0] out_read;
    wire reader_ready;

    // Finisher and reader take a layer together.
    wire take_results = layer_valid[3] && layer_ready[3];

    assign layer_ready[3] = finisher_ready && reader_ready;

    activation_loader #(
        `include "same_parameters.vh"
    ) u_activation_loader (
        .clk        (clk),
        .rst        (rst),
        .numbers    (numbers),
        .layer_valid(layer_valid[0]),
        .layer_ready(layer_ready[0]),
        .frames     (frames),
        .s_word     (act_word),
        .s_valid    (act_valid),
        .s_ready    (act_ready),
        .write      (act_write),
        .written    (act_written),
        .released   (act_released),
        .error      (act_error)
    );

    weight_loader #(
        `include "same_parameters.vh"
    ) u_weight_loader (
        .clk           (clk),
        .rst           (rst),
        .numbers       (numbers),
        .layer_valid   (layer_valid[1]),
        .layer_ready   (layer_ready[1]),
        .s_word        (wgt_word),
        .s_valid       (wgt_valid),
        .s_ready       (wgt_ready),
        .const_write   (const_write),
        .const_released(const_released),
        .wgt_write     (wgt_write),
        .wgt_written   (wgt_written),
        .wgt_released  (wgt_released),
        .error         (wgt_error)
    );

    rows #(
        `include "same_parameters.vh"
    ) u_rows (
        .clk        (clk),
        .rst        (rst),
        .numbers    (numbers),
        .layer_valid(layer_valid[2]),
        .item       (item),
        .item_valid (item_valid),
        .item_ready (item_ready)
    );

    walk #(
        `include "same_parameters.vh"
    ) u_walk (
        .clk          (clk),
        .rst          (rst),
        .numbers      (numbers),
        .layer_valid  (layer_valid[2]),
        .layer_ready  (layer_ready[2]),
        .item         (item),
        .item_valid   (item_valid),
        .item_ready   (item_ready),
        .act_written  (act_written),
        .wgt_written  (wgt_written),
        .act_released (act_released),
        .wgt_released (wgt_released),
        .credit_return(credit),
        .step_valid   (step_valid),
        .step         (step),
        .marks        (marks),
        .stalls       (stalls)
    );

    datapath #(
        `include "same_parameters.vh"
    ) u_datapath (
        .clk         (clk),
        .rst         (rst),
        .act_write   (act_write),
        .wgt_write   (wgt_write),
        .step_valid  (step_valid),
        .step        (step),
        .result_valid(result_valid),
        .result      (result)
    );

    finisher #(
        `include "same_parameters.vh"
    ) u_finisher (
        .clk           (clk),
        .rst           (rst),
        .numbers       (numbers),
        .take_layer    (take_results),
        .ready         (finisher_ready),
        .const_write   (const_write),
        .const_released(const_released),
        .mark_valid    (step_valid && step[STEP_LAST]),
        .mark          (marks),
        .vector_valid  (result_valid),
        .vector        (result),
        .credit        (credit),
        .write         (out_write),
        .committed     (out_committed),
        .read          (out_read)
    );

    result_reader #(
        `include "same_parameters.vh"
    ) u_result_reader (
        .clk      (clk),
        .rst      (rst),
        .numbers  (numbers),
        .take     (take_results),
        .ready    (reader_ready),
        .write    (out_write),
        .committed(out_committed),
        .read     (out_read),
        .m_word   (out_word),
        .m_valid  (out_valid),
        .m_ready  (out_ready)
    );

endmodule

`default_nettype wire
