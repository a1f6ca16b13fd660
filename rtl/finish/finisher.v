// finisher: takes accumulator vectors from the array, adds biases, requantises where the layer asks for it, and writes
// the results into the result buffer where NHWC order wants them.
//
// A vector is dealt with in slices: REQUANT_LANES filters for int8 results, LANES_OUT / 4 for int32, which only pass
// the adders of their biases. The constants of another filter block are fetched while its first window is still in the
// array.
// Does not: write past what the reader has read; it waits, and the gate waits for the queue.
//
// Latency: 2 cycles from a vector to its first slice, 21 from a slice to its bytes counted as committed (int32: 5).
// Throughput: one slice a cycle, also from vector to vector; a filter block in CONST_PER_BLOCK + 2 cycles or more.

`default_nettype none

module finisher #(
    `include "parameters.vh"
) (
    input  wire                     clk,
    input  wire                     rst,

    // The next layer, taken while `ready`.
    input  wire [             38:0] numbers,
    input  wire                     take_layer,
    output wire                     ready,

    // Constants, as the weight loader writes them.
    input  wire [CONST_WRITE_W-1:0] const_write,
    output wire [CONST_COUNT_W-1:0] const_released,

    // A window's marks with its last step, its vector at least 4 cycles later; `credit`: the next cycle a vector is at
    // hand, and its place in the queue free again.
    input  wire                     mark_valid,
    input  wire [      MARKS_W-1:0] mark,
    input  wire                     vector_valid,
    input  wire [ 32*LANES_OUT-1:0] vector,
    output wire                     credit,

    output wire [  OUT_WRITE_W-1:0] write,           // {an enable for each byte, address, data}
    output reg  [        OUT_W-1:0] committed,       // all results before this address can be read
    input  wire [        OUT_W-1:0] read             // all before this address have been read
);

    `include "constants.vh"
    `include "marks.vh"
    `include "layer_numbers.vh"

    localparam RAW_LANES = LANES_OUT / 4;  // int32 results of a slice: as many bytes as a word
    localparam STRIDE = REQUANT_LANES / RAW_LANES;
    localparam FILTER_W = $clog2(LANES_OUT);
    localparam WORD = LANES_OUT;
    localparam [OUT_W-1:0] SLICE_BYTES = REQUANT_LANES[OUT_W-1:0];
    localparam [OUT_W-1:0] WORD_BYTES = WORD[OUT_W-1:0];

    // The layer.
    reg        active_q;
    reg        next_int8_q;  // that the next layer's results are int8
    wire [8:0] mode;
    wire [7:0] zero_point;
    wire [7:0] smallest;
    wire [7:0] largest;

    // verilog_format: off
    number #(.INDEX(MODE), .WIDTH(9))           u_mode       (clk, numbers, take_layer, mode);
    number #(.INDEX(OUT_ZERO_POINT), .WIDTH(8)) u_zero_point (clk, numbers, take_layer, zero_point);
    number #(.INDEX(SMALLEST), .WIDTH(8))       u_smallest   (clk, numbers, take_layer, smallest);
    number #(.INDEX(LARGEST), .WIDTH(8))        u_largest    (clk, numbers, take_layer, largest);
    // verilog_format: on

    wire moving;  // slices on their way
    wire requantise = mode[MODE_REQUANTISE];
    wire int8 = ready ? next_int8_q : requantise;  // from the next cycle on

    assign ready = !active_q && !moving;

    always @(posedge clk) begin
        if (numbers[38] && numbers[37:32] == MODE) next_int8_q <= numbers[MODE_REQUANTISE];
    end

    // Vectors, and their marks, which come earlier: when a vector becomes the one at hand, its mark is the queue's
    // head.
    wire                    at_hand;
    wire                    pop;
    wire [32*LANES_OUT-1:0] acc;
    wire [     MARKS_W-1:0] head;

    result_queue #(
        .WIDTH(32 * LANES_OUT),
        .DEPTH(RESULT_QUEUE),
        .BLOCK(1)
    ) u_vector_queue (
        .clk       (clk),
        .rst       (rst),
        .push      (vector_valid),
        .push_data (vector),
        .moves     (credit),
        .head_valid(at_hand),
        .head      (acc),
        .pop       (pop)
    );

    wire unused_moves;
    wire unused_valid;

    result_queue #(
        .WIDTH(MARKS_W),
        .DEPTH(RESULT_QUEUE),
        .BLOCK(0)
    ) u_mark_queue (
        .clk       (clk),
        .rst       (rst),
        .push      (mark_valid),
        .push_data (mark),
        .moves     (unused_moves),
        .head_valid(unused_valid),
        .head      (head),
        .pop       (credit)
    );

    wire [CONST_BLOCK_W-1:0] block;  // its last bytes, the zero points of the weights, are the loader's
    wire               unused_block = &{1'b0, block};
    wire               constants_ready;
    wire               take;

    constants #(
        `include "same_parameters.vh"
    ) u_constants (
        .clk       (clk),
        .rst       (rst),
        .write     (const_write),
        .released  (const_released),
        .mark_valid(mark_valid),
        .mark      (mark),
        .ready     (constants_ready),
        .take      (take),
        .block     (block)
    );

    // The vector at hand: the address of its next slice, whether the buffer has room for that, and whether it is the
    // last, for int8 and for int32 results. A slice is counted in quarters of a vector.
    localparam [1:0] STEP = STRIDE[1:0];  // 4 quarters at once: 0, and one slice is all
    localparam [1:0] WITHIN = STEP - 2'd1;

    reg [ OUT_W-1:0] slice_addr_q;
    reg [FILTER_W-1:0] last_lane_q;
    reg              last_block_q;
    reg              layer_end_q;
    reg              locked_q;  // it waits for its constants
    reg              room_q;
    reg [ OUT_W-1:0] limit_q;   // the last address that has room
    reg [ OUT_W-1:0] limit_next_q;  // less a slice
    reg [       1:0] slice_q;
    reg              last_int8_q;
    reg              last_int32_q;

    function fits(input [OUT_W-1:0] last, input [OUT_W-1:0] addr);
        reg             beyond;
        reg [OUT_W-2:0] unused_rest;
        begin
            {beyond, unused_rest} = last - addr;
            fits                  = !beyond;
        end
    endfunction

    wire [OUT_W-1:0] head_out = head[MARK_OUT+:OUT_W];
    wire [FILTER_W-1:0] head_last_lane = head[MARK_LAST_FILTER+:FILTER_W];
    wire [1:0] head_quarter = head_last_lane[FILTER_W-1:FILTER_W-2];
    wire [1:0] last_quarter = last_lane_q[FILTER_W-1:FILTER_W-2];
    wire [1:0] next_int8 = (slice_q + STEP) | WITHIN;  // the last quarter of the next slice
    wire [1:0] next_int32 = slice_q + 2'd1;

    wire issue = at_hand && active_q && !locked_q && room_q;
    wire slice_last = requantise ? last_int8_q : last_int32_q;

    assign pop = issue && slice_last;
    wire waits = locked_q || (credit && head[MARK_NEW_BLOCK]);  // no vector comes while it is locked

    assign take = constants_ready && waits;

    always @(posedge clk) begin
        limit_q      <= read + (OUT_BYTES[OUT_W-1:0] - WORD_BYTES);
        limit_next_q <= read + (OUT_BYTES[OUT_W-1:0] - WORD_BYTES - (int8 ? SLICE_BYTES : WORD_BYTES));
        room_q       <= credit ? fits(limit_q, head_out)
                      : issue ? fits(limit_next_q, slice_addr_q) : fits(limit_q, slice_addr_q);
        if (credit) begin
            {slice_addr_q, last_lane_q}  <= {head_out, head_last_lane};
            {last_block_q, layer_end_q}  <= {head[MARK_LAST_BLOCK], head[MARK_LAYER_END]};

            last_int8_q  <= !(WITHIN < head_quarter);
            last_int32_q <= head_quarter == 2'd0;
        end else if (issue) begin
            slice_addr_q <= slice_addr_q + (requantise ? SLICE_BYTES : WORD_BYTES);
            last_int8_q  <= !(next_int8 < last_quarter);
            last_int32_q <= !(next_int32 < last_quarter);
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            active_q <= 1'b0;
            slice_q  <= 2'd0;
            locked_q <= 1'b0;
        end else begin
            if (take_layer) active_q <= 1'b1;
            else if (pop && layer_end_q) active_q <= 1'b0;
            if (issue) slice_q <= slice_last ? 2'd0 : slice_q + (requantise ? STEP : 2'd1);
            locked_q <= waits && !constants_ready;
        end
    end

    // Stage 1: the slice's filters and their constants; int32 results take those of the int8 slice that they lie in.
    localparam R = REQUANT_LANES;

    reg [32*R-1:0] acc_q1;
    reg [32*R-1:0] bias_q1;
    reg [32*R-1:0] mult_q1;
    reg [ 8*R-1:0] shift_q1;

    wire [32*LANES_OUT-1:0] biases = block[8*CONST_BIAS*LANES_OUT+:32*LANES_OUT];
    wire [32*LANES_OUT-1:0] mults = block[8*CONST_MULT*LANES_OUT+:32*LANES_OUT];
    wire [ 8*LANES_OUT-1:0] shifts = block[8*CONST_SHIFT*LANES_OUT+:8*LANES_OUT];

    genvar i;
    generate
        for (i = 0; i < STRIDE; i = i + 1) begin : gen_quarter
            wire [1:0] quarter = (slice_q & ~WITHIN) | i[1:0];

            always @(posedge clk) begin
                acc_q1[32*RAW_LANES*i+:32*RAW_LANES]  <= acc[32*RAW_LANES*quarter+:32*RAW_LANES];
                bias_q1[32*RAW_LANES*i+:32*RAW_LANES] <= biases[32*RAW_LANES*quarter+:32*RAW_LANES];
                mult_q1[32*RAW_LANES*i+:32*RAW_LANES] <= mults[32*RAW_LANES*quarter+:32*RAW_LANES];
                shift_q1[8*RAW_LANES*i+:8*RAW_LANES]  <= shifts[8*RAW_LANES*quarter+:8*RAW_LANES];
            end
        end
    endgenerate

    // Stages 2 to 19: int8. Stages 2 and 3: int32.
    wire [32*R-1:0] biased;
    wire [ 8*R-1:0] results;
    reg [32*RAW_LANES-1:0] raw_q3;
    reg [1:0] slice_q1;
    reg [1:0] slice_q2;

    wire [1:0] raw_quarter = slice_q2 & WITHIN;

    generate
        for (i = 0; i < R; i = i + 1) begin : gen_requantizer
            requantizer #(
                .FLOAT(FLOAT_RULE)
            ) u_requantizer (
                .clk       (clk),
                .acc       (acc_q1[32*i+:32]),
                .bias      (bias_q1[32*i+:32]),
                .mult      (mult_q1[32*i+:32]),
                .shift     (shift_q1[8*i+:8]),
                .by_float  (mode[MODE_FLOAT]),
                .by_single (mode[MODE_SINGLE]),
                .zero_point(zero_point),
                .smallest  (smallest),
                .largest   (largest),
                .biased    (biased[32*i+:32]),
                .result    (results[8*i+:8])
            );
        end
    endgenerate

    always @(posedge clk) begin
        {slice_q2, slice_q1} <= {slice_q1, slice_q};
        raw_q3   <= biased[32*RAW_LANES*raw_quarter+:32*RAW_LANES];
    end

    // Where a slice goes and how many bytes it has goes along with it, and leaves it early if it is int32.
    localparam INFO_W = OUT_W + FILTER_W + 2;
    localparam DELAY = 16;  // stages 3 to 18

    reg [FILTER_W-1:0] last_lane_q1;
    reg [ OUT_W-1:0] addr_q1;
    reg              commit_q1;
    reg              issued_q1;
    reg [INFO_W-1:0] info_q2;
    reg              issued_q2;
    reg [INFO_W*DELAY-1:0] info_q;
    reg [   DELAY-1:0] issued_q;
    reg [LANES_OUT-1:0] enable_q;   // these four are the last stage, 19 or 3
    reg [INFO_W-1:0] out_q;
    reg              written_q;

    wire [FILTER_W+2:0] lanes_left = {3'd0, last_lane_q1} - {3'd0, slice_q1, {FILTER_W - 2{1'b0}}} + 1'b1;
    wire [FILTER_W+2:0] bytes_left = requantise ? lanes_left : {lanes_left[FILTER_W:0], 2'b00};
    wire [FILTER_W+2:0] whole_slice = requantise ? SLICE_BYTES[FILTER_W+2:0] : WORD_BYTES[FILTER_W+2:0];
    wire [FILTER_W+2:0] slice_bytes = bytes_left < whole_slice ? bytes_left : whole_slice;

    wire [INFO_W-1:0] leaving = requantise ? info_q[INFO_W-1:0] : info_q2;
    wire leaves = requantise ? issued_q[0] : issued_q2;
    wire [FILTER_W:0] leaving_bytes = leaving[FILTER_W:0];
    wire [FILTER_W:0] out_bytes = out_q[FILTER_W:0];
    wire [OUT_W-1:0] out_addr = out_q[FILTER_W+1+:OUT_W];
    wire [8*LANES_OUT-1:0] out_data;
    wire out_commit = out_q[INFO_W-1];
    wire [LANES_OUT-1:0] enable;

    generate
        for (i = 0; i < LANES_OUT; i = i + 1) begin : gen_enable
            assign enable[i] = leaves && i < leaving_bytes;
        end
    endgenerate

    always @(posedge clk) begin
        {addr_q1, last_lane_q1} <= {slice_addr_q, last_lane_q};
        commit_q1    <= pop && last_block_q;
        info_q2      <= {commit_q1, addr_q1, slice_bytes[FILTER_W:0]};
        info_q       <= {info_q2, info_q[INFO_W*DELAY-1:INFO_W]};
        out_q        <= leaving;
        enable_q     <= rst ? {LANES_OUT{1'b0}} : enable;
    end

    // Int32 slices end at stage 3: what walks on must not be taken for one of the next layer's.
    always @(posedge clk) begin
        if (rst) begin
            issued_q1   <= 1'b0;
            issued_q2   <= 1'b0;
            issued_q    <= {DELAY{1'b0}};
            written_q   <= 1'b0;
            committed <= {OUT_W{1'b0}};
        end else begin
            {issued_q2, issued_q1} <= {issued_q1, issue};
            issued_q  <= {issued_q2 && requantise, issued_q[DELAY-1:1]};
            written_q <= leaves;
            if (written_q && out_commit) committed <= out_addr + {{OUT_W - FILTER_W - 1{1'b0}}, out_bytes};
        end
    end

    // The result buffer needs two cycles for a write to be readable; the reader takes the second to look.
    assign moving    = issued_q1 || issued_q2 || issued_q != {DELAY{1'b0}} || written_q;
    assign write     = {enable_q, out_addr, out_data};

    generate
        if (R < LANES_OUT) begin : gen_pad
            assign out_data = requantise ? {{8 * (LANES_OUT - R) {1'b0}}, results} : raw_q3;
        end else begin : gen_full
            assign out_data = requantise ? results : raw_q3;
        end
    endgenerate

    // Only the lanes that int32 results use have a reader here.
    wire unused = &{1'b0, biased, head, unused_moves, unused_valid, slice_bytes};

endmodule

`default_nettype wire
