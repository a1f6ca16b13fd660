// The program of rows.v: its variables, the list of its operations, and what each of them does. It is included there,
// after layer_numbers.vh and item_numbers.vh, and nowhere else.

// Variables: counts and result addresses,
// verilator lint_off UNUSEDPARAM  // a module uses some of them
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
    BLOCK = 6'd50, LAST_BAND_BLOCK = 6'd51, BLOCK_2 = 6'd52,
    FIRST_BLOCK_2 = 6'd53, BLOCK_3 = 6'd54, FIRST_BLOCK_3 = 6'd55,
    SPAN_2 = 6'd56, LAST_SPAN_2 = 6'd57, SPAN_3 = 6'd58, LAST_SPAN_3 = 6'd59,
    BLOCK_4 = 6'd60,
    KERNEL = 6'd18, KERNEL_2 = 6'd19, KERNEL_3 = 6'd20, KERNEL_4 = 6'd21, KERNEL_5 = 6'd22,
    BELOW = 6'd23, BELOW_2 = 6'd24,
    ABOVE = 6'd25, ABOVE_2 = 6'd26, ABOVE_3 = 6'd27, ABOVE_4 = 6'd28, ABOVE_5 = 6'd29,
    RELEASE = 6'd30, RELEASE_2 = 6'd31, RELEASE_3 = 6'd32, RELEASE_4 = 6'd33, RELEASE_5 = 6'd47,
    DONE = 6'd34, NEXT = 6'd35, NEXT_2 = 6'd36, NEXT_3 = 6'd37, NEXT_4 = 6'd38,
    NEXT_COLUMN = 6'd39, NEXT_COLUMN_2 = 6'd40, NEXT_COLUMN_3 = 6'd41, NEXT_COLUMN_4 = 6'd42,
    FRAME_END = 6'd43, FRAME_END_2 = 6'd44, FRAME_END_3 = 6'd45, LAYER_END = 6'd46;

// What each operation does; `over` says whether the rows of the frame are.
function [23:0] line(input [5:0] at, input over);
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
        // Outside: all of the frame, or nothing of it yet.
        RELEASE_5:       line = {NONE,         FRAME_ACT,    PLUS,      over ? FRAME_SPAN : ZERO, ITEM_ACT_RELEASE};

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
// verilator lint_on UNUSEDPARAM
