// datapath: from steps to accumulator vectors: activation buffer, zero point, tap memory, array.
//
// Lanes outside the image (before the first or after the last lane of a step) count as the zero point, that is as
// nothing. The zero point is subtracted before the multiplier, so padding needs no correction later.
// A window is a run of steps that multiply; its last one says so. Depthwise, steps that don't multiply only put their
// column into the tap memory.
// Does not: know loops or addresses; a step says what to read.
//
//   cycle  0        1     2      3      4        5             6         7         8         9 ...    9 + adder levels
//   act    address  word  banks  banks  rotated  less zero p.  operands  operands  products  sums ... result
//   wgt                                 address  weights       weights   weights
//
// Latency: result_valid comes 9 + log2(LANES_IN) cycles after a window's last step.
// Throughput: one step a cycle. It never stalls.

`default_nettype none

module datapath #(
    `include "parameters.vh"
) (
    input  wire                    clk,
    input  wire                    rst,

    input  wire [ ACT_WRITE_W-1:0] act_write,     // {valid, word, data}
    input  wire [ WGT_WRITE_W-1:0] wgt_write,     // {filter, one-hot, or 0; word; data, signed, -255 to 255}

    input  wire                    step_valid,
    input  wire [      STEP_W-1:0] step,          // step.vh

    output wire                    result_valid,
    output wire [32*LANES_OUT-1:0] result
);

    `include "step.vh"

    // The step walks beside its data: the lanes that count for three stages, the rest for four.
    localparam LANES_W = 2 * LANE_W + 9;
    localparam FACTS_W = WGT_ADDR_W + 10;

    reg [3:0] valid_q;  // stage 1 lowest
    reg [3*LANES_W-1:0] lanes_q;
    reg [4*FACTS_W-1:0] facts_q;

    wire any_q3;
    wire [LANE_W-1:0] first_lane_q3;
    wire [LANE_W-1:0] last_lane_q3;
    wire [7:0] zero_point_q3;
    wire multiply_q4;
    wire depthwise_q4;
    wire [1:0] spread_q4;
    wire [3:0] row_q4;
    wire clear_q4;
    wire last_q4;
    wire [WGT_ADDR_W-1:0] wgt_q4;

    assign {any_q3, first_lane_q3, last_lane_q3, zero_point_q3} = lanes_q[2*LANES_W+:LANES_W];
    assign {multiply_q4, depthwise_q4, spread_q4, row_q4, clear_q4, last_q4, wgt_q4} = facts_q[3*FACTS_W+:FACTS_W];

    wire [LANES_W-1:0] step_lanes = {
        step[STEP_ANY], step[STEP_FIRST_LANE+:LANE_W], step[STEP_LAST_LANE+:LANE_W], step[STEP_ZERO_POINT+:8]
    };
    wire [FACTS_W-1:0] step_facts = {
        step[STEP_MULTIPLY], step[STEP_DEPTHWISE], step[STEP_SPREAD+:2], step[STEP_ROW+:4], step[STEP_CLEAR],
        step[STEP_LAST], step[STEP_WGT+:WGT_ADDR_W]
    };

    always @(posedge clk) begin
        lanes_q <= {lanes_q[2*LANES_W-1:0], step_lanes};
        facts_q <= {facts_q[3*FACTS_W-1:0], step_facts};
    end

    reg multiplies_q5;
    reg remembers_q5;
    reg depthwise_q5;
    reg [1:0] spread_q5;
    reg [3:0] row_q5;
    reg clear_q5;
    reg last_q5;
    reg multiplies_q6;
    reg last_q6;

    always @(posedge clk) begin
        if (rst) begin
            {valid_q, multiplies_q5, remembers_q5, multiplies_q6} <= 7'd0;
        end else begin
            valid_q       <= {valid_q[2:0], step_valid};
            multiplies_q5 <= valid_q[3] && multiply_q4;
            remembers_q5  <= valid_q[3] && depthwise_q4;
            multiplies_q6 <= multiplies_q5;
        end
    end

    always @(posedge clk) begin
        {depthwise_q5, spread_q5, row_q5, clear_q5} <= {depthwise_q4, spread_q4, row_q4, clear_q4};
        {last_q6, last_q5}                          <= {last_q5, last_q4};
    end

    // Stages 1 to 4: the bytes, and which of them are inside the image.
    wire [8*LANES_IN-1:0] bytes_q4;

    activation_buffer #(
        .LANES(LANES_IN),
        .BYTES(ACT_BYTES)
    ) u_activation_buffer (
        .clk    (clk),
        .write  (act_write),
        .rd_addr(step[STEP_ACT+:ACT_ADDR_W]),
        .rd_data(bytes_q4)
    );

    // Whole vectors are computed in functions: an event-driven simulator then works once a cycle, not once a lane.
    function [LANES_IN-1:0] between(input any, input [LANE_W-1:0] first, input [LANE_W-1:0] last);
        integer i;
        for (i = 0; i < LANES_IN; i = i + 1) between[i] = any && i[LANE_W-1:0] >= first && i[LANE_W-1:0] <= last;
    endfunction

    function [9*LANES_IN-1:0] subtract(input [8*LANES_IN-1:0] bytes, input [7:0] zero_point,
                                       input [LANES_IN-1:0] counts);
        integer i;
        for (i = 0; i < LANES_IN; i = i + 1) begin
            subtract[9*i+:9] = counts[i] ? {bytes[8*i+7], bytes[8*i+:8]} - {zero_point[7], zero_point} : 9'd0;
        end
    endfunction

    reg [LANES_IN-1:0] inside_q4;
    reg [7:0] zero_point_q4;
    reg [9*LANES_IN-1:0] activations_q5;
    reg [9*LANES_IN-1:0] activations_q6;

    always @(posedge clk) begin
        inside_q4      <= between(any_q3, first_lane_q3, last_lane_q3);
        zero_point_q4  <= zero_point_q3;
        activations_q5 <= subtract(bytes_q4, zero_point_q4, inside_q4);
        activations_q6 <= activations_q5;
    end

    // Depthwise, the filters see taps of their own: 1, 2 or 4 of them those of the same channel.
    function [9*FEWER_LANES-1:0] side_by_side(input [9*FEWER_LANES-1:0] column, input [1:0] spread);
        integer o;
        for (o = 0; o < FEWER_LANES; o = o + 1) begin
            side_by_side[9*o+:9] = spread[1] ? column[9*(o/4)+:9] : spread[0] ? column[9*(o/2)+:9] : column[9*o+:9];
        end
    endfunction

    wire [9*MOST_TAPS*FEWER_LANES-1:0] taps_q6;

    tap_memory #(
        .CHANNELS(FEWER_LANES),
        .TAPS    (MOST_TAPS)
    ) u_tap_memory (
        .clk      (clk),
        .enable   (remembers_q5),
        .depthwise(depthwise_q5),
        .row      (row_q5),
        .clear    (clear_q5),
        .column   (side_by_side(activations_q5[9*FEWER_LANES-1:0], spread_q5)),
        .shared   (activations_q5[9*MOST_TAPS-1:0]),
        .taps     (taps_q6)
    );

    mac_array #(
        `include "same_parameters.vh"
    ) u_mac_array (
        .clk         (clk),
        .rst         (rst),
        .write       (wgt_write),
        .step_wgt    (wgt_q4),
        .step_valid  (multiplies_q6),
        .step_last   (last_q6),
        .activations (activations_q6),
        .taps        (taps_q6),
        .result_valid(result_valid),
        .result      (result)
    );

endmodule

`default_nettype wire
