// What a window carries for the finisher, one vector of MARKS_W bits (parameters.vh).

// verilator lint_off UNUSEDPARAM  // a module uses some of them
localparam MARK_LAYER_END = 0;    // the layer's last window
localparam MARK_LAST_BLOCK = 1;   // of the last filter block of its column block
localparam MARK_NEW_BLOCK = 2;    // the first of a filter block: not the filters of the window before
localparam MARK_LAST_PASS = 3;    // no later band or column block uses this filter block's constants
localparam MARK_LAST_FILTER = 4;  // five bits; filters of the block less one
localparam MARK_OUT = 9;          // OUT_W bits: result address
// verilator lint_on UNUSEDPARAM
