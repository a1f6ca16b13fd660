// A line of the set-up's table: {when, where, a, op, b, refused if}. Its columns, and the names in them.
//
// `a` is a number of the layer, or one of the last three places below; `b` is {N, number}, {K, constant}, {D, register,
// part of it}, or for JUMP {J, line}.

// verilator lint_off UNUSEDPARAM  // a module uses some of them
localparam LINE_WHEN = 33;     // two bits
localparam LINE_WHERE = 27;    // six
localparam LINE_A = 21;        // six
localparam LINE_OP = 17;       // four
localparam LINE_B = 8;         // nine
localparam LINE_REFUSED = 4;   // four: if what
localparam LINE_REASON = 0;    // four: and why
localparam LINE_W = 35;

// When a line is carried out; otherwise it is as if it were not there. ABOVE decides.
localparam [1:0] ALWAYS = 2'd0;
localparam [1:0] IF_MORE = 2'd1;   // a was above b
localparam [1:0] IF_NOT = 2'd2;    // it was not
localparam [1:0] IF_SAME = 2'd3;   // they were equal

// What it does.
localparam [3:0] PLUS = 4'd0;      // a + b
localparam [3:0] ALIGN = 4'd1;     // a + b, its bits inside a word of LANES_IN dropped
localparam [3:0] FROM = 4'd2;      // b - a
localparam [3:0] UP_TO = 4'd3;     // b - a, or 0 where a is the larger
localparam [3:0] ABOVE = 4'd4;     // b - a; decides IF_*
localparam [3:0] TIMES = 4'd5;     // a * b, at most 2^32 - 1; a to 32 bits, b to 16 bits or -2^16
localparam [3:0] PER = 4'd6;       // a * b / 2^16, rounded up
localparam [3:0] DIVIDE = 4'd7;    // begins a / b, 16 bits each
localparam [3:0] JUMP = 4'd8;
localparam [3:0] RELEASE = 4'd9;   // no line from here on reads the descriptor
localparam [3:0] OFFER = 4'd10;    // all is there

// Kinds of b.
localparam [2:0] N = 3'b000;       // a number
localparam [2:0] K = 3'b010;       // a constant
localparam       D = 1'b1;         // of the descriptor: a register and a part of it
localparam       J = 1'b0;         // a line
localparam KIND_DESCRIPTOR = 8;    // bits of b that tell
localparam KIND_CONSTANT = 7;

// Registers; they are reasons to refuse as well.
localparam [3:0] AT_IN_SIZE = 4'd0;
localparam [3:0] AT_CHANNELS = 4'd1;
localparam [3:0] AT_OUT_SIZE = 4'd2;
localparam [3:0] AT_BATCH = 4'd3;
localparam [3:0] AT_KERNEL = 4'd4;
localparam [3:0] AT_PADS = 4'd5;
localparam [3:0] AT_QUANT = 4'd6;
localparam [3:0] AT_MODE = 4'd7;
localparam [3:0] ACT_BUFFER = 4'd8;
localparam [3:0] WGT_BUFFER = 4'd9;
localparam [3:0] CONST_BUFFER = 4'd10;
localparam [3:0] OUT_BUFFER = 4'd11;

// Parts: 16, 8 or 4 bits, the least significant first.
localparam [3:0] LOW = 4'd0;
localparam [3:0] BYTE_0 = 4'd4;
localparam [3:0] BYTE_1 = 4'd5;
localparam [3:0] HIGH = 4'd2;
localparam [3:0] BYTE_2 = 4'd6;
localparam [3:0] BYTE_3 = 4'd7;
localparam [3:0] DIGIT_4 = 4'd8;
localparam [3:0] DIGIT_5 = 4'd9;
localparam [3:0] DIGIT_6 = 4'd10;
localparam [3:0] DIGIT_7 = 4'd11;
localparam [3:0] RANK_2 = 4'd14;   // a byte's place among the signed ones: 0 for -128
localparam [3:0] RANK_3 = 4'd15;

// What is refused: a result that...
localparam [7:0] NO = 8'd0;
localparam [3:0] IS_ZERO = 4'd1;
localparam [3:0] NOT_ZERO = 4'd2;
localparam [3:0] NEGATIVE = 4'd3;
localparam [3:0] NO_SIDE = 4'd4;   // is not 1 to 31
localparam [3:0] NO_STEP = 4'd5;   // is not 1 to 4
localparam [3:0] NO_MODE = 4'd6;   // is not 0, 1, 101 (hex) or, with the float rule, 3
localparam [3:0] RAGGED = 4'd7;    // leaves a remainder
localparam [3:0] OVER_22 = 4'd8;   // needs more than 22 bits
localparam [3:0] OVER_24 = 4'd9;
localparam [3:0] OVER_26 = 4'd10;
localparam [3:0] OVER_32 = 4'd11;

// Places of numbers that only the set-up knows; several take turns in some of them.
localparam [5:0] CHANNELS = 6'd21;         // of the image
localparam [5:0] GROUPS = 6'd22;           // channel groups
localparam [5:0] NEXT_ROWS = 6'd22;        //   of the next larger band
localparam [5:0] FEW = 6'd23;              // filters of a channel group, at most LANES_OUT
localparam [5:0] LAYER_WORDS = 6'd23;      //   weight words of all blocks
localparam [5:0] SHARE = 6'd24;            // 2^16 / JOINED
localparam [5:0] LAYER_CONSTANTS = 6'd24;  //   words of constants of all blocks
localparam [5:0] ROOM = 6'd25;             // bytes for the image rows of a band
localparam [5:0] SPANS = 6'd26;            // runs of filters that see the same channels
localparam [5:0] LAST_ROW = 6'd26;         //   no band needs to be larger
localparam [5:0] APART = 6'd27;            // 0 depthwise, else 1
localparam [5:0] FRESH = 6'd28;            // columns of a window that its phase has not seen
localparam [5:0] PHASES = 6'd29;           // of windows
localparam [5:0] ENOUGH = 6'd29;           //   windows of a band, less one
localparam [5:0] OTHERS_X = 6'd30;         // TAPS_X less one
localparam [5:0] ROW_PHASES = 6'd30;       //   phases that share the tap memory
localparam [5:0] JOINED = 6'd30;           //   channel groups of a block
localparam [5:0] OTHERS_Y = 6'd31;         // TAPS_Y less one
localparam [5:0] WINDOW_ROWS = 6'd31;      //   image rows from a window's first to its last
localparam [5:0] NEW = 6'd31;              //   FRESH, should it be depthwise
localparam [5:0] LEFT = 6'd59;             // padding
localparam [5:0] LANES = 6'd59;            //   that joined filters may fill
localparam [5:0] REACH_X = 6'd60;          // (TAPS_X - 1) * DILATION_X
localparam [5:0] SPREAD = 6'd60;           //   log2 of the filters of a channel
localparam [5:0] QUOTIENT = 6'd61;         // as `a`: of the last DIVIDE
localparam [5:0] ZERO = 6'd62;             // as `a`: 0
localparam [5:0] LAST = 6'd63;             // as `a`: the result of the line before; as `where`: nowhere else
// verilator lint_on UNUSEDPARAM
