// finisher: takes accumulator vectors from the queue, adds biases, requantises where the layer asks for it, and writes the
// results into the result buffer where NHWC order wants them.
//
// A vector is dealt with in slices: REQUANT_LANES filters for int8 results, LANES_OUT / 4 for int32. Before the first
// vector of another group of filters, the group's constants are fetched from their buffer.
// Does not: write past what the reader has read; it waits, and the sequencer waits for the queue.
//
// Latency: 1 cycle from the queue to a vector's first slice, 21 from a slice to its bytes counted as committed.
// Throughput: one slice a cycle; CONST_PER_GROUP + 1 cycles for another group's constants.

`default_nettype none

module finisher #(
    parameter LANES_IN        = 16,
    parameter LANES_OUT       = 16,
    parameter REQUANT_LANES   = 8,
    parameter OUT_BYTES       = 16384,
    parameter CONST_WORDS     = 1024,
    parameter CONST_PER_GROUP = 9,
    parameter CONST_COUNT_W   = 12,
    parameter OUT_W           = 16
) (
    input  wire                           clk,
    input  wire                           rst,

    // A layer, taken when both are high.
    input  wire                           cfg_valid,
    output wire                           cfg_ready,
    input  wire                           cfg_requantise,
    input  wire                           cfg_by_float,
    input  wire [                    7:0] cfg_out_zero_point,
    input  wire [                    7:0] cfg_smallest,
    input  wire [                    7:0] cfg_largest,

    // Constants, as the weight loader writes them.
    input  wire                           const_wr_en,
    input  wire [$clog2(CONST_WORDS)-1:0] const_wr_word,
    input  wire [         8*LANES_IN-1:0] const_wr_data,
    output wire [      CONST_COUNT_W-1:0] const_released,

    // The oldest vector with its window's marks, taken when valid and ready.
    input  wire                           head_valid,
    input  wire [       32*LANES_OUT-1:0] head_acc,
    input  wire [              OUT_W-1:0] head_out,
    input  wire [  $clog2(LANES_OUT)-1:0] head_last_lane,  // of this block's filters
    input  wire                           head_final,
    input  wire                           head_new_group,
    input  wire                           head_last_group,
    input  wire                           head_layer_end,
    output wire                           head_ready,

    output wire [          LANES_OUT-1:0] wr_en,
    output wire [              OUT_W-1:0] wr_addr,
    output wire [        8*LANES_OUT-1:0] wr_data,

    output wire [              OUT_W-1:0] committed,  // all results before this address can be read
    input  wire [              OUT_W-1:0] read        // all before this address have been read
);

    localparam RAW_LANES = LANES_OUT / 4;  // int32 results of a slice: as many bytes as a word
    localparam STRIDE    = REQUANT_LANES / RAW_LANES;
    localparam LANE_W    = $clog2(LANES_OUT);
    localparam WORD      = LANES_OUT;
    localparam [OUT_W-1:0] SLICE_BYTES = REQUANT_LANES[OUT_W-1:0];
    localparam LATENCY   = 19;  // one to select, eighteen to requantise

    // The layer.
    reg              active_q;
    reg              requantise_q;
    reg              by_float_q;
    reg [       7:0] zero_point_q;
    reg [       7:0] smallest_q;
    reg [       7:0] largest_q;

    wire [LATENCY:0] moving;  // slices on their way

    assign cfg_ready = !active_q && moving == {LATENCY + 1{1'b0}};

    always @(posedge clk) begin
        if (cfg_ready) begin
            requantise_q <= cfg_requantise;
            by_float_q   <= cfg_by_float;
            zero_point_q <= cfg_out_zero_point;
            smallest_q   <= cfg_smallest;
            largest_q    <= cfg_largest;
        end
    end

    // The vector at hand, the address of its next slice, and whether the buffer has room for that.
    reg                      vector_valid_q;
    reg [  32*LANES_OUT-1:0] acc_q;
    reg [         OUT_W-1:0] slice_addr_q;
    reg [        LANE_W-1:0] last_lane_q;
    reg                      final_q;
    reg                      last_group_q;
    reg                      layer_end_q;
    reg                      room_q;

    wire issue;
    wire pop;

    wire [OUT_W-1:0] limit = read + OUT_BYTES[OUT_W-1:0] - WORD[OUT_W-1:0];  // the last address that has room
    wire [OUT_W-1:0] next_slice_addr = slice_addr_q + (requantise_q ? SLICE_BYTES : WORD[OUT_W-1:0]);

    function fits(input [OUT_W-1:0] last, input [OUT_W-1:0] addr);
        reg             beyond;
        reg [OUT_W-2:0] unused_rest;
        begin
            {beyond, unused_rest} = last - addr;
            fits                  = !beyond;
        end
    endfunction

    assign head_ready = !vector_valid_q || pop;

    always @(posedge clk) begin
        room_q <= head_ready ? fits(limit, head_out) : issue ? fits(limit, next_slice_addr) : fits(limit, slice_addr_q);
        if (head_ready) begin
            acc_q        <= head_acc;
            slice_addr_q <= head_out;
            last_lane_q  <= head_last_lane;
            final_q      <= head_final;
            last_group_q <= head_last_group;
            layer_end_q  <= head_layer_end;
        end else if (issue) begin
            slice_addr_q <= next_slice_addr;
        end
    end

    always @(posedge clk) begin
        if (rst) vector_valid_q <= 1'b0;
        else if (head_ready) vector_valid_q <= head_valid;
    end

    always @(posedge clk) begin
        if (rst) active_q <= 1'b0;
        else if (cfg_ready) active_q <= cfg_valid;
        else if (pop && layer_end_q) active_q <= 1'b0;
    end

    // Constants: fetched word by word into a shift register that holds a group's.
    localparam FETCH_W = $clog2(CONST_PER_GROUP + 1);
    localparam WORD_W  = 8 * LANES_IN;

    reg [CONST_PER_GROUP*WORD_W-1:0] constants_q;
    reg [CONST_COUNT_W-1:0]          fetch_q;       // next word
    reg [CONST_COUNT_W-1:0]          layer_q;       // the layer's first word
    reg [CONST_COUNT_W-1:0]          next_layer_q;  // the next layer's
    reg [CONST_COUNT_W-1:0]          released_q;
    reg [FETCH_W-1:0]                fetched_q;
    reg                              arriving_q;
    reg                              locked_q;  // the vector at hand waits for them

    wire [WORD_W-1:0] fetched_word;
    wire stale = vector_valid_q && active_q && locked_q;
    wire fetch = stale && fetched_q != CONST_PER_GROUP[FETCH_W-1:0];
    wire complete = arriving_q && !fetch;

    ram #(
        .WIDTH(WORD_W),
        .DEPTH(CONST_WORDS)
    ) u_constants (
        .clk    (clk),
        .wr_en  (const_wr_en),
        .wr_addr(const_wr_word),
        .wr_data(const_wr_data),
        .rd_en  (fetch),
        .rd_addr(fetch_q[$clog2(CONST_WORDS)-1:0]),
        .rd_data(fetched_word)
    );

    always @(posedge clk) begin
        if (arriving_q) constants_q <= {fetched_word, constants_q[CONST_PER_GROUP*WORD_W-1:WORD_W]};
    end

    always @(posedge clk) begin
        if (rst) begin
            fetch_q      <= {CONST_COUNT_W{1'b0}};
            layer_q      <= {CONST_COUNT_W{1'b0}};
            next_layer_q <= {CONST_COUNT_W{1'b0}};
            released_q   <= {CONST_COUNT_W{1'b0}};
            fetched_q    <= {FETCH_W{1'b0}};
            arriving_q   <= 1'b0;
            locked_q     <= 1'b0;
        end else begin
            arriving_q <= fetch;
            if (fetch) begin
                fetch_q   <= fetch_q + 1'b1;
                fetched_q <= fetched_q + 1'b1;
            end
            if (complete) begin
                locked_q  <= 1'b0;
                fetched_q <= {FETCH_W{1'b0}};
                if (last_group_q) next_layer_q <= fetch_q;
                if (final_q) released_q <= fetch_q;
            end
            if (head_ready) locked_q <= head_new_group;
            if (pop) begin
                if (last_group_q) fetch_q <= layer_q;
                if (layer_end_q) begin
                    fetch_q    <= next_layer_q;
                    layer_q    <= next_layer_q;
                    released_q <= next_layer_q;
                end
            end
        end
    end

    assign const_released = released_q;

    // Slices.
    reg [1:0] slice_q;  // in quarters of a vector

    // Whether a vector's slice is its last, for int8 and for int32 results, is known with the vector.
    localparam [1:0] STEP = STRIDE[1:0];  // 4 quarters at once: 0, and one slice is all

    reg last_int8_q;
    reg last_int32_q;

    wire [1:0] head_quarter = head_last_lane[LANE_W-1:LANE_W-2];
    wire [1:0] last_quarter = last_lane_q[LANE_W-1:LANE_W-2];
    wire [1:0] slice_step = requantise_q ? STEP : 2'd1;
    wire [1:0] next_int8 = (slice_q + STEP) | (STEP - 2'd1);  // the last quarter of the next slice
    wire [1:0] next_int32 = slice_q + 2'd1;
    wire slice_last = requantise_q ? last_int8_q : last_int32_q;

    always @(posedge clk) begin
        if (head_ready) begin
            last_int8_q  <= !(STEP - 2'd1 < head_quarter);
            last_int32_q <= head_quarter == 2'd0;
        end else if (issue) begin
            last_int8_q  <= !(next_int8 < last_quarter);
            last_int32_q <= !(next_int32 < last_quarter);
        end
    end

    assign issue = vector_valid_q && active_q && !locked_q && room_q;
    assign pop = issue && slice_last;

    always @(posedge clk) begin
        if (rst) slice_q <= 2'd0;
        else if (issue) slice_q <= slice_last ? 2'd0 : slice_q + slice_step;
    end

    // Stage 1: the slice's filters and their constants. Lanes past the last filter write nothing.
    localparam R = REQUANT_LANES;

    reg [ 32*R-1:0] acc_q1;
    reg [ 32*R-1:0] bias_q1;
    reg [ 32*R-1:0] mult_q1;
    reg [  8*R-1:0] shift_q1;

    wire [32*LANES_OUT-1:0] biases = constants_q[0+:32*LANES_OUT];
    wire [32*LANES_OUT-1:0] mults = constants_q[32*LANES_OUT+:32*LANES_OUT];
    wire [ 8*LANES_OUT-1:0] shifts = constants_q[64*LANES_OUT+:8*LANES_OUT];

    reg [       1:0] slice_q1;
    reg [LANE_W-1:0] last_lane_q1;
    reg [ OUT_W-1:0] addr_q1;
    reg [ OUT_W-1:0] addr_q2;
    reg [  LANE_W:0] bytes_q2;  // that the slice writes

    wire [LANE_W+2:0] lanes_left = {3'd0, last_lane_q1} - {3'd0, slice_q1, {LANE_W - 2{1'b0}}} + 1'b1;
    wire [LANE_W+2:0] bytes_left = requantise_q ? lanes_left : {lanes_left[LANE_W:0], 2'b00};
    wire [LANE_W+2:0] whole_slice = requantise_q ? SLICE_BYTES[LANE_W+2:0] : WORD[LANE_W+2:0];

    always @(posedge clk) begin
        slice_q1     <= slice_q;
        last_lane_q1 <= last_lane_q;
        addr_q1      <= slice_addr_q;
        addr_q2      <= addr_q1;
        bytes_q2     <= bytes_left < whole_slice ? bytes_left[LANE_W:0] : whole_slice[LANE_W:0];
    end

    wire [LANES_OUT-1:0] enable;

    genvar i;
    generate
        for (i = 0; i < LANES_OUT; i = i + 1) begin : gen_enable
            assign enable[i] = i < bytes_q2;
        end

        // Quarter by quarter. Int32 results come one quarter at a time, through the first lanes; they need no multiplier.
        for (i = 0; i < STRIDE; i = i + 1) begin : gen_quarter
            localparam [1:0] WITHIN = STRIDE[1:0] - 2'd1;  // an int8 slice
            wire [1:0] quarter = (slice_q & ~WITHIN) | i[1:0];
            wire [1:0] summed = i == 0 ? slice_q : quarter;

            always @(posedge clk) begin
                acc_q1[32*RAW_LANES*i+:32*RAW_LANES]  <= acc_q[32*RAW_LANES*summed+:32*RAW_LANES];
                bias_q1[32*RAW_LANES*i+:32*RAW_LANES] <= biases[32*RAW_LANES*summed+:32*RAW_LANES];
                mult_q1[32*RAW_LANES*i+:32*RAW_LANES] <= mults[32*RAW_LANES*quarter+:32*RAW_LANES];
                shift_q1[8*RAW_LANES*i+:8*RAW_LANES]  <= shifts[8*RAW_LANES*quarter+:8*RAW_LANES];
            end
        end
    endgenerate

    // Stages 2 to 19.
    wire [32*R-1:0] biased;
    wire [ 8*R-1:0] results;

    generate
        for (i = 0; i < R; i = i + 1) begin : gen_requantizer
            requantizer u_requantizer (
                .clk       (clk),
                .acc       (acc_q1[32*i+:32]),
                .bias      (bias_q1[32*i+:32]),
                .mult      (mult_q1[32*i+:32]),
                .shift     (shift_q1[8*i+:8]),
                .by_float  (by_float_q),
                .zero_point(zero_point_q),
                .smallest  (smallest_q),
                .largest   (largest_q),
                .biased    (biased[32*i+:32]),
                .result    (results[8*i+:8])
            );
        end
    endgenerate

    localparam RAW_DELAY = LATENCY - 2;

    reg [32*RAW_LANES*RAW_DELAY-1:0] raw_q;

    always @(posedge clk) raw_q <= {biased[32*RAW_LANES-1:0], raw_q[32*RAW_LANES*RAW_DELAY-1:32*RAW_LANES]};

    // What goes along with a slice.
    localparam BEHIND = LATENCY - 2;  // stage 2

    reg [LANES_OUT*BEHIND-1:0] enable_q;
    reg [    OUT_W*BEHIND-1:0] addr_q;
    reg [    OUT_W*BEHIND-1:0] end_q;
    reg [         LATENCY-1:0] issued_q;
    reg [         LATENCY-1:0] commit_q;

    always @(posedge clk) begin
        enable_q <= {enable, enable_q[LANES_OUT*BEHIND-1:LANES_OUT]};
        addr_q   <= {addr_q2, addr_q[OUT_W*BEHIND-1:OUT_W]};
        end_q    <= {addr_q2 + {{OUT_W - LANE_W - 1{1'b0}}, bytes_q2}, end_q[OUT_W*BEHIND-1:OUT_W]};
    end

    always @(posedge clk) begin
        if (rst) begin
            issued_q <= {LATENCY{1'b0}};
            commit_q <= {LATENCY{1'b0}};
        end else begin
            issued_q <= {issue, issued_q[LATENCY-1:1]};
            commit_q <= {pop && last_group_q, commit_q[LATENCY-1:1]};
        end
    end

    assign moving  = {issue, issued_q};
    assign wr_en   = issued_q[0] ? enable_q[LANES_OUT-1:0] : {LANES_OUT{1'b0}};
    assign wr_addr = addr_q[OUT_W-1:0];

    generate
        if (8 * R < 8 * LANES_OUT) begin : gen_pad
            assign wr_data = requantise_q ? {{8 * (LANES_OUT - R) {1'b0}}, results} : raw_q[32*RAW_LANES-1:0];
        end else begin : gen_full
            assign wr_data = requantise_q ? results : raw_q[32*RAW_LANES-1:0];
        end
    endgenerate

    // The result buffer needs two cycles for a write to be readable; the reader takes the second to look.
    reg [OUT_W-1:0] committed_q;

    always @(posedge clk) begin
        if (rst) committed_q <= {OUT_W{1'b0}};
        else if (commit_q[0]) committed_q <= end_q[OUT_W-1:0];
    end

    assign committed = committed_q;

    // Only the lanes that int32 results use have a reader here.
    wire unused = &{1'b0, biased};

endmodule

`default_nettype wire
