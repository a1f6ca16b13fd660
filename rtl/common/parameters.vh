// The core's parameters, and widths that follow from them: in the parameter list of `conv_core` and of each module that
// depends on them. A module hands on what it was given, all of it: same_parameters.vh.

/* verilator lint_off UNUSEDPARAM */  // a module uses some of them
parameter LANES_IN         = 16,                // 4, 8, 16, 32: input bytes multiplied each cycle
parameter LANES_OUT        = 16,                // 4, 8, 16, 32: filters side by side
parameter ACT_BYTES        = 65536,             // power of two, 4 * LANES_IN to 2^22: activation buffer
parameter WGT_WORDS        = 16384 / LANES_IN,  // power of two, 16 to 2^20: weight buffer, words a filter
parameter CONST_WORDS      = 1024,              // power of two, 16 and CONST_PER_BLOCK to 2^20: constants, words
parameter OUT_BYTES        = 16384,             // power of two, 16 * LANES_OUT to 2^24: result buffer
parameter REQUANT_LANES    = LANES_OUT / 2,     // LANES_OUT / 4, / 2 or / 1: results requantised each cycle
parameter FLOAT_RULE       = 1,                 // 0: without the rule `float`; 1: with all
parameter RESULT_QUEUE     = 16,                // 4, 8, 16, 32: vectors between array and finisher
parameter ACT_STREAM_BYTES = LANES_IN,          // power of two, 1 to LANES_IN
parameter WGT_STREAM_BYTES = LANES_IN,          // power of two, 1 to LANES_IN
parameter OUT_STREAM_BYTES = LANES_OUT,         // power of two, 1 to LANES_OUT

// Derived, leave them. A buffer's words and bytes are counted on from reset to reset, a few bits further than its
// addresses go, so that the difference of two counts says which is ahead: activations by less than eight buffers.
parameter
    LANE_W          = $clog2(LANES_IN),
    ACT_ADDR_W      = $clog2(ACT_BYTES),
    ACT_W           = ACT_ADDR_W + 4,      // activations, in bytes
    ACT_COUNT_W     = ACT_W - LANE_W,      // in words
    WGT_ADDR_W      = $clog2(WGT_WORDS),
    WGT_W           = 24,                  // weights, in words of each filter
    CONST_PER_BLOCK = (10 * LANES_OUT + LANES_IN - 1) / LANES_IN,  // words of a filter block (constants.vh)
    CONST_BLOCK_W   = 80 * LANES_OUT,      // bits of the same
    CONST_ADDR_W    = $clog2(CONST_WORDS),
    CONST_COUNT_W   = CONST_ADDR_W + 2,    // constants, in words
    OUT_ADDR_W      = $clog2(OUT_BYTES),
    OUT_W           = OUT_ADDR_W + 2,      // results, in bytes
    FEWER_LANES     = LANES_IN < LANES_OUT ? LANES_IN : LANES_OUT,  // depthwise: channels of a step
    MOST_TAPS       = LANES_IN < 11 ? LANES_IN : 11,                 // depthwise: taps of a kernel row

    // Vectors: what is written into a memory, {enables, address, data}; and those of window.vh, step.vh, marks.vh.
    ACT_WRITE_W     = 1 + ACT_ADDR_W - LANE_W + 8 * LANES_IN,
    WGT_WRITE_W     = LANES_OUT + WGT_ADDR_W + 9 * LANES_IN,  // an enable for each filter
    CONST_WRITE_W   = 1 + CONST_ADDR_W + 8 * LANES_IN,
    OUT_WRITE_W     = LANES_OUT + OUT_W + 8 * LANES_OUT,      // an enable for each byte
    WINDOW_W        = 2 * ACT_W + WGT_W + LANE_W + 23,
    STEP_W          = 2 * LANE_W + ACT_ADDR_W + WGT_ADDR_W + 19,
    WALK_STEP_W     = 3 + ACT_COUNT_W + WGT_W + STEP_W,
    MARKS_W         = OUT_W + 9
/* verilator lint_on UNUSEDPARAM */
