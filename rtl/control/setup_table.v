// setup_table: how each number of a layer is derived, a line each.
//
// A line reads {when, where, a, op, b, refused if}: WIDTH TIMES CHANNELS goes to ROW_BYTES. setup_line.vh explains the
// words. `LAST`, as `a`, is the result of the line before (of the last one that was carried out); other numbers may be
// read from the third line after the one that makes them.
// Does not: compute; layer_setup goes through it.
//
// Latency: line holds that of `address` one cycle later.

`default_nettype none

module setup_table #(
    `include "parameters.vh"
) (
    input  wire        clk,
    input  wire [ 7:0] address,  // a line; from 192 on a constant, in its low 33 bits; from 224 on 0
    output reg  [34:0] line_q
);

    `include "layer_numbers.vh"
    `include "setup_line.vh"

    localparam BAND_WINDOWS = 2 * LANES_OUT * (LANES_IN / WGT_STREAM_BYTES);  // hide a filter block's weights
    localparam UNIT = 65536;  // of PER

    // Constants by name; their values stand at the end of the table.
    localparam [5:0] K_0 = 6'd0;
    localparam [5:0] K_1 = 6'd1;
    localparam [5:0] K_3 = 6'd2;
    localparam [5:0] K_4 = 6'd3;
    localparam [5:0] K_8 = 6'd4;
    localparam [5:0] K_16 = 6'd5;
    localparam [5:0] K_17 = 6'd6;
    localparam [5:0] MINUS_1 = 6'd7;
    localparam [5:0] HALF = 6'd8;
    localparam [5:0] PER_WORD = 6'd9;
    localparam [5:0] PER_FILTERS = 6'd10;
    localparam [5:0] PER_BOTH_LANES = 6'd11;
    localparam [5:0] FILTERS = 6'd12;
    localparam [5:0] BOTH_LANES = 6'd13;
    localparam [5:0] DEPTHWISE_TAPS = 6'd14;
    localparam [5:0] DEPTHWISE_FLAG = 6'd15;
    localparam [5:0] WORD_LESS_1 = 6'd16;
    localparam [5:0] ACT_ROOM = 6'd17;
    localparam [5:0] WGT_ROOM = 6'd18;
    localparam [5:0] CONST_ROOM = 6'd19;
    localparam [5:0] OUT_ROOM = 6'd20;
    localparam [5:0] OUT_HALF = 6'd21;
    localparam [5:0] BLOCK_CONSTANTS = 6'd22;
    localparam [5:0] WINDOWS_LESS_1 = 6'd23;
    localparam [5:0] NEVER = 6'd24;

    // Lines that others jump to.
    localparam [7:0] JOIN = 8'd107;
    localparam [7:0] ALONE = 8'd116;
    localparam [7:0] HALVE = 8'd134;
    localparam [7:0] DOUBLE = 8'd154;
    localparam [7:0] JUDGE = 8'd166;

    // Constants are signed.
    function [34:0] constant(input integer value);
        constant = {{3{value[31]}}, value};
    endfunction

    reg [34:0] l;  // the line

    // One line is one line of text, in columns.
    // verilog_format: off
    always @(*) begin
    case (address)
    // The descriptor.
    8'd0:   l = {ALWAYS,  WIDTH,               ZERO,             PLUS,    D, AT_IN_SIZE, LOW,    IS_ZERO, AT_IN_SIZE};
    8'd1:   l = {ALWAYS,  HEIGHT,              ZERO,             PLUS,    D, AT_IN_SIZE, HIGH,   IS_ZERO, AT_IN_SIZE};
    8'd2:   l = {ALWAYS,  CHANNELS,            ZERO,             PLUS,    D, AT_CHANNELS, LOW,   IS_ZERO, AT_CHANNELS};
    8'd3:   l = {ALWAYS,  OUT_CHANNELS,        ZERO,             PLUS,    D, AT_CHANNELS, HIGH,  IS_ZERO, AT_CHANNELS};
    8'd4:   l = {ALWAYS,  OUT_WIDTH,           ZERO,             PLUS,    D, AT_OUT_SIZE, LOW,   IS_ZERO, AT_OUT_SIZE};
    8'd5:   l = {ALWAYS,  OUT_HEIGHT,          ZERO,             PLUS,    D, AT_OUT_SIZE, HIGH,  IS_ZERO, AT_OUT_SIZE};
    8'd6:   l = {ALWAYS,  FRAMES,              ZERO,             PLUS,    D, AT_BATCH, LOW,      IS_ZERO, AT_BATCH};
    8'd7:   l = {ALWAYS,  GROUPS,              ZERO,             PLUS,    D, AT_BATCH, HIGH,     IS_ZERO, AT_BATCH};
    8'd8:   l = {ALWAYS,  TAPS_X,              ZERO,             PLUS,    D, AT_KERNEL, BYTE_0,  NO_SIDE, AT_KERNEL};
    8'd9:   l = {ALWAYS,  OTHERS_X,            LAST,             PLUS,    K, MINUS_1,            NO};
    8'd10:  l = {ALWAYS,  TAPS_Y,              ZERO,             PLUS,    D, AT_KERNEL, BYTE_1,  NO_SIDE, AT_KERNEL};
    8'd11:  l = {ALWAYS,  OTHERS_Y,            LAST,             PLUS,    K, MINUS_1,            NO};
    8'd12:  l = {ALWAYS,  LAST,                CHANNELS,         DIVIDE,  N, GROUPS,             NO};  // see QUOTIENT
    8'd13:  l = {ALWAYS,  STRIDE_X,            ZERO,             PLUS,    D, AT_KERNEL, DIGIT_4, NO_STEP, AT_KERNEL};
    8'd14:  l = {ALWAYS,  STRIDE_Y,            ZERO,             PLUS,    D, AT_KERNEL, DIGIT_5, NO_STEP, AT_KERNEL};
    8'd15:  l = {ALWAYS,  DILATION_X,          ZERO,             PLUS,    D, AT_KERNEL, DIGIT_6, NO_STEP, AT_KERNEL};
    8'd16:  l = {ALWAYS,  DILATION_Y,          ZERO,             PLUS,    D, AT_KERNEL, DIGIT_7, NO_STEP, AT_KERNEL};
    8'd17:  l = {ALWAYS,  LEFT,                ZERO,             PLUS,    D, AT_PADS, LOW,       NO};
    8'd18:  l = {ALWAYS,  FIRST_COL,           LAST,             FROM,    K, K_0,                NO};
    8'd19:  l = {ALWAYS,  LAST,                ZERO,             PLUS,    D, AT_PADS, HIGH,      NO};
    8'd20:  l = {ALWAYS,  FIRST_ROW,           LAST,             FROM,    K, K_0,                NO};
    8'd21:  l = {ALWAYS,  REACH_X,             OTHERS_X,         TIMES,   N, DILATION_X,         NO};
    8'd22:  l = {ALWAYS,  REACH_Y,             OTHERS_Y,         TIMES,   N, DILATION_Y,         NO};
    8'd23:  l = {ALWAYS,  SPAN,                QUOTIENT,         PLUS,    K, K_0,                RAGGED, AT_BATCH};
    8'd24:  l = {ALWAYS,  LAST,                OUT_CHANNELS,     DIVIDE,  N, GROUPS,             NO};
    8'd25:  l = {ALWAYS,  IN_ZERO_POINT,       ZERO,             PLUS,    D, AT_QUANT, BYTE_0,   NO};
    8'd26:  l = {ALWAYS,  OUT_ZERO_POINT,      ZERO,             PLUS,    D, AT_QUANT, BYTE_1,   NO};
    8'd27:  l = {ALWAYS,  SMALLEST,            ZERO,             PLUS,    D, AT_QUANT, BYTE_2,   NO};
    8'd28:  l = {ALWAYS,  LARGEST,             ZERO,             PLUS,    D, AT_QUANT, BYTE_3,   NO};
    8'd29:  l = {ALWAYS,  LAST,                ZERO,             PLUS,    D, AT_MODE, HIGH,      NOT_ZERO, AT_MODE};
    8'd30:  l = {ALWAYS,  MODE,                ZERO,             PLUS,    D, AT_MODE, LOW,       NO_MODE, AT_MODE};
    8'd31:  l = {ALWAYS,  LAST,                LAST,             ABOVE,   K, K_0,                NO};  // more: int8
    8'd32:  l = {IF_MORE, PIXEL_BYTES,         OUT_CHANNELS,     PLUS,    K, K_0,                NO};
    8'd33:  l = {IF_NOT,  PIXEL_BYTES,         OUT_CHANNELS,     TIMES,   K, K_4,                NO};
    8'd34:  l = {IF_MORE, LAST,                ZERO,             PLUS,    D, AT_QUANT, RANK_2,   NO};
    8'd35:  l = {IF_MORE, LAST,                LAST,             FROM,    D, AT_QUANT, RANK_3,   NEGATIVE, AT_QUANT};
    8'd36:  l = {ALWAYS,  LAST,                ZERO,             RELEASE, K, K_0,                NO};

    // The image.
    8'd37:  l = {ALWAYS,  ROW_BYTES,           WIDTH,            TIMES,   N, CHANNELS,           NO};
    8'd38:  l = {ALWAYS,  WINDOW_ROWS,         REACH_Y,          PLUS,    K, K_1,                NO};
    8'd39:  l = {ALWAYS,  LAST,                LAST,             ABOVE,   N, HEIGHT,             NO};
    8'd40:  l = {IF_MORE, WINDOW_ROWS,         HEIGHT,           PLUS,    K, K_0,                NO};
    8'd41:  l = {ALWAYS,  FRAME_BYTES,         ROW_BYTES,        TIMES,   N, HEIGHT,             OVER_32, AT_IN_SIZE};
    8'd42:  l = {ALWAYS,  FIRST_ACT,           ROW_BYTES,        TIMES,   N, FIRST_ROW,          NO};
    8'd43:  l = {ALWAYS,  LAST,                ROW_BYTES,        TIMES,   N, WINDOW_ROWS,        NO};
    8'd44:  l = {ALWAYS,  LAST,                LAST,             FROM,    K, ACT_ROOM,           NEGATIVE, ACT_BUFFER};
    8'd45:  l = {ALWAYS,  ROOM,                LAST,             PLUS,    K, WORD_LESS_1,        NO};
    8'd46:  l = {ALWAYS,  FRAME_SPAN,          FRAME_BYTES,      ALIGN,   K, WORD_LESS_1,        NO};
    8'd47:  l = {ALWAYS,  STRIDE_SPAN,         ROW_BYTES,        TIMES,   N, STRIDE_Y,           NO};
    8'd48:  l = {ALWAYS,  ROOM,                ROOM,             PER,     K, HALF,               NO};  // half of it
    8'd49:  l = {ALWAYS,  DILATION_SPAN,       ROW_BYTES,        TIMES,   N, DILATION_Y,         NO};
    8'd50:  l = {ALWAYS,  STRIDE_BYTES,        CHANNELS,         TIMES,   N, STRIDE_X,           NO};
    8'd51:  l = {ALWAYS,  TAP_BYTES,           CHANNELS,         TIMES,   N, DILATION_X,         NO};
    8'd52:  l = {ALWAYS,  LAST,                OUT_HEIGHT,       TIMES,   N, STRIDE_Y,           NO};  // too few?
    8'd53:  l = {ALWAYS,  LAST,                LAST,             PLUS,    N, REACH_Y,            NO};
    8'd54:  l = {ALWAYS,  LAST,                LAST,             FROM,    N, HEIGHT,             NO};
    8'd55:  l = {ALWAYS,  LAST,                LAST,             FROM,    N, FIRST_ROW,          NEGATIVE, AT_OUT_SIZE};
    8'd56:  l = {ALWAYS,  LAST,                OUT_WIDTH,        TIMES,   N, STRIDE_X,           NO};
    8'd57:  l = {ALWAYS,  LAST,                LAST,             PLUS,    N, REACH_X,            NO};
    8'd58:  l = {ALWAYS,  LAST,                LAST,             FROM,    N, WIDTH,              NO};
    8'd59:  l = {ALWAYS,  LAST,                LAST,             FROM,    N, FIRST_COL,          NEGATIVE, AT_OUT_SIZE};
    8'd60:  l = {ALWAYS,  LAST,                STRIDE_BYTES,     TIMES,   N, OUT_WIDTH,          OVER_24, AT_OUT_SIZE};
    8'd61:  l = {ALWAYS,  LAST,                CHANNELS,         TIMES,   N, LEFT,               OVER_24, AT_PADS};
    8'd62:  l = {ALWAYS,  FIRST_OFFSET,        LAST,             FROM,    K, K_0,                NO};

    // What holds unless there are channel groups.
    8'd63:  l = {ALWAYS,  SPAN_FILTERS,        QUOTIENT,         PLUS,    K, K_0,                RAGGED, AT_BATCH};
    8'd64:  l = {ALWAYS,  SPANS,               ZERO,             PLUS,    K, K_1,                NO};
    8'd65:  l = {ALWAYS,  APART,               ZERO,             PLUS,    K, K_1,                NO};
    8'd66:  l = {ALWAYS,  FRESH,               TAPS_X,           PLUS,    K, K_0,                NO};
    8'd67:  l = {ALWAYS,  KERNEL_ROW_WORDS,    TAPS_X,           PLUS,    K, K_0,                NO};  // runs, as yet
    8'd68:  l = {ALWAYS,  LAST,                GROUPS,           ABOVE,   K, K_1,                NO};
    8'd69:  l = {IF_NOT,  LAST,                ZERO,             JUMP,    J, ALONE,              NO};

    // Channel groups: phases of windows, DILATION_X / gcd(STRIDE_X, DILATION_X), and NEW columns, STRIDE_X / gcd.
    8'd70:  l = {ALWAYS,  PHASES,              DILATION_X,       PLUS,    K, K_0,                NO};
    8'd71:  l = {ALWAYS,  NEW,                 STRIDE_X,         PLUS,    K, K_0,                NO};
    8'd72:  l = {ALWAYS,  LAST,                STRIDE_X,         TIMES,   N, DILATION_X,         NO};
    8'd73:  l = {ALWAYS,  LAST,                LAST,             ABOVE,   K, K_8,                NO};  // same: 2 and 4
    8'd74:  l = {IF_SAME, PHASES,              DILATION_X,       PER,     K, HALF,               NO};
    8'd75:  l = {IF_SAME, NEW,                 STRIDE_X,         PER,     K, HALF,               NO};
    8'd76:  l = {ALWAYS,  LAST,                STRIDE_X,         ABOVE,   N, DILATION_X,         NO};
    8'd77:  l = {IF_SAME, PHASES,              ZERO,             PLUS,    K, K_1,                NO};
    8'd78:  l = {IF_SAME, NEW,                 ZERO,             PLUS,    K, K_1,                NO};
    8'd79:  l = {ALWAYS,  LAST,                SPAN_FILTERS,     ABOVE,   K, FILTERS,            NO};
    8'd80:  l = {ALWAYS,  FEW,                 SPAN_FILTERS,     PLUS,    K, K_0,                NO};
    8'd81:  l = {IF_MORE, FEW,                 ZERO,             PLUS,    K, FILTERS,            NO};

    // Depthwise: one channel and 1, 2 or 4 filters in a group, a kernel row in a word, its rows in the tap memory.
    8'd82:  l = {ALWAYS,  SPREAD,              SPAN_FILTERS,     PLUS,    K, MINUS_1,            NO};
    8'd83:  l = {ALWAYS,  ROW_PHASES,          PHASES,           PLUS,    K, K_0,                NO};
    8'd84:  l = {ALWAYS,  LAST,                LAST,             ABOVE,   K, K_3,                NO};
    8'd85:  l = {IF_SAME, ROW_PHASES,          ZERO,             PLUS,    K, K_4,                NO};  // as four do
    8'd86:  l = {ALWAYS,  LAST,                SPAN_FILTERS,     ABOVE,   K, K_3,                NO};
    8'd87:  l = {IF_SAME, ROW_PHASES,          ZERO,             PLUS,    K, K_17,               NO};  // never
    8'd88:  l = {ALWAYS,  SPREAD,              SPREAD,           PER,     K, HALF,               NO};  // log2
    8'd89:  l = {ALWAYS,  PHASES,              PHASES,           TIMES,   K, K_4,                NO};
    8'd90:  l = {ALWAYS,  LAST,                TAPS_Y,           TIMES,   N, ROW_PHASES,         NO};
    8'd91:  l = {ALWAYS,  LAST,                LAST,             ABOVE,   K, K_16,               NO};
    8'd92:  l = {IF_NOT,  LAST,                SPAN,             ABOVE,   K, K_1,                NO};
    8'd93:  l = {ALWAYS,  PHASES,              PHASES,           PLUS,    N, SPREAD,             NO};
    8'd94:  l = {IF_NOT,  LAST,                SPAN_FILTERS,     ABOVE,   K, K_4,                NO};
    8'd95:  l = {IF_NOT,  LAST,                TAPS_X,           ABOVE,   K, DEPTHWISE_TAPS,     NO};  // not: depthwise
    8'd96:  l = {IF_NOT,  APART,               ZERO,             PLUS,    K, K_0,                NO};
    8'd97:  l = {IF_NOT,  FRESH,               NEW,              PLUS,    K, K_0,                NO};
    8'd98:  l = {IF_NOT,  KERNEL_ROW_WORDS,    ZERO,             PLUS,    K, K_1,                NO};
    8'd99:  l = {ALWAYS,  LANES,               ZERO,             PLUS,    K, FILTERS,            NO};
    8'd100: l = {IF_NOT,  LANES,               ZERO,             PLUS,    K, BOTH_LANES,         NO};
    8'd101: l = {ALWAYS,  SHARE,               ZERO,             PLUS,    K, PER_FILTERS,        NO};
    8'd102: l = {IF_NOT,  SHARE,               ZERO,             PLUS,    K, PER_BOTH_LANES,     NO};
    8'd103: l = {ALWAYS,  JOINED,              LANES,            PLUS,    K, K_0,                NO};
    8'd104: l = {ALWAYS,  LAST,                PHASES,           TIMES,   K, K_16,               NO};
    8'd105: l = {ALWAYS,  LAST,                LAST,             PLUS,    N, MODE,               NO};
    8'd106: l = {IF_NOT,  MODE,                LAST,             PLUS,    K, DEPTHWISE_FLAG,     NO};

    // Groups that are joined: as many as there are lanes, halved until their filters fit and there are so many.
    JOIN:   l = {ALWAYS,  LAST,                JOINED,           ABOVE,   N, GROUPS,             NO};
    8'd108: l = {ALWAYS,  LAST,                JOINED,           TIMES,   N, FEW,                NO};
    8'd109: l = {IF_NOT,  LAST,                LAST,             ABOVE,   N, LANES,              NO};
    8'd110: l = {IF_MORE, JOINED,              JOINED,           PER,     K, HALF,               NO};
    8'd111: l = {IF_MORE, SHARE,               SHARE,            PLUS,    N, SHARE,              NO};
    8'd112: l = {IF_MORE, LAST,                ZERO,             JUMP,    J, JOIN,               NO};
    8'd113: l = {ALWAYS,  SPAN,                SPAN,             TIMES,   N, JOINED,             NO};
    8'd114: l = {ALWAYS,  SPAN_FILTERS,        SPAN_FILTERS,     TIMES,   N, JOINED,             NO};
    8'd115: l = {ALWAYS,  SPANS,               GROUPS,           PER,     N, SHARE,              NO};

    // Runs, and the words and blocks that they make.
    ALONE:  l = {ALWAYS,  LAST_CHANNEL,        SPAN,             FROM,    N, CHANNELS,           NO};
    8'd117: l = {ALWAYS,  LAST,                LAST,             FROM,    N, APART,              NO};  // 1: a pixel
    8'd118: l = {ALWAYS,  LAST,                LAST,             ABOVE,   N, DILATION_X,         NO};  // same: packed
    8'd119: l = {ALWAYS,  RUN_BYTES,           SPAN,             PLUS,    K, K_0,                NO};
    8'd120: l = {IF_SAME, RUN_BYTES,           SPAN,             TIMES,   N, TAPS_X,             NO};
    8'd121: l = {IF_SAME, KERNEL_ROW_WORDS,    ZERO,             PLUS,    K, K_1,                NO};
    8'd122: l = {IF_SAME, MODE,                MODE,             PLUS,    K, K_4,                NO};
    8'd123: l = {ALWAYS,  RUN_WORDS,           RUN_BYTES,        PER,     K, PER_WORD,           NO};
    8'd124: l = {ALWAYS,  BLOCKS,              SPAN_FILTERS,     PER,     K, PER_FILTERS,        NO};  // of a span
    8'd125: l = {ALWAYS,  SEEN,                FRESH,            UP_TO,   N, TAPS_X,             NO};
    8'd126: l = {ALWAYS,  KERNEL_ROW_WORDS,    RUN_WORDS,        TIMES,   N, KERNEL_ROW_WORDS,   NO};
    8'd127: l = {ALWAYS,  BLOCKS,              BLOCKS,           TIMES,   N, SPANS,              NO};
    8'd128: l = {ALWAYS,  SEEN_COLS,           DILATION_X,       TIMES,   N, SEEN,               NO};
    8'd129: l = {ALWAYS,  BLOCK_WORDS,         KERNEL_ROW_WORDS, TIMES,   N, TAPS_Y,             OVER_22, WGT_BUFFER};
    8'd130: l = {ALWAYS,  SEEN_BYTES,          TAP_BYTES,        TIMES,   N, SEEN,               NO};

    // Results, and column blocks of at most half of their buffer.
    8'd131: l = {ALWAYS,  COLUMN_BLOCK,        OUT_WIDTH,        PLUS,    K, K_0,                NO};
    8'd132: l = {ALWAYS,  LAST,                PIXEL_BYTES,      FROM,    K, OUT_ROOM,           NEGATIVE, OUT_BUFFER};
    8'd133: l = {ALWAYS,  LAYER_WORDS,         BLOCK_WORDS,      TIMES,   N, BLOCKS,             NO};
    HALVE:  l = {ALWAYS,  COLUMN_BLOCK_BYTES,  PIXEL_BYTES,      TIMES,   N, COLUMN_BLOCK,       NO};
    8'd135: l = {ALWAYS,  LAST,                LAST,             ABOVE,   K, OUT_HALF,           NO};
    8'd136: l = {IF_MORE, LAST,                COLUMN_BLOCK,     ABOVE,   K, K_1,                NO};
    8'd137: l = {IF_MORE, COLUMN_BLOCK,        COLUMN_BLOCK,     PER,     K, HALF,               NO};
    8'd138: l = {IF_MORE, LAST,                ZERO,             JUMP,    J, HALVE,              NO};
    8'd139: l = {ALWAYS,  OUT_ROW_BYTES,       PIXEL_BYTES,      TIMES,   N, OUT_WIDTH,          OVER_26, AT_OUT_SIZE};
    8'd140: l = {ALWAYS,  COLUMN_BLOCK_POS,    COLUMN_BLOCK,     TIMES,   N, STRIDE_X,           NO};
    8'd141: l = {ALWAYS,  COLUMN_BLOCK_OFFSET, STRIDE_BYTES,     TIMES,   N, COLUMN_BLOCK,       NO};
    8'd142: l = {ALWAYS,  OUT_FRAME_BYTES,     OUT_ROW_BYTES,    TIMES,   N, OUT_HEIGHT,         OVER_32, AT_OUT_SIZE};
    8'd143: l = {ALWAYS,  LAYER_CONSTANTS,     BLOCKS,           TIMES,   K, BLOCK_CONSTANTS,    NO};

    // Bands: doubled until there are ENOUGH windows, if all weights stay, and while results and rows have room.
    8'd144: l = {ALWAYS,  ENOUGH,              ZERO,             PLUS,    K, NEVER,              NO};
    8'd145: l = {ALWAYS,  BAND_ROWS,           ZERO,             PLUS,    K, K_1,                NO};
    8'd146: l = {ALWAYS,  LAST,                LAYER_WORDS,      ABOVE,   K, WGT_ROOM,           NO};
    8'd147: l = {IF_NOT,  LAST,                LAYER_CONSTANTS,  ABOVE,   K, CONST_ROOM,         NO};
    8'd148: l = {IF_NOT,  ENOUGH,              ZERO,             PLUS,    K, WINDOWS_LESS_1,     NO};
    8'd149: l = {ALWAYS,  LAST,                OUT_WIDTH,        ABOVE,   N, COLUMN_BLOCK,       NO};
    8'd150: l = {ALWAYS,  LAST_ROW,            OUT_HEIGHT,       PLUS,    K, MINUS_1,            NO};
    8'd151: l = {IF_MORE, LAST_ROW,            ZERO,             PLUS,    K, K_0,                NO};
    8'd152: l = {ALWAYS,  LAST,                LAST,             ABOVE,   K, K_0,                NO};
    8'd153: l = {IF_NOT,  LAST,                ZERO,             JUMP,    J, JUDGE,              NO};
    DOUBLE: l = {ALWAYS,  NEXT_ROWS,           BAND_ROWS,        PLUS,    N, BAND_ROWS,          NO};
    8'd155: l = {ALWAYS,  LAST,                LAST,             ABOVE,   N, OUT_HEIGHT,         NO};
    8'd156: l = {IF_MORE, NEXT_ROWS,           OUT_HEIGHT,       PLUS,    K, K_0,                NO};
    8'd157: l = {ALWAYS,  LAST,                OUT_WIDTH,        TIMES,   N, BAND_ROWS,          NO};
    8'd158: l = {ALWAYS,  LAST,                LAST,             ABOVE,   N, ENOUGH,             NO};
    8'd159: l = {ALWAYS,  LAST,                OUT_ROW_BYTES,    TIMES,   N, NEXT_ROWS,          NO};
    8'd160: l = {IF_NOT,  LAST,                LAST,             ABOVE,   K, OUT_HALF,           NO};
    8'd161: l = {ALWAYS,  LAST,                STRIDE_SPAN,      TIMES,   N, NEXT_ROWS,          NO};
    8'd162: l = {IF_NOT,  LAST,                LAST,             ABOVE,   N, ROOM,               NO};
    8'd163: l = {IF_NOT,  BAND_ROWS,           NEXT_ROWS,        PLUS,    K, K_0,                NO};
    8'd164: l = {IF_NOT,  LAST,                LAST,             ABOVE,   N, LAST_ROW,           NO};
    8'd165: l = {IF_NOT,  LAST,                ZERO,             JUMP,    J, DOUBLE,             NO};

    // What must be there together: of a single band only a block's weights, of a single window not even those.
    JUDGE:  l = {ALWAYS,  LAST,                OUT_WIDTH,        ABOVE,   N, COLUMN_BLOCK,       NO};
    8'd167: l = {IF_NOT,  LAST,                OUT_HEIGHT,       ABOVE,   N, BAND_ROWS,          NO};
    8'd168: l = {IF_NOT,  LAST,                FRAMES,           ABOVE,   K, K_1,                NO};  // not: one band
    8'd169: l = {IF_MORE, LAST,                LAYER_WORDS,      FROM,    K, WGT_ROOM,           NEGATIVE, WGT_BUFFER};
    8'd170: l = {IF_MORE, LAST,                LAYER_CONSTANTS,  FROM,    K, CONST_ROOM,        NEGATIVE, CONST_BUFFER};
    8'd171: l = {IF_NOT,  LAST,                OUT_WIDTH,        ABOVE,   K, K_1,                NO};
    8'd172: l = {IF_NOT,  LAST,                OUT_HEIGHT,       ABOVE,   K, K_1,                NO};
    8'd173: l = {IF_MORE, LAST,                BLOCK_WORDS,      FROM,    K, WGT_ROOM,           NEGATIVE, WGT_BUFFER};
    8'd174: l = {ALWAYS,  LAST,                ZERO,             OFFER,   K, K_0,                NO};

    // Constants.
    {2'b11, K_0}: l = constant(0);
    {2'b11, K_1}: l = constant(1);
    {2'b11, K_3}: l = constant(3);
    {2'b11, K_4}: l = constant(4);
    {2'b11, K_8}: l = constant(8);
    {2'b11, K_16}: l = constant(16);
    {2'b11, K_17}: l = constant(17);
    {2'b11, MINUS_1}: l = constant(-1);
    {2'b11, HALF}: l = constant(UNIT / 2);
    {2'b11, PER_WORD}: l = constant(UNIT / LANES_IN);
    {2'b11, PER_FILTERS}: l = constant(UNIT / LANES_OUT);
    {2'b11, PER_BOTH_LANES}: l = constant(UNIT / FEWER_LANES);
    {2'b11, FILTERS}: l = constant(LANES_OUT);
    {2'b11, BOTH_LANES}: l = constant(FEWER_LANES);
    {2'b11, DEPTHWISE_TAPS}: l = constant(MOST_TAPS);
    {2'b11, DEPTHWISE_FLAG}: l = constant((1 << MODE_DEPTHWISE) - (1 << MODE_PHASES));
    {2'b11, WORD_LESS_1}: l = constant(LANES_IN - 1);
    {2'b11, ACT_ROOM}: l = constant(ACT_BYTES - LANES_IN);
    {2'b11, WGT_ROOM}: l = constant(WGT_WORDS);
    {2'b11, CONST_ROOM}: l = constant(CONST_WORDS);
    {2'b11, OUT_ROOM}: l = constant(OUT_BYTES - 2 * LANES_OUT);
    {2'b11, OUT_HALF}: l = constant(OUT_BYTES / 2);
    {2'b11, BLOCK_CONSTANTS}: l = constant(CONST_PER_BLOCK);
    {2'b11, WINDOWS_LESS_1}: l = constant(BAND_WINDOWS - 1);
    {2'b11, NEVER}: l = {3'b000, 32'hFFFFFFFF};
    default: l = {LINE_W{1'b0}};
    endcase
    end
    // verilog_format: on

    always @(posedge clk) line_q <= l;

endmodule

`default_nettype wire
