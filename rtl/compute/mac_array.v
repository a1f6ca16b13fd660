// mac_array: LANES_OUT filters side by side, each with its part of the weight buffer, a dot product of LANES_IN lanes
// and a 32-bit accumulator.
//
// All filters see the same activations, except in depthwise layers. A window is the run of steps from `first` to `last` (both may be set in
// one step); its sums appear side by side on `result`. The weight buffer is a ring; the loader and the sequencer
// count what is valid in it.
// Does not: saturate. An accumulator wraps modulo 2^32.
//
// Latency: step_wgt goes one cycle ahead of the other step ports; result_valid comes 3 + ceil(log2(LANES_IN) / 2)
// cycles after these.
// Throughput: one step a cycle. It never stalls.

`default_nettype none

module mac_array #(
    parameter LANES_IN  = 16,
    parameter LANES_OUT = 16,
    parameter WGT_WORDS = 1024,  // words of LANES_IN weights, for each filter
    parameter CHANNELS  = 16,    // at most LANES_OUT
    parameter TAPS      = 11     // at most LANES_IN
) (
    input  wire                         clk,
    input  wire                         rst,

    input  wire [        LANES_OUT-1:0] wgt_wr_lane,  // one-hot: the filter written, or 0
    input  wire [$clog2(WGT_WORDS)-1:0] wgt_wr_word,
    input  wire [       8*LANES_IN-1:0] wgt_wr_data,

    input  wire [$clog2(WGT_WORDS)-1:0] step_wgt,     // weight word of the next cycle's step
    input  wire                         step_valid,
    input  wire                         step_first,
    input  wire                         step_last,
    input  wire [       9*LANES_IN-1:0] activations,  // signed 9 bits a lane, zero point subtracted
    input  wire                         depthwise,    // each filter has activations of its own:
    input  wire [  9*TAPS*CHANNELS-1:0] taps,         // TAPS each for the first CHANNELS filters

    output wire                         result_valid,
    output wire [     32*LANES_OUT-1:0] result        // filter 0 lowest
);

    localparam SUM_W   = 16 + $clog2(LANES_IN);
    localparam LATENCY = 2 + ($clog2(LANES_IN) + 1) / 2;  // of dot_product

    reg [LATENCY-1:0] valid_q;
    reg [LATENCY-1:0] first_q;
    reg [LATENCY-1:0] last_q;
    reg               result_valid_q;

    always @(posedge clk) begin
        first_q <= {first_q[LATENCY-2:0], step_first};
        last_q  <= {last_q[LATENCY-2:0], step_last};
    end

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

    genvar o;
    generate
        for (o = 0; o < LANES_OUT; o = o + 1) begin : gen_filter
            wire [8*LANES_IN-1:0] weights;
            wire [     SUM_W-1:0] sum;
            wire [9*LANES_IN-1:0] own;
            reg  [          31:0] acc_q;

            ram #(
                .WIDTH(8 * LANES_IN),
                .DEPTH(WGT_WORDS)
            ) u_weights (
                .clk    (clk),
                .wr_en  (wgt_wr_lane[o]),
                .wr_addr(wgt_wr_word),
                .wr_data(wgt_wr_data),
                .rd_en  (1'b1),
                .rd_addr(step_wgt),
                .rd_data(weights)
            );

            if (o < CHANNELS) begin : gen_taps
                assign own = {{9 * (LANES_IN - TAPS) {1'b0}}, taps[9*TAPS*o+:9*TAPS]};
            end else begin : gen_no_taps
                assign own = {9 * LANES_IN{1'b0}};
            end

            dot_product #(
                .LANES(LANES_IN)
            ) u_dot_product (
                .clk        (clk),
                .activations(activations),
                .taps       (own),
                .depthwise  (depthwise),
                .weights    (weights),
                .sum        (sum)
            );

            always @(posedge clk) begin
                if (valid_q[LATENCY-1])
                    acc_q <= (first_q[LATENCY-1] ? 32'd0 : acc_q) + {{32 - SUM_W{sum[SUM_W-1]}}, sum};
            end

            assign result[32*o+:32] = acc_q;
        end
    endgenerate

endmodule

`default_nettype wire
