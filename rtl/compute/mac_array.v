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
    parameter LANES_IN  = 16,
    parameter LANES_OUT = 16,
    parameter WGT_WORDS = 1024,  // words of LANES_IN weights, for each filter
    parameter CHANNELS  = 16,    // at most LANES_OUT: filters that may have activations of their own
    parameter TAPS      = 11     // at most LANES_IN: how many, in the lowest lanes
) (
    input  wire                         clk,
    input  wire                         rst,

    input  wire [        LANES_OUT-1:0] wgt_wr_lane,  // one-hot: the filter written, or 0
    input  wire [$clog2(WGT_WORDS)-1:0] wgt_wr_word,
    input  wire [       9*LANES_IN-1:0] wgt_wr_data,  // signed, -255 to 255

    input  wire [$clog2(WGT_WORDS)-1:0] step_wgt,     // weight word of the step two cycles from now
    input  wire                         step_valid,
    input  wire                         step_last,
    input  wire [       9*LANES_IN-1:0] activations,  // signed, -255 to 255; lanes from TAPS on, of all filters
    input  wire [  9*TAPS*CHANNELS-1:0] taps,         // lanes below TAPS, TAPS for each of the first CHANNELS filters

    output wire                         result_valid,
    output wire [     32*LANES_OUT-1:0] result        // filter 0 lowest
);

    localparam SUM_W = 17 + $clog2(LANES_IN);
    localparam LATENCY = 2 + $clog2(LANES_IN);  // of dot_product

    reg [LATENCY-1:0] valid_q;
    reg [LATENCY-1:0] last_q;
    reg               result_valid_q;

    always @(posedge clk) last_q <= {last_q[LATENCY-2:0], step_valid && step_last};

    always @(posedge clk) begin
        if (rst) begin
            valid_q        <= {LATENCY{1'b0}};
            result_valid_q <= 1'b0;
        end else begin
            valid_q        <= {valid_q[LATENCY-2:0], step_valid};
            result_valid_q <= valid_q[LATENCY-1] && last_q[LATENCY-1];
        end
    end

    assign result_valid = result_valid_q;

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
                .wr_en  (wgt_wr_lane[o]),
                .wr_addr(wgt_wr_word),
                .wr_data(wgt_wr_data),
                .rd_en  (1'b1),
                .rd_addr(step_wgt),
                .rd_data(weights)
            );

            if (o >= CHANNELS) begin : gen_shared
                assign own = activations;
            end else if (TAPS < LANES_IN) begin : gen_some_taps
                assign own = {activations[9*LANES_IN-1:9*TAPS], taps[9*TAPS*o+:9*TAPS]};
            end else begin : gen_taps
                assign own = taps[9*TAPS*o+:9*TAPS];
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
    reg [32*LANES_OUT-1:0] result_q;

    // Called at the clock's edge, not in an assignment, which an event-driven simulator would repeat for each sum.
    always @(posedge clk) begin
        if (rst || last_q[LATENCY-1]) acc_q <= {32 * LANES_OUT{1'b0}};
        else if (valid_q[LATENCY-1]) acc_q <= accumulate(acc_q, sums);
        if (last_q[LATENCY-1]) result_q <= accumulate(acc_q, sums);
    end

    assign result = result_q;

    // Only filters without taps of their own, and lanes above the taps, look at these.
    wire unused = &{1'b0, activations};

endmodule

`default_nettype wire
