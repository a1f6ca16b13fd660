// mac_array: LANES_OUT dot products of LANES_IN lanes, each with a 32-bit accumulator.
//
// All dot products see the same activations; each has weights of its own. A window is the run of steps
// from `first` to `last` (both may be set in one step); its sums appear side by side on `result`.
// Does not: saturate. An accumulator wraps modulo 2^32.
//
// Latency: result_valid comes 2 + ceil(log2(LANES_IN) / 2) cycles after the step with `last`.
// Throughput: one step a cycle. It never stalls.

`default_nettype none

module mac_array #(
    parameter LANES_IN  = 16,
    parameter LANES_OUT = 16
) (
    input  wire                              clk,
    input  wire                              rst,

    input  wire                              step_valid,
    input  wire                              step_first,
    input  wire                              step_last,
    input  wire [            9*LANES_IN-1:0] activations,  // signed 9 bits a lane, zero point subtracted
    input  wire [8*LANES_IN*LANES_OUT-1:0]   weights,      // signed 8 bits, LANES_IN of filter 0 lowest

    output wire                              result_valid,
    output wire [          32*LANES_OUT-1:0] result        // filter 0 lowest
);

    localparam SUM_W   = 16 + $clog2(LANES_IN);
    localparam LATENCY = 1 + ($clog2(LANES_IN) + 1) / 2;  // of dot_product

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
            wire signed [SUM_W-1:0] sum;
            reg signed  [     31:0] acc_q;

            dot_product #(
                .LANES(LANES_IN)
            ) u_dot_product (
                .clk        (clk),
                .activations(activations),
                .weights    (weights[8*LANES_IN*o+:8*LANES_IN]),
                .sum        (sum)
            );

            always @(posedge clk) begin
                if (valid_q[LATENCY-1])
                    acc_q <= (first_q[LATENCY-1] ? 32'sd0 : acc_q) + {{32 - SUM_W{sum[SUM_W-1]}}, sum};
            end

            assign result[32*o+:32] = acc_q;
        end
    endgenerate

endmodule

`default_nettype wire
