// rows: the outer loops of a layer: frame, band, column block, filter block, row of the band.
//
// One item of work is one filter block on the columns of one column block of one output row. It says where its
// windows begin (addresses of activations, weights and results, from the first kernel row inside the image on), how
// many kernel rows and windows there are, and what may be released once it is done. Items go out number by number
// (item_numbers.vh); a number that has not changed since the item before is not always sent again.
// A program (rows_program.vh) computes them on one adder, one operation a cycle. Its variables live in small memories,
// and so do the numbers of the layer; the next layer's go to the bank that is not in use.
// Does not: look at columns (windows.v does) or at what has arrived (gate.v does).
//
// Throughput: an item takes as many cycles as the program has operations for it, counted from the cycle in which the
// item before is taken to the first in which this one is valid. That is
//      10  for the next row of a band,
//      10  for the next filter block, 13 if it begins a span (filters that see other channels),
//      14  for the next column block, 5 more if there are several filter blocks,
//      12  for the next band, 5 more if there are several filter blocks, 5 more if there are several column blocks,
//      18  for the next frame, likewise;
//       4  more for each kernel row outside the image, one more if there is one above it, and one more if then none is
//          left: the weights are those of the block's beginning after all, since the item waits for these;
//       4  more at the end of an output row, 5 if the next one is of another frame or layer or begins outside the
//          image.
// Latency: a layer's first item is valid 29 cycles after the first cycle in which layer_valid is high and the last
// item of the layer before was taken at least one cycle ago; more for kernel rows and the end of a row, as above.

`default_nettype none

module rows #(
    `include "parameters.vh"
) (
    input  wire        clk,
    input  wire        rst,

    input  wire [38:0] numbers,      // the broadcast: valid, index, value (layer_numbers.vh)
    input  wire        layer_valid,  // a layer's numbers are complete; low again once windows.v has taken them

    output reg  [38:0] item,         // valid, index, value (item_numbers.vh)
    output reg         item_valid,   // all numbers of an item have been sent
    input  wire        item_ready
);

    `include "layer_numbers.vh"
    `include "item_numbers.vh"
    `include "rows_program.vh"

    localparam WIN_W = 26;  // of the adder: no number is wider, activation and weight addresses included

    // Sizes and result addresses are kept with a sign, other variables as wide as the adder.
    localparam SIZE_W = OUT_W > 16 ? OUT_W : 16;
    localparam COUNT_W = SIZE_W + 2 < WIN_W ? SIZE_W + 2 : WIN_W;

    // ---------------------------------------------------------------- the program
    reg  [5:0] at_q;
    wire [4:0] to;       // where the result is kept
    wire [4:0] a;
    wire [1:0] how;
    wire [5:0] b;
    wire [5:0] sent_as;

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
    wire over = frame_end || !next_above;

    assign {to, a, how, b, sent_as} = line(at_q, over);

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
    wire [5:0] after_columns = !last_column ? NEXT_COLUMN : !last_band ? BAND : FRAME_END;
    reg  [5:0] next;

    // Which operation of a pair comes.
    wire [5:0] column = last_column ? LAST_COLUMN : COLUMN;
    wire [5:0] block = last_band ? LAST_BAND_BLOCK : BLOCK;
    wire [5:0] span_2 = last_span && !depthwise ? LAST_SPAN_2 : SPAN_2;
    wire [5:0] span_3 = last_span ? LAST_SPAN_3 : SPAN_3;

    always @(*) begin
        next = at_q + 6'd1;
        case (at_q)
            IDLE: if (!take) next = IDLE;
            BAND_3: if (!new_columns) next = COLUMN_2;
            BAND_7, NEXT_COLUMN_4: next = column;
            COLUMN, LAST_COLUMN: next = COLUMN_2;
            COLUMN_2: if (!new_block) next = block;
            SPAN_BEGIN: next = block;
            BLOCK, LAST_BAND_BLOCK: next = first_block_q ? FIRST_BLOCK_2 : BLOCK_2;
            BLOCK_2, FIRST_BLOCK_2: next = !new_block ? KERNEL : first_block_q ? FIRST_BLOCK_3 : BLOCK_3;
            BLOCK_3: next = span_end ? span_2 : BLOCK_4;
            FIRST_BLOCK_3, SPAN_2, LAST_SPAN_2: next = span_3;
            SPAN_3, LAST_SPAN_3: next = BLOCK_4;
            BLOCK_4, NEXT_4: next = KERNEL;
            KERNEL_5: next = no_taps ? finish : !tap_above ? BELOW : above ? ABOVE : finish;
            BELOW_2: next = KERNEL_4;
            ABOVE_5: next = no_taps ? KERNEL_5 : tap_above ? ABOVE_2 : finish;
            RELEASE_4: next = !frame_end && !next_above && tap_above ? DONE : RELEASE_5;
            RELEASE_5: next = DONE;
            DONE: next = !last_row ? NEXT : !last_block ? (span_end ? SPAN_BEGIN : block) : after_columns;
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
                BLOCK, LAST_BAND_BLOCK: first_row_q <= 1'b1;
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
        clk,
        numbers,
        move && take,
        mode
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
    reg             none_q;
    reg             carry_q;
    reg [WIN_W-1:0] second_q;
    reg [      5:0] sent_as_q;
    reg             align_q;  // down to a word of results

    always @(posedge clk) begin
        if (move) begin
            a_q       <= {a[4:1], a[0] || (a[3] && !a[1] && !first_row_q)};
            none_q    <= a == NONE;
            {to_q, carry_q, sent_as_q} <= {to, how[0], sent_as};

            second_q  <= second ^ {WIN_W{how[1]}};
            align_q   <= at_q == FRAME_END_2;
        end
        if (rst) sent_as_q <= ITEM_NOTHING;
    end

    // ---------------------------------------------------------------- the adder, a cycle later
    reg [COUNT_W-1:0] counts[0:15];
    reg [  WIN_W-1:0] places[0:15];

    wire [COUNT_W-1:0] count = counts[a_q[3:0]];
    wire [  WIN_W-1:0] place = places[a_q[3:0]];
    wire [  WIN_W-1:0] first = none_q ? {WIN_W{1'b1}}
                             : a_q[4] ? place : {{WIN_W - COUNT_W{count[COUNT_W-1]}}, count};
    wire [    WIN_W:0] sum = {first, 1'b1} + {second_q, carry_q};  // the lowest bits make the carry
    wire [  WIN_W-1:0] result = sum[WIN_W:1] & ~{{WIN_W - 5{1'b0}}, LANE_BITS & {5{align_q}}};

    wire negative = result[WIN_W-1];
    // a + b + c is 0 if a ^ b is {a | b, c}: found without the carry.
    wire zero = (first[15:0] ^ second_q[15:0]) == {first[14:0] | second_q[14:0], carry_q};

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
            item[38]                              <= 1'b0;
            {item_valid, complete_q2, complete_q} <= 3'b000;
        end else if (move) begin
            {item_valid, complete_q2, complete_q} <= {complete_q2, complete_q, at_q == DONE};
        end
    end

    wire unused = &{1'b0, numbers, mode, sum[0]};

endmodule

`default_nettype wire
