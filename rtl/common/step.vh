// What the array does in a cycle, one vector of STEP_W bits (parameters.vh), as gate.v hands it to the datapath.
//
// To gate.v it comes from steps.v as one of WALK_STEP_W bits, in this order: whether it is the first step of an item,
// whether its window is the item's first, and whether the last; the word of activations under its last lane, and its
// weight word, both counted from reset; the step.

// verilator lint_off UNUSEDPARAM  // a module uses some of them
localparam STEP_LAST = 0;         // of the window: after it the accumulators begin anew
localparam STEP_ANY = 1;          // some lane is inside the image
localparam STEP_MULTIPLY = 2;     // else, depthwise, the column is only remembered
localparam STEP_DEPTHWISE = 3;
localparam STEP_SPREAD = 4;       // two bits; depthwise: log2 of the filters of a channel
localparam STEP_ROW = 6;          // four bits; depthwise: row of the tap memory
localparam STEP_CLEAR = 10;       // depthwise: that row is forgotten first
localparam STEP_ZERO_POINT = 11;  // eight bits; of the activations
localparam STEP_FIRST_LANE = 19;  // LANE_W bits: lanes inside the image, from this one
localparam STEP_LAST_LANE = STEP_FIRST_LANE + LANE_W;  // up to this one
localparam STEP_ACT = STEP_LAST_LANE + LANE_W;         // ACT_ADDR_W bits: byte under lane 0
localparam STEP_WGT = STEP_ACT + ACT_ADDR_W;           // WGT_ADDR_W bits: weight word
// verilator lint_on UNUSEDPARAM
