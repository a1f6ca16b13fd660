// rows: the outer loops of a layer: frame, band, column block, filter block, row of the band.
//
// One item of work is one filter block on the columns of one column block of one output row. It says where its windows
// begin (addresses of activations, weights and results, from the first kernel row inside the image on), how many kernel
// rows and windows there are, and what may be released once it is done. Items go out number by number (item_numbers.vh);
// a number that has not changed since the item before is not always sent again.
// A program computes them on one adder, one operation a cycle: the listing below. Its variables live in small memories,
// and so do the numbers of the layer; layer_setup writes the next layer's to the bank that is not in use.
// Does not: look at columns (windows.v does) or at what has arrived (gate.v does).
//
// Throughput: an item takes as many cycles as the program has operations for it, counted from the cycle in which the item
// before is taken to the first in which this one is valid. Kernel rows outside the image apart, that is
//      10  for the next row of a band,
//      10  for the next filter block, 4 more if it begins a span (filters that see other channels),
//      13  for the next column block, 8 more if there are several filter blocks,
//      12  for the next band, 8 more if there are several filter blocks, 5 more if there are several column blocks,
//      18  for the next frame, likewise,
//       4  more at the end of an output row, another one if the next one begins outside the image or in another frame,
//       4  more for each kernel row below the image, 4 for each above it, and one more if there is one above it.
// Latency: the layer's first item is valid 30 cycles after the first cycle in which layer_valid is high and the item
// before has been taken, at the earliest 3 cycles later if that was a layer's last; kernel rows and releases as above.

`default_nettype none

module rows #(
    parameter LANES_OUT = 16,  // 4, 8, 16, 32
    parameter OUT_W     = 16,  // result byte addresses, counted on from reset; at most WIN_W
    parameter WIN_W     = 26   // of the adder: no number is wider, activation and weight addresses included
) (
    input  wire        clk,
    input  wire        rst,

    input  wire [38:0] numbers,      // the broadcast: valid, index, value (layer_numbers.vh)
    input  wire        layer_valid,  // a layer's numbers are complete; low again once windows.v has taken them

    output reg  [36:0] item,         // valid, index, value (item_numbers.vh)
    output reg         item_valid,   // all numbers of an item have been sent
    input  wire        item_ready
);

    /* verilator lint_off UNUSEDPARAM */  // each unit uses some of these
`include "layer_numbers.vh"
`include "item_numbers.vh"
    /* verilator lint_on UNUSEDPARAM */

    // Sizes and result addresses are kept with a sign, other variables as wide as the adder.
    localparam SIZE_W = OUT_W > 16 ? OUT_W : 16;
    localparam COUNT_W = SIZE_W + 2;

    // ---------------------------------------------------------------- what the program computes with
    // Variables: counts and result addresses,
    localparam [4:0] FRAMES_LEFT = 5'd0;    // after this one
    localparam [4:0] ROWS_LEFT = 5'd1;      // of the frame after this band, less one: negative in the last
    localparam [4:0] BAND_LEFT = 5'd2;      // rows of the band after this one
    localparam [4:0] COLS_LEFT = 5'd3;      // after this column block, less one
    localparam [4:0] FILTERS_LEFT = 5'd4;   // after this span, less one
    localparam [4:0] SPAN_LEFT = 5'd5;      // of the span after this filter block, less one
    localparam [4:0] TAPS = 5'd6;           // kernel rows inside the image
    localparam [4:0] NEXT_OUT = 5'd7;       // where the row after those that are finished begins
    localparam [4:0] BLOCK_OUT = 5'd8;      // the filter block in the first row of the band
    localparam [4:0] ROW_OUT = 5'd9;        // in a later row
    localparam [4:0] COLUMN_OUT = 5'd10;    // the column block in the first row of the band
    // rows and columns of the image, under kernel row and tap 0 unless they are those of a tap,
    localparam [4:0] NEXT_ROW = 5'd16;      // of the row after those that are finished
    localparam [4:0] TAP_ROW = 5'd17;
    localparam [4:0] COL = 5'd18;           // of the column block's first window
    localparam [4:0] OFFSET = 5'd19;        // the same in bytes
    localparam [4:0] BLOCK_ROW = 5'd24;     // of the first row of the band
    localparam [4:0] ROW = 5'd25;           // of a later row
    // and addresses of activations and weights.
    localparam [4:0] FRAME_ACT = 5'd20;
    localparam [4:0] NEXT_ACT = 5'd21;      // image row NEXT_ROW
    localparam [4:0] TAP_ACT = 5'd22;       // image row TAP_ROW, the span's first channel
    localparam [4:0] BLOCK_ACT = 5'd28;     // image row BLOCK_ROW, likewise
    localparam [4:0] ROW_ACT = 5'd29;       // image row ROW, likewise
    localparam [4:0] LAYER_WGT = 5'd23;
    localparam [4:0] NEXT_WGT = 5'd26;      // the next filter block's
    localparam [4:0] TAP_WGT = 5'd27;
    localparam [4:0] NONE = 5'd31;          // as first operand: -1; as result: not kept

    // As first operand BLOCK_OUT, BLOCK_ROW, BLOCK_ACT in a later row of the band are ROW_OUT, ROW, ROW_ACT: a filter block
    // counts its rows on from where it begins. These pairs are all whose number has bit 3, but not bit 1.

    // Second operands besides the numbers of the layer, whose indices are 32 and more.
    localparam [5:0] ZERO = 6'd0;
    localparam [5:0] LAST_LANE = 6'd1;      // LANES_OUT - 1
    localparam [5:0] BLOCK_BYTES = 6'd2;    // of the filter block in a pixel, less one
    localparam [5:0] FLAGS = 6'd3;

    // Operations: the second bit inverts the second operand, the first carries in.
    localparam [1:0] PLUS = 2'b00;
    localparam [1:0] PLUS_1 = 2'b01;        // a + b + 1
    localparam [1:0] MINUS = 2'b11;
    localparam [1:0] MINUS_1 = 2'b10;       // a - b - 1
    localparam [1:0] IS = PLUS_1;           // with NONE: b
    localparam [1:0] IS_LESS_1 = PLUS;      // with NONE: b - 1

    // The operations by name, in the order in which they run. From 48 on they are pairs, of which one runs.
    localparam [5:0]
        CLEAR = 6'd0, CLEAR_2 = 6'd1, CLEAR_3 = 6'd2, IDLE = 6'd3, LAYER = 6'd4,
        FRAME = 6'd5, FRAME_2 = 6'd6, FRAME_3 = 6'd7,
        BAND = 6'd8, BAND_2 = 6'd9, BAND_3 = 6'd10, BAND_4 = 6'd11, BAND_5 = 6'd12, BAND_6 = 6'd13, BAND_7 = 6'd14,
        COLUMN = 6'd48, LAST_COLUMN = 6'd49, COLUMN_2 = 6'd15, COLUMN_3 = 6'd16, SPAN_BEGIN = 6'd17,
        BLOCK = 6'd50, LAST_BAND_BLOCK = 6'd51, BLOCK_2 = 6'd52, FIRST_BLOCK_2 = 6'd53, BLOCK_3 = 6'd54, FIRST_BLOCK_3 = 6'd55,
        SPAN_2 = 6'd56, LAST_SPAN_2 = 6'd57, SPAN_3 = 6'd58, LAST_SPAN_3 = 6'd59, BLOCK_4 = 6'd60,
        KERNEL = 6'd18, KERNEL_2 = 6'd19, KERNEL_3 = 6'd20, KERNEL_4 = 6'd21, KERNEL_5 = 6'd22,
        BELOW = 6'd23, BELOW_2 = 6'd24,
        ABOVE = 6'd25, ABOVE_2 = 6'd26, ABOVE_3 = 6'd27, ABOVE_4 = 6'd28, ABOVE_5 = 6'd29,
        RELEASE = 6'd30, RELEASE_2 = 6'd31, RELEASE_3 = 6'd32, RELEASE_4 = 6'd33, HOLD_FRAME = 6'd62, NEXT_FRAME = 6'd63,
        DONE = 6'd34, NEXT = 6'd35, NEXT_2 = 6'd36, NEXT_3 = 6'd37, NEXT_4 = 6'd38,
        NEXT_COLUMN = 6'd39, NEXT_COLUMN_2 = 6'd40, NEXT_COLUMN_3 = 6'd41, NEXT_COLUMN_4 = 6'd42,
        FRAME_END = 6'd43, FRAME_END_2 = 6'd44, FRAME_END_3 = 6'd45, LAYER_END = 6'd46;

    // ---------------------------------------------------------------- the program
    reg  [5:0] at_q;
    wire [4:0] to;       // where the result is kept
    wire [4:0] a;
    wire [1:0] how;
    wire [5:0] b;
    wire [3:0] sent_as;

    reg        second_of_pair;

    assign {to, a, how, b, sent_as} = line({at_q[5:1], at_q[0] || second_of_pair});

    function [21:0] line(input [5:0] at);
        case (at)
            //                       result      = first         how        second               sent as
            CLEAR:           line = {FRAME_ACT,    NONE,         IS,        ZERO,                ITEM_NOTHING};
            CLEAR_2:         line = {LAYER_WGT,    NONE,         IS,        ZERO,                ITEM_NOTHING};
            CLEAR_3:         line = {NEXT_OUT,     NONE,         IS,        ZERO,                ITEM_NOTHING};

            LAYER:           line = {FRAMES_LEFT,  NONE,         IS_LESS_1, FRAMES,              ITEM_NOTHING};
            FRAME:           line = {ROWS_LEFT,    NONE,         IS_LESS_1, OUT_HEIGHT,          ITEM_NOTHING};
            FRAME_2:         line = {NEXT_ROW,     NONE,         IS,        FIRST_ROW,           ITEM_NOTHING};
            FRAME_3:         line = {NEXT_ACT,     FRAME_ACT,    PLUS,      FIRST_ACT,           ITEM_NOTHING};

            BAND:            line = {ROWS_LEFT,    ROWS_LEFT,    MINUS,     BAND_ROWS,           ITEM_NOTHING};
            BAND_2:          line = {COLUMN_OUT,   NEXT_OUT,     PLUS,      ZERO,                ITEM_NOTHING};
            BAND_3:          line = {BLOCK_ROW,    NEXT_ROW,     PLUS,      ZERO,                ITEM_NOTHING};
            BAND_4:          line = {COLS_LEFT,    NONE,         IS_LESS_1, OUT_WIDTH,           ITEM_NOTHING};
            BAND_5:          line = {COLS_LEFT,    COLS_LEFT,    MINUS,     COLUMN_BLOCK,        ITEM_NOTHING};
            BAND_6:          line = {COL,          NONE,         IS,        FIRST_COL,           ITEM_COL};
            BAND_7:          line = {OFFSET,       NONE,         IS,        FIRST_OFFSET,        ITEM_OFFSET};

            COLUMN:          line = {NONE,         NONE,         IS,        COLUMN_BLOCK,        ITEM_COLS};
            LAST_COLUMN:     line = {NONE,         COLS_LEFT,    PLUS_1,    COLUMN_BLOCK,        ITEM_COLS};
            COLUMN_2:        line = {BLOCK_ACT,    NEXT_ACT,     PLUS,      ZERO,                ITEM_NOTHING};
            COLUMN_3:        line = {FILTERS_LEFT, NONE,         IS_LESS_1, OUT_CHANNELS,        ITEM_NOTHING};

            // A span: filters that see the same channels. The last one may overlap the one before, but not depthwise.
            SPAN_BEGIN:      line = {FILTERS_LEFT, FILTERS_LEFT, MINUS,     SPAN_FILTERS,        ITEM_NOTHING};
            BLOCK:           line = {BAND_LEFT,    NONE,         IS_LESS_1, BAND_ROWS,           ITEM_NOTHING};
            LAST_BAND_BLOCK: line = {BAND_LEFT,    ROWS_LEFT,    PLUS,      BAND_ROWS,           ITEM_NOTHING};
            BLOCK_2:         line = {BLOCK_OUT,    BLOCK_OUT,    PLUS_1,    BLOCK_BYTES,         ITEM_OUT};
            FIRST_BLOCK_2:   line = {BLOCK_OUT,    COLUMN_OUT,   PLUS,      ZERO,                ITEM_OUT};
            BLOCK_3:         line = {NEXT_WGT,     NEXT_WGT,     PLUS,      BLOCK_WORDS,         ITEM_WGT_RELEASE};
            FIRST_BLOCK_3:   line = {NEXT_WGT,     LAYER_WGT,    PLUS,      BLOCK_WORDS,         ITEM_WGT_RELEASE};
            SPAN_2:          line = {BLOCK_ACT,    BLOCK_ACT,    PLUS,      SPAN,                ITEM_NOTHING};
            LAST_SPAN_2:     line = {BLOCK_ACT,    NEXT_ACT,     PLUS,      LAST_CHANNEL,        ITEM_NOTHING};
            SPAN_3:          line = {SPAN_LEFT,    NONE,         IS_LESS_1, SPAN_FILTERS,        ITEM_NOTHING};
            LAST_SPAN_3:     line = {SPAN_LEFT,    FILTERS_LEFT, PLUS,      SPAN_FILTERS,        ITEM_NOTHING};
            BLOCK_4:         line = {SPAN_LEFT,    SPAN_LEFT,    MINUS_1,   LAST_LANE,           ITEM_NOTHING};

            // The kernel rows inside the image. TAP_ROW is the last one, counted from the first row below the image; if
            // it lies there, it is dropped. Then those above the image are skipped.
            KERNEL:          line = {TAP_ROW,      BLOCK_ROW,    PLUS,      REACH_Y,             ITEM_NOTHING};
            KERNEL_2:        line = {TAP_ROW,      TAP_ROW,      MINUS,     HEIGHT,              ITEM_NOTHING};
            KERNEL_3:        line = {TAPS,         NONE,         IS,        TAPS_Y,              ITEM_TAPS};
            KERNEL_4:        line = {TAP_ACT,      BLOCK_ACT,    PLUS,      ZERO,                ITEM_ACT};
            KERNEL_5:        line = {TAP_WGT,      NEXT_WGT,     MINUS,     BLOCK_WORDS,         ITEM_WGT};
            BELOW:           line = {TAPS,         TAPS,         MINUS_1,   ZERO,                ITEM_TAPS};
            BELOW_2:         line = {TAP_ROW,      TAP_ROW,      MINUS,     DILATION_Y,          ITEM_NOTHING};
            ABOVE:           line = {TAP_ROW,      BLOCK_ROW,    PLUS,      ZERO,                ITEM_NOTHING};
            ABOVE_2:         line = {TAP_ROW,      TAP_ROW,      PLUS,      DILATION_Y,          ITEM_NOTHING};
            ABOVE_3:         line = {TAPS,         TAPS,         MINUS_1,   ZERO,                ITEM_TAPS};
            ABOVE_4:         line = {TAP_ACT,      TAP_ACT,      PLUS,      DILATION_SPAN,       ITEM_ACT};
            ABOVE_5:         line = {TAP_WGT,      TAP_WGT,      PLUS,      KERNEL_ROW_WORDS,    ITEM_WGT};

            // An output row is finished: what the next one needs stays. TAP_ROW: does it begin inside the image?
            RELEASE:         line = {NEXT_ROW,     NEXT_ROW,     PLUS,      STRIDE_Y,            ITEM_NOTHING};
            RELEASE_2:       line = {TAP_ROW,      NEXT_ROW,     MINUS,     HEIGHT,              ITEM_NOTHING};
            RELEASE_3:       line = {NEXT_ACT,     NEXT_ACT,     PLUS,      STRIDE_SPAN,         ITEM_ACT_RELEASE};
            RELEASE_4:       line = {NEXT_OUT,     NEXT_OUT,     PLUS,      OUT_ROW_BYTES,       ITEM_NOTHING};
            HOLD_FRAME:      line = {NONE,         FRAME_ACT,    PLUS,      ZERO,                ITEM_ACT_RELEASE};
            NEXT_FRAME:      line = {NONE,         FRAME_ACT,    PLUS,      FRAME_SPAN,          ITEM_ACT_RELEASE};

            // The item is complete. What follows must not begin with a number of the next one.
            DONE:            line = {NONE,         NONE,         IS,        FLAGS,               ITEM_FLAGS};
            NEXT:            line = {ROW,          BLOCK_ROW,    PLUS,      STRIDE_Y,            ITEM_NOTHING};
            NEXT_2:          line = {ROW_ACT,      BLOCK_ACT,    PLUS,      STRIDE_SPAN,         ITEM_NOTHING};
            NEXT_3:          line = {BAND_LEFT,    BAND_LEFT,    MINUS_1,   ZERO,                ITEM_NOTHING};
            NEXT_4:          line = {ROW_OUT,      BLOCK_OUT,    PLUS,      OUT_ROW_BYTES,       ITEM_OUT};
            NEXT_COLUMN:     line = {COLS_LEFT,    COLS_LEFT,    MINUS,     COLUMN_BLOCK,        ITEM_NOTHING};
            NEXT_COLUMN_2:   line = {COLUMN_OUT,   COLUMN_OUT,   PLUS,      COLUMN_BLOCK_BYTES,  ITEM_NOTHING};
            NEXT_COLUMN_3:   line = {COL,          COL,          PLUS,      COLUMN_BLOCK_POS,    ITEM_COL};
            NEXT_COLUMN_4:   line = {OFFSET,       OFFSET,       PLUS,      COLUMN_BLOCK_OFFSET, ITEM_OFFSET};
            FRAME_END:       line = {FRAME_ACT,    FRAME_ACT,    PLUS,      FRAME_SPAN,          ITEM_NOTHING};
            // Rounded down to a word of results: a frame's begin on one.
            FRAME_END_2:     line = {NEXT_OUT,     NEXT_OUT,     PLUS,      LAST_LANE,           ITEM_NOTHING};
            FRAME_END_3:     line = {FRAMES_LEFT,  FRAMES_LEFT,  MINUS_1,   ZERO,                ITEM_NOTHING};
            LAYER_END:       line = {LAYER_WGT,    NEXT_WGT,     PLUS,      ZERO,                ITEM_NOTHING};
            default:         line = {NONE,         NONE,         IS,        ZERO,                ITEM_NOTHING};
        endcase
    endfunction

    // ---------------------------------------------------------------- its branches
    // They know a result's sign, and whether it is 0, from the second operation after it on.
    reg last_frame;     // FRAMES_LEFT is 0
    reg last_band;      // ROWS_LEFT is negative
    reg last_row;       // BAND_LEFT is 0
    reg last_column;    // block: COLS_LEFT is negative
    reg last_span;      // FILTERS_LEFT is negative
    reg span_end;       // SPAN_LEFT is negative
    reg no_taps;        // TAPS is 0
    reg tap_above;      // TAP_ROW is negative
    reg next_above;     // NEXT_ROW is negative
    reg block_above;    // BLOCK_ROW is negative
    reg row_above;      // ROW is negative

    wire last_block = span_end && last_span;
    wire row_end = last_block && last_column;
    wire frame_end = last_band && last_row;     // if row_end

    // An item's place in the loops.
    reg first_item_q;   // of the layer
    reg first_block_q;  // filter block of its column block
    reg first_row_q;    // of the band
    reg columns_q;      // there are several column blocks
    reg blocks_q;       // there are several filter blocks

    // One column block, or one filter block, is set up once for the layer.
    wire new_columns = first_item_q || columns_q;
    wire new_block = first_item_q || blocks_q;
    wire above = first_row_q ? block_above : row_above;

    reg  begun_q;  // the layer that layer_valid announces
    wire take = at_q == IDLE && layer_valid && !begun_q;
    wire depthwise;

    wire [5:0] finish = row_end ? RELEASE : DONE;
    reg  [5:0] next;

    always @(*) begin
        case (at_q)
            COLUMN: second_of_pair = last_column;
            BLOCK: second_of_pair = last_band;
            BLOCK_2, BLOCK_3: second_of_pair = first_block_q;
            SPAN_2: second_of_pair = last_span && !depthwise;
            SPAN_3: second_of_pair = last_span;
            HOLD_FRAME: second_of_pair = frame_end || !next_above;
            default: second_of_pair = 1'b0;
        endcase
    end

    always @(*) begin
        next = at_q + (at_q >= COLUMN ? 6'd2 : 6'd1);
        case (at_q)
            IDLE: if (!take) next = IDLE;
            BAND_3: if (!new_columns) next = COLUMN_2;
            BAND_7, NEXT_COLUMN_4: next = COLUMN;
            COLUMN: next = COLUMN_2;
            COLUMN_2: if (!new_block) next = BLOCK;
            SPAN_BEGIN: next = BLOCK;
            BLOCK_2: if (!new_block) next = KERNEL;
            BLOCK_3: if (first_block_q) next = SPAN_3; else if (!span_end) next = BLOCK_4;
            BLOCK_4, NEXT_4: next = KERNEL;
            KERNEL_5: next = no_taps ? finish : !tap_above ? BELOW : above ? ABOVE : finish;
            BELOW_2: next = KERNEL_4;
            ABOVE_5: next = tap_above && !no_taps ? ABOVE_2 : finish;
            RELEASE_4: next = !frame_end && !next_above && tap_above ? DONE : HOLD_FRAME;
            HOLD_FRAME: next = DONE;
            DONE:
            next = !last_row ? NEXT : !last_block ? (span_end ? SPAN_BEGIN : BLOCK)
                 : !last_column ? NEXT_COLUMN : !last_band ? BAND : FRAME_END;
            FRAME_END_2: if (last_frame) next = LAYER_END;
            FRAME_END_3: next = FRAME;
            LAYER_END: next = IDLE;
            default: ;
        endcase
    end

    // All waits while an item is complete and not taken yet.
    wire move = !item_valid || item_ready;

    always @(posedge clk) begin
        if (rst) at_q <= CLEAR;
        else if (move) at_q <= next;

        if (rst || !layer_valid) begun_q <= 1'b0;
        else if (move && take) begun_q <= 1'b1;

        if (move) begin
            case (at_q)
                LAYER: {first_item_q, columns_q, blocks_q} <= 3'b100;
                BAND: first_block_q <= 1'b1;
                BLOCK: first_row_q <= 1'b1;
                DONE: begin
                    first_item_q <= 1'b0;
                    if (last_row && !last_block) {first_block_q, blocks_q} <= 2'b01;
                end
                NEXT_4: first_row_q <= 1'b0;
                NEXT_COLUMN: {first_block_q, columns_q} <= 2'b11;
                default: ;
            endcase
        end
    end

    // ---------------------------------------------------------------- the numbers of the layer
    reg              bank_q;  // in use
    reg [SIZE_W-1:0] sizes[0:31];
    reg [ WIN_W-1:0] spans[0:31];

    wire [SIZE_W-1:0] size = sizes[{bank_q, b[3:0]}];
    wire [ WIN_W-1:0] span = spans[{bank_q, b[3:0]}];

    wire [MODE_DEPTHWISE:0] mode;

    always @(posedge clk) begin
        if (numbers[38:36] == 3'b110) sizes[{!bank_q, numbers[35:32]}] <= numbers[SIZE_W-1:0];
        if (numbers[38:36] == 3'b111) spans[{!bank_q, numbers[35:32]}] <= numbers[WIN_W-1:0];
        if (rst) bank_q <= 1'b0;
        else if (move && take) bank_q <= !bank_q;
    end

    number #(
        .INDEX(MODE),
        .WIDTH(MODE_DEPTHWISE + 1)
    ) u_mode (
        .clk    (clk),
        .numbers(numbers),
        .take   (move && take),
        .value  (mode)
    );

    assign depthwise = mode[MODE_DEPTHWISE];

    // ---------------------------------------------------------------- operands
    localparam [4:0] LANE_BITS = LANES_OUT[4:0] - 5'd1;

    reg  [4:0] last_filter_q;
    wire       last_pass = last_frame && last_band && last_column;

    reg [WIN_W-1:0] second;

    always @(*) begin
        second = {WIN_W{1'b0}};
        case (b[1:0])
            LAST_LANE[1:0]: second[4:0] = LANE_BITS;
            BLOCK_BYTES[1:0]: second[6:0] = mode[MODE_REQUANTISE] ? {2'b00, last_filter_q} : {last_filter_q, 2'b11};
            FLAGS[1:0]: begin
                second[ITEM_LAYER_END]      = row_end && last_row && last_pass;
                second[ITEM_LAST_BLOCK]     = last_block;
                second[ITEM_NEW_BLOCK]      = new_block && first_row_q;
                second[ITEM_LAST_PASS]      = last_pass;
                second[ITEM_FINAL]          = last_row && last_pass;
                second[ITEM_ROW_END]        = row_end;
                second[ITEM_FIRST]          = first_item_q;
                second[ITEM_LAST_FILTER+:5] = last_filter_q;
            end
            default: ;
        endcase
        if (b[5]) second = b[4] ? span : {{WIN_W - SIZE_W{1'b0}}, size};
    end

    reg [      4:0] to_q;
    reg [      4:0] a_q;
    reg             carry_q;
    reg [WIN_W-1:0] second_q;
    reg [      3:0] sent_as_q;
    reg             align_q;  // down to a word of results

    always @(posedge clk) begin
        if (move) begin
            to_q      <= to;
            a_q       <= {a[4:1], a[0] || (a[3] && !a[1] && !first_row_q)};
            carry_q   <= how[0];
            second_q  <= second ^ {WIN_W{how[1]}};
            sent_as_q <= sent_as;
            align_q   <= at_q == FRAME_END_2;
        end
        if (rst) sent_as_q <= ITEM_NOTHING;
    end

    // ---------------------------------------------------------------- the adder, a cycle later
    reg [COUNT_W-1:0] counts[0:15];
    reg [  WIN_W-1:0] places[0:15];

    wire [COUNT_W-1:0] count = counts[a_q[3:0]];
    wire [  WIN_W-1:0] place = places[a_q[3:0]];
    wire [  WIN_W-1:0] first = a_q == NONE ? {WIN_W{1'b1}}
                             : a_q[4] ? place : {{WIN_W - COUNT_W{count[COUNT_W-1]}}, count};
    wire [    WIN_W:0] sum = {first, 1'b1} + {second_q, carry_q};  // the lowest bits make the carry
    wire [  WIN_W-1:0] result = sum[WIN_W:1] & ~{{WIN_W - 5{1'b0}}, LANE_BITS & {5{align_q}}};

    wire negative = result[WIN_W-1];
    wire zero = result[15:0] == 16'd0;

    reg complete_q;   // the item, with the operation in the adder
    reg complete_q2;  // with the number that is being sent

    always @(posedge clk) begin
        if (move) begin
            if (!to_q[4]) counts[to_q[3:0]] <= result[COUNT_W-1:0];
            if (to_q[4]) places[to_q[3:0]] <= result;  // NONE has a place, too
            case (to_q)
                FRAMES_LEFT: last_frame <= zero;
                ROWS_LEFT: last_band <= negative;
                BAND_LEFT: last_row <= zero;
                COLS_LEFT: last_column <= negative;
                FILTERS_LEFT: last_span <= negative;
                SPAN_LEFT: begin
                    span_end      <= negative;
                    last_filter_q <= LANE_BITS & (result[4:0] | {5{!negative}});
                end
                TAPS: no_taps <= zero;
                TAP_ROW: tap_above <= negative;
                NEXT_ROW: next_above <= negative;
                BLOCK_ROW: block_above <= negative;
                ROW: row_above <= negative;
                default: ;
            endcase

            item <= {sent_as_q != ITEM_NOTHING, sent_as_q, {32 - WIN_W{negative}}, result};
        end
        if (rst) begin
            item[36]                              <= 1'b0;
            {item_valid, complete_q2, complete_q} <= 3'b000;
        end else if (move) begin
            {item_valid, complete_q2, complete_q} <= {complete_q2, complete_q, at_q == DONE};
        end
    end

    wire unused = &{1'b0, numbers, mode, sum[0]};

endmodule

`default_nettype wire
