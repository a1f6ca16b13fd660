// The numbers of a layer, as layer_setup broadcasts them: each has an index. Whoever needs one keeps it (number.v).
//
// Indices of 32 and more are also those that the loops over rows keep (rows.v): up to 47 in a memory that is as wide as
// the sizes of a layer and result addresses, from 48 on in a wider one. Widths are those that layer_setup guarantees,
// for it refuses the rest.

// verilator lint_off UNUSEDPARAM  // a module uses some of them
localparam [5:0] MODE = 6'd0;                   // flags, see below
localparam [5:0] IN_ZERO_POINT = 6'd1;          // int8
localparam [5:0] OUT_ZERO_POINT = 6'd2;         // int8
localparam [5:0] SMALLEST = 6'd3;               // int8
localparam [5:0] LARGEST = 6'd4;                // int8
localparam [5:0] WIDTH = 6'd5;                  // columns of the image
localparam [5:0] TAPS_X = 6'd6;                 // 1 to 31
localparam [5:0] STRIDE_X = 6'd7;               // 1 to 4
localparam [5:0] DILATION_X = 6'd8;             // 1 to 4
localparam [5:0] ROW_BYTES = 6'd9;              // of an image row
localparam [5:0] FRAME_BYTES = 6'd10;           // of a frame of activations
localparam [5:0] STRIDE_BYTES = 6'd11;          // STRIDE_X * channels: from window to window
localparam [5:0] TAP_BYTES = 6'd12;             // DILATION_X * channels: from tap to tap
localparam [5:0] RUN_BYTES = 6'd13;             // positions of a run
localparam [5:0] RUN_WORDS = 6'd14;             // the same in words of LANES_IN
localparam [5:0] BLOCKS = 6'd15;                // filter blocks
localparam [5:0] PIXEL_BYTES = 6'd16;           // of a result pixel
localparam [5:0] OUT_FRAME_BYTES = 6'd17;       // of a frame of results
localparam [5:0] SEEN = 6'd18;                  // depthwise: columns that the window before of this phase has seen
localparam [5:0] SEEN_COLS = 6'd19;             // SEEN * DILATION_X
localparam [5:0] SEEN_BYTES = 6'd20;            // SEEN * TAP_BYTES

localparam [5:0] FRAMES = 6'd32;
localparam [5:0] OUT_HEIGHT = 6'd33;
localparam [5:0] BAND_ROWS = 6'd34;             // output rows of a band
localparam [5:0] OUT_WIDTH = 6'd35;
localparam [5:0] COLUMN_BLOCK = 6'd36;          // output columns of a column block
localparam [5:0] OUT_CHANNELS = 6'd37;          // filters
localparam [5:0] SPAN_FILTERS = 6'd38;          // filters that see the same input channels
localparam [5:0] SPAN = 6'd39;                  // input channels that a filter block reads
localparam [5:0] LAST_CHANNEL = 6'd40;          // the first that the last span reads; not looked at depthwise
localparam [5:0] TAPS_Y = 6'd41;                // 1 to 31
localparam [5:0] HEIGHT = 6'd42;                // rows of the image
localparam [5:0] STRIDE_Y = 6'd43;              // 1 to 4
localparam [5:0] DILATION_Y = 6'd44;            // 1 to 4
localparam [5:0] REACH_Y = 6'd45;               // (TAPS_Y - 1) * DILATION_Y: rows from the first kernel row to the last
localparam [5:0] COLUMN_BLOCK_BYTES = 6'd46;    // COLUMN_BLOCK * PIXEL_BYTES
localparam [5:0] OUT_ROW_BYTES = 6'd47;         // OUT_WIDTH * PIXEL_BYTES

localparam [5:0] FIRST_ROW = 6'd48;             // -top, signed
localparam [5:0] FIRST_COL = 6'd49;             // -left, signed
localparam [5:0] FIRST_OFFSET = 6'd50;          // -left * channels, signed
localparam [5:0] FIRST_ACT = 6'd51;             // -top * ROW_BYTES, modulo the width of addresses
localparam [5:0] FRAME_SPAN = 6'd52;            // FRAME_BYTES in whole words of LANES_IN, in bytes
localparam [5:0] STRIDE_SPAN = 6'd53;           // STRIDE_Y * ROW_BYTES
localparam [5:0] DILATION_SPAN = 6'd54;         // DILATION_Y * ROW_BYTES
localparam [5:0] KERNEL_ROW_WORDS = 6'd55;      // weight words of a kernel row, for each filter
localparam [5:0] BLOCK_WORDS = 6'd56;           // weight words of a filter block, for each filter
localparam [5:0] COLUMN_BLOCK_POS = 6'd57;      // COLUMN_BLOCK * STRIDE_X: columns of the image
localparam [5:0] COLUMN_BLOCK_OFFSET = 6'd58;   // the same in bytes

// Bits of MODE.
localparam MODE_REQUANTISE = 0;                 // int8 results
localparam MODE_FLOAT = 1;                      // by the float rule
localparam MODE_PACKED = 2;                     // a kernel row is one run
localparam MODE_DEPTHWISE = 3;                  // each column is read once
localparam MODE_SPREAD = 4;                     // two bits; depthwise: log2 of the filters of a channel
localparam MODE_PHASES = 6;                     // two bits; depthwise: phases less one
localparam MODE_SINGLE = 8;                     // by the rule of a single rounding
// verilator lint_on UNUSEDPARAM
