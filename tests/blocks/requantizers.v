// requantizers: LANES requantizers side by side, so that a simulation deals with many numbers each cycle.

`default_nettype none

module requantizers #(
    parameter LANES = 32,
    parameter FLOAT = 1
) (
    input  wire                clk,

    input  wire [32*LANES-1:0] acc,
    input  wire [32*LANES-1:0] bias,
    input  wire [32*LANES-1:0] mult,
    input  wire [ 8*LANES-1:0] shift,

    input  wire                by_float,
    input  wire                by_single,
    input  wire [         7:0] zero_point,
    input  wire [         7:0] smallest,
    input  wire [         7:0] largest,

    output wire [32*LANES-1:0] biased,
    output wire [ 8*LANES-1:0] result
);

    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : gen_lane
            requantizer #(
                .FLOAT(FLOAT)
            ) u_requantizer (
                .clk       (clk),
                .acc       (acc[32*i+:32]),
                .bias      (bias[32*i+:32]),
                .mult      (mult[32*i+:32]),
                .shift     (shift[8*i+:8]),
                .by_float  (by_float),
                .by_single (by_single),
                .zero_point(zero_point),
                .smallest  (smallest),
                .largest   (largest),
                .biased    (biased[32*i+:32]),
                .result    (result[8*i+:8])
            );
        end
    endgenerate

endmodule

`default_nettype wire
