// datapath: from the sequencer's steps to accumulator vectors: activation buffer, zero point, array.
//
// Lanes outside the image (before the first or behind the last lane of a step) count as the zero point, that is as
// nothing. The zero point is subtracted before the multiplier, so padding needs no correction later.
// Does not: know loops or addresses; a step says what to read.
//
//   cycle  0         1          2       3       4          5             6            7          8          9 ...
//   act    address   bank word  banks   banks   rotated    less zero p.  (taps)       operands   products   sums, accumulator, result
//   wgt                                                    address       weights      operands
//
// Latency: result_valid comes 9 + ceil(log2(LANES_IN) / 2) cycles after a window's last step.
// Throughput: one step a cycle. It never stalls.

`default_nettype none

module datapath #(
    parameter LANES_IN  = 16,
    parameter LANES_OUT = 16,
    parameter ACT_BYTES = 65536,
    parameter WGT_WORDS = 1024
) (
    input  wire                                      clk,
    input  wire                                      rst,

    input  wire                                      act_wr_en,
    input  wire [$clog2(ACT_BYTES)-$clog2(LANES_IN)-1:0] act_wr_word,
    input  wire [                    8*LANES_IN-1:0] act_wr_data,

    input  wire [                     LANES_OUT-1:0] wgt_wr_lane,
    input  wire [             $clog2(WGT_WORDS)-1:0] wgt_wr_word,
    input  wire [                    8*LANES_IN-1:0] wgt_wr_data,

    input  wire                                      step_valid,
    input  wire                                      step_first,
    input  wire                                      step_last,
    input  wire                                      step_any,
    input  wire                                      step_multiply,
    input  wire                                      step_depthwise,
    input  wire [                               1:0] step_spread,      // log2 of the filters that share a channel
    input  wire [                               3:0] step_row,
    input  wire                                      step_clear,
    input  wire [              $clog2(LANES_IN)-1:0] step_first_lane,
    input  wire [              $clog2(LANES_IN)-1:0] step_last_lane,
    input  wire [             $clog2(ACT_BYTES)-1:0] step_act,
    input  wire [             $clog2(WGT_WORDS)-1:0] step_wgt,
    input  wire [                               7:0] step_zero_point,

    output wire                                      result_valid,
    output wire [                  32*LANES_OUT-1:0] result
);

    localparam LANE_W     = $clog2(LANES_IN);
    localparam WGT_WORD_W = $clog2(WGT_WORDS);
    localparam STEP_W     = 3 + 2 * LANE_W + WGT_WORD_W + 8 + 9;
    localparam CHANNELS   = LANES_IN < LANES_OUT ? LANES_IN : LANES_OUT;  // of a depthwise step
    localparam TAPS       = LANES_IN < 11 ? LANES_IN : 11;

    // The step walks beside its data.
    reg [4:0] valid_q;
    reg valid_q6;  // and multiplies
    reg [STEP_W-1:0] step_q1;
    reg [STEP_W-1:0] step_q2;
    reg [STEP_W-1:0] step_q3;
    reg [STEP_W-1:0] step_q4;
    reg first_q5;
    reg last_q5;
    reg multiply_q5;
    reg depthwise_q5;
    reg [1:0] spread_q5;
    reg [3:0] row_q5;
    reg clear_q5;
    reg [WGT_WORD_W-1:0] wgt_q5;
    reg first_q6;
    reg last_q6;
    reg depthwise_q6;

    wire first_q4;
    wire last_q4;
    wire any_q4;
    wire multiply_q4;
    wire depthwise_q4;
    wire [1:0] spread_q4;
    wire [3:0] row_q4;
    wire clear_q4;
    wire [LANE_W-1:0] first_lane_q4;
    wire [LANE_W-1:0] last_lane_q4;
    wire [WGT_WORD_W-1:0] wgt_q4;
    wire [7:0] zero_point_q4;

    assign {
        multiply_q4, depthwise_q4, spread_q4, row_q4, clear_q4, first_q4, last_q4, any_q4,
        first_lane_q4, last_lane_q4, wgt_q4, zero_point_q4
    } = step_q4;

    always @(posedge clk) begin
        step_q1 <= {
            step_multiply, step_depthwise, step_spread, step_row, step_clear, step_first, step_last, step_any,
            step_first_lane, step_last_lane, step_wgt, step_zero_point
        };
        step_q2 <= step_q1;
        step_q3 <= step_q2;
        step_q4 <= step_q3;
        first_q5 <= first_q4;
        last_q5 <= last_q4;
        multiply_q5 <= multiply_q4;
        depthwise_q5 <= depthwise_q4;
        spread_q5 <= spread_q4;
        row_q5 <= row_q4;
        clear_q5 <= clear_q4;
        wgt_q5 <= wgt_q4;
        first_q6 <= first_q5;
        last_q6 <= last_q5;
        depthwise_q6 <= depthwise_q5;
    end

    always @(posedge clk) begin
        if (rst) valid_q <= 5'd0;
        else valid_q <= {valid_q[3:0], step_valid};
        valid_q6 <= valid_q[4] && multiply_q5 && !rst;
    end

    wire [8*LANES_IN-1:0] bytes_q4;

    activation_buffer #(
        .LANES(LANES_IN),
        .BYTES(ACT_BYTES)
    ) u_activation_buffer (
        .clk    (clk),
        .wr_en  (act_wr_en),
        .wr_word(act_wr_word),
        .wr_data(act_wr_data),
        .rd_addr(step_act),
        .rd_data(bytes_q4)
    );

    // Whole vectors are computed in functions: an event-driven simulator then works once a cycle, not once a lane.
    function [9*LANES_IN-1:0] subtract_inside(
        input [8*LANES_IN-1:0] bytes, input [7:0] zero_point, input any, input [LANE_W-1:0] first, input [LANE_W-1:0] last
    );
        integer i;
        begin
            subtract_inside = {9 * LANES_IN{1'b0}};
            for (i = 0; i < LANES_IN; i = i + 1)
                if (any && i[LANE_W-1:0] >= first && i[LANE_W-1:0] <= last)
                    subtract_inside[9*i+:9] = {bytes[8*i+7], bytes[8*i+:8]} - {zero_point[7], zero_point};
        end
    endfunction

    reg [9*LANES_IN-1:0] activations_q5;

    always @(posedge clk)
        activations_q5 <= subtract_inside(bytes_q4, zero_point_q4, any_q4, first_lane_q4, last_lane_q4);

    // Depthwise, the filters see taps of their own: 1, 2 or 4 of them those of the same channel.
    function [9*CHANNELS-1:0] side_by_side(input [9*CHANNELS-1:0] column, input [1:0] spread);
        integer o;
        for (o = 0; o < CHANNELS; o = o + 1)
            side_by_side[9*o+:9] = spread[1] ? column[9*(o/4)+:9] : spread[0] ? column[9*(o/2)+:9] : column[9*o+:9];
    endfunction

    reg [9*LANES_IN-1:0] activations_q6;
    wire [9*TAPS*CHANNELS-1:0] taps_q6;

    always @(posedge clk) activations_q6 <= activations_q5;

    tap_memory #(
        .CHANNELS(CHANNELS),
        .TAPS    (TAPS)
    ) u_tap_memory (
        .clk   (clk),
        .enable(valid_q[4] && depthwise_q5),
        .row   (row_q5),
        .clear (clear_q5),
        .column(side_by_side(activations_q5[9*CHANNELS-1:0], spread_q5)),
        .taps  (taps_q6)
    );

    mac_array #(
        .LANES_IN (LANES_IN),
        .LANES_OUT(LANES_OUT),
        .WGT_WORDS(WGT_WORDS),
        .CHANNELS (CHANNELS),
        .TAPS     (TAPS)
    ) u_mac_array (
        .clk         (clk),
        .rst         (rst),
        .wgt_wr_lane (wgt_wr_lane),
        .wgt_wr_word (wgt_wr_word),
        .wgt_wr_data (wgt_wr_data),
        .step_wgt    (wgt_q5),
        .step_valid  (valid_q6),
        .step_first  (first_q6),
        .step_last   (last_q6),
        .activations (activations_q6),
        .depthwise   (depthwise_q6),
        .taps        (taps_q6),
        .result_valid(result_valid),
        .result      (result)
    );

endmodule

`default_nettype wire
