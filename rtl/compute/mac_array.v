// mac_array: LANES_OUT filters side by side, each with its part of the weight buffer, a dot product of LANES_IN lanes
// and a 32-bit accumulator.
//
// A window is a run of steps that ends with `last`; what comes next belongs to the next window. The sums of a window
// appear side by side on `result` and stay until the next ones. The weight buffer is a ring; the loader and the walk
// count what is valid in it.
// Does not: saturate. An accumulator wraps modulo 2^32.
//
// Latency: step_wgt goes two cycles ahead of the other step ports (the weights then meet the activations at the
// multipliers, two registers after their memory's own); result_valid comes 3 + log2(LANES_IN) cycles after these.
// Throughput: one step a cycle. It never stalls.

`default_nettype none

module mac_array #(
    `include "parameters.vh"
) (
    input  wire                               clk,
    input  wire                               rst,

    input  wire [            WGT_WRITE_W-1:0] write,         // {filter, one-hot, or 0; word; data, signed, -255 to 255}

    input  wire [             WGT_ADDR_W-1:0] step_wgt,      // weight word of the step two cycles from now
    input  wire                               step_valid,
    input  wire                               step_last,
    input  wire [             9*LANES_IN-1:0] activations,   // signed, -255 to 255
    input  wire [9*MOST_TAPS*FEWER_LANES-1:0] taps,          // lanes below, of each of the first FEWER_LANES filters

    output reg                                result_valid,
    output reg  [           32*LANES_OUT-1:0] result         // filter 0 lowest
);

    localparam SUM_W = 17 + $clog2(LANES_IN);
    localparam LATENCY = 2 + $clog2(LANES_IN);  // of dot_product

    reg [LATENCY-1:0] valid_q;
    reg [LATENCY-1:0] last_q;

    always @(posedge clk) last_q <= {last_q[LATENCY-2:0], step_valid && step_last};

    always @(posedge clk) begin
        if (rst) begin
            valid_q        <= {LATENCY{1'b0}};
            result_valid   <= 1'b0;
        end else begin
            valid_q        <= {valid_q[LATENCY-2:0], step_valid};
            result_valid   <= valid_q[LATENCY-1] && last_q[LATENCY-1];
        end
    end

    wire [LANES_OUT-1:0] wr_lane;
    wire [WGT_ADDR_W-1:0] wr_word;
    wire [9*LANES_IN-1:0] wr_data;

    assign {wr_lane, wr_word, wr_data} = write;

    wire [SUM_W*LANES_OUT-1:0] sums;

    genvar o;
    generate
        for (o = 0; o < LANES_OUT; o = o + 1) begin : gen_filter
            wire [9*LANES_IN-1:0] weights;
            wire [9*LANES_IN-1:0] own;

            ram #(
                .WIDTH          (9 * LANES_IN),
                .DEPTH          (WGT_WORDS),
                .OUTPUT_REGISTER(1)
            ) u_weights (
                .clk    (clk),
                .write  ({wr_lane[o], wr_word, wr_data}),
                .rd_en  (1'b1),
                .rd_addr(step_wgt),
                .rd_data(weights)
            );

            if (o >= FEWER_LANES) begin : gen_shared
                assign own = activations;
            end else if (MOST_TAPS < LANES_IN) begin : gen_some_taps
                assign own = {activations[9*LANES_IN-1:9*MOST_TAPS], taps[9*MOST_TAPS*o+:9*MOST_TAPS]};
            end else begin : gen_taps
                assign own = taps[9*MOST_TAPS*o+:9*MOST_TAPS];
            end

            dot_product #(
                .LANES(LANES_IN)
            ) u_dot_product (
                .clk        (clk),
                .activations(own),
                .weights    (weights),
                .sum        (sums[SUM_W*o+:SUM_W])
            );
        end
    endgenerate

    // Each accumulator is 0 when a window begins, so it needs no multiplexer in front of its adder.
    function [32*LANES_OUT-1:0] accumulate(input [32*LANES_OUT-1:0] acc, input [SUM_W*LANES_OUT-1:0] more);
        integer i;
        for (i = 0; i < LANES_OUT; i = i + 1) begin
            accumulate[32*i+:32] = acc[32*i+:32] + {{32 - SUM_W{more[SUM_W*i+SUM_W-1]}}, more[SUM_W*i+:SUM_W]};
        end
    endfunction

    reg [32*LANES_OUT-1:0] acc_q;

    // Called at the clock's edge, not in an assignment, which an event-driven simulator would repeat for each sum.
    always @(posedge clk) begin
        if (rst || last_q[LATENCY-1]) acc_q <= {32 * LANES_OUT{1'b0}};
        else if (valid_q[LATENCY-1]) acc_q <= accumulate(acc_q, sums);
        if (last_q[LATENCY-1]) result <= accumulate(acc_q, sums);
    end

    // Only filters without taps of their own, and lanes above the taps, look at these.
    wire unused = &{1'b0, activations};

endmodule

`default_nettype wire
