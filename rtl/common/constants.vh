// The constants of a filter block as they travel and lie in memory: for each lane first all biases, then all
// multipliers, and so on, and zeros up to a whole word.

// verilator lint_off UNUSEDPARAM  // a module uses some of them
localparam CONST_BIAS = 0;                // bytes a lane before the biases
localparam CONST_MULT = 4;                // before the multipliers, or scales
localparam CONST_SHIFT = 8;               // before the shifts
localparam CONST_ZERO_POINT = 9;          // before the zero points of the weights
localparam CONST_BYTES = 10;              // of a lane
// verilator lint_on UNUSEDPARAM
