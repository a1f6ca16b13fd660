// The numbers of an item of work, as rows.v sends them to windows.v: {valid, index, value}.
//
// A number stays as it is until it is sent again, and may be sent several times for one item: the last one holds.

// verilator lint_off UNUSEDPARAM  // a module uses some of them
localparam [5:0] ITEM_NOTHING = 6'd0;      // no number
localparam [5:0] ITEM_TAPS = 6'd1;         // kernel rows inside the image, 0 to 31
localparam [5:0] ITEM_COLS = 6'd2;         // windows
localparam [5:0] ITEM_COL = 6'd3;          // image column under tap 0 of the first window, signed
localparam [5:0] ITEM_OFFSET = 6'd4;       // the same in bytes, signed
localparam [5:0] ITEM_ACT = 6'd5;          // address: first channel read, column 0, row of the first kernel row inside
localparam [5:0] ITEM_WGT = 6'd6;          // weight word of that kernel row; ACT and WGT mean nothing without one
localparam [5:0] ITEM_OUT = 6'd7;          // result address of the first window
localparam [5:0] ITEM_ACT_RELEASE = 6'd8;  // if row_end: activations before this are needed no more
localparam [5:0] ITEM_WGT_RELEASE = 6'd9;  // if final: weights before this are needed no more
localparam [5:0] ITEM_FLAGS = 6'd10;       // see below

// Bits of ITEM_FLAGS.
localparam ITEM_LAYER_END = 0;
localparam ITEM_LAST_BLOCK = 1;            // of the filter blocks of its column block
localparam ITEM_NEW_BLOCK = 2;             // not the filters of the item before, or the first item of the layer
localparam ITEM_LAST_PASS = 3;             // the filter block is not computed again for other rows or columns
localparam ITEM_FINAL = 4;                 // nor for another row of this band: its weights are needed no more
localparam ITEM_ROW_END = 5;               // all of an output row has been computed
localparam ITEM_FIRST = 6;                 // of the layer
localparam ITEM_LAST_FILTER = 7;           // five bits; filters of the block less one
// verilator lint_on UNUSEDPARAM
