// What the array does in a cycle, one vector, as gate.v hands it to the datapath. LANE_W, ACT_ADDR_W and WGT_ADDR_W,
// the widths of a lane and of addresses in the two buffers, stand where this is included.

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
