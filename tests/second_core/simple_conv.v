// simple_conv: a convolution as one would write it first: load the weights, load the image, then one multiply-accumulate
// a cycle.
//
//   for y, x, o:  acc = bias[o];  for ky, kx, c:  acc += image[y+ky-PAD, x+kx-PAD, c] * kernel[ky, kx, c, o]
//
// Shapes are fixed when it is built; stride 1, square kernel, padding PAD on all four sides (taps outside are worth nothing, but
// cost a cycle all the same). Weights come a byte at a time: a bias of four bytes, lowest first, for each filter, then the
// kernel in the order in which Keras prints it (KY, KX, C, O). The image comes a byte at a time, row by row, a pixel's
// channels together. Results leave as 32-bit words in the order row, column, filter.
// Does not: know zero points or requantise, nor load while it computes.
//
// Cycles: the longer of the two loads, then H*W*COUT * (K*K*CIN + 1).

`default_nettype none

module simple_conv #(
    parameter H    = 4,
    parameter W    = 4,
    parameter CIN  = 2,
    parameter COUT = 2,
    parameter K    = 3,
    parameter PAD  = 1
) (
    input  wire        clk,
    input  wire        rst,

    input  wire [ 7:0] weight,
    input  wire        weight_valid,
    output wire        weight_ready,

    input  wire [ 7:0] pixel,
    input  wire        pixel_valid,
    output wire        pixel_ready,

    output reg  [31:0] result,
    output reg         result_valid,
    output wire        result_last,
    input  wire        result_ready
);

    localparam OH           = H + 2 * PAD - K + 1;
    localparam OW           = W + 2 * PAD - K + 1;
    localparam BIAS_BYTES   = 4 * COUT;
    localparam WEIGHT_BYTES = BIAS_BYTES + K * K * CIN * COUT;
    localparam IMAGE_BYTES  = H * W * CIN;

    reg        [31:0] bias  [0:COUT-1];
    reg signed [ 7:0] kernel[0:K*K*CIN*COUT-1];
    reg signed [ 7:0] image [0:IMAGE_BYTES-1];

    integer weights_loaded;
    integer pixels_loaded;
    integer y;
    integer x;
    integer o;
    integer ky;
    integer kx;
    integer c;

    wire loaded = weights_loaded == WEIGHT_BYTES && pixels_loaded == IMAGE_BYTES;
    wire last_tap = ky == K - 1 && kx == K - 1 && c == CIN - 1;
    wire last_window = y == OH - 1 && x == OW - 1 && o == COUT - 1;

    assign weight_ready = weights_loaded < WEIGHT_BYTES;
    assign pixel_ready  = pixels_loaded < IMAGE_BYTES;
    assign result_last  = last_window;

    // The product of the tap at hand.
    wire signed [31:0] row = y + ky - PAD;
    wire signed [31:0] column = x + kx - PAD;
    wire in_image = row >= 0 && row < H && column >= 0 && column < W;
    wire signed [7:0] activation = in_image ? image[(row*W+column)*CIN+c] : 8'sd0;
    wire signed [15:0] product = activation * kernel[((ky*K+kx)*CIN+c)*COUT+o];
    wire [31:0] acc_before = ky == 0 && kx == 0 && c == 0 ? bias[o] : result;

    always @(posedge clk) begin
        if (weight_valid && weight_ready) begin
            if (weights_loaded < BIAS_BYTES) bias[weights_loaded/4][8*(weights_loaded%4)+:8] <= weight;
            else kernel[weights_loaded-BIAS_BYTES] <= weight;
        end
        if (pixel_valid && pixel_ready) image[pixels_loaded] <= pixel;
        if (loaded && !result_valid) result <= acc_before + {{16{product[15]}}, product};
    end

    always @(posedge clk) begin
        if (rst) begin
            weights_loaded <= 0;
            pixels_loaded  <= 0;
            result_valid   <= 1'b0;
            {y, x, o}      <= 0;
            {ky, kx, c}    <= 0;
        end else begin
            if (weight_valid && weight_ready) weights_loaded <= weights_loaded + 1;
            if (pixel_valid && pixel_ready) pixels_loaded <= pixels_loaded + 1;

            if (loaded && !result_valid) begin
                result_valid <= last_tap;
                c            <= c == CIN - 1 ? 0 : c + 1;
                if (c == CIN - 1) kx <= kx == K - 1 ? 0 : kx + 1;
                if (c == CIN - 1 && kx == K - 1) ky <= ky == K - 1 ? 0 : ky + 1;
            end

            if (result_valid && result_ready) begin
                result_valid <= 1'b0;
                o            <= o == COUT - 1 ? 0 : o + 1;
                if (o == COUT - 1) x <= x == OW - 1 ? 0 : x + 1;
                if (o == COUT - 1 && x == OW - 1) y <= y == OH - 1 ? 0 : y + 1;
                if (last_window) begin
                    weights_loaded <= 0;
                    pixels_loaded  <= 0;
                end
            end
        end
    end

endmodule

`default_nettype wire
