// What windows.v tells steps.v of a window, one vector: WINDOW_W bits (parameters.vh), packed there, unpacked here,
// in this order.
//
//   first, last           of its item
//   empty                 nothing is inside the image: one step that multiplies nothing
//   rows, runs            kernel rows, runs of a kernel row, both less one (5 bits each)
//   begin, after          depthwise, from a row's last run: those before `begin` and from `after` on are inside
//   fresh                 depthwise: nothing is remembered
//   memory                depthwise: the first of its rows in the tap memory
//   chunks                of a run, less one (CHUNK_W bits)
//   first_lane, last_lane first lane inside, in the first chunk; last lane inside, in the last
//   act, wgt              byte under lane 0 of the first chunk; weight word of the first chunk

// verilator lint_off UNUSEDPARAM  // a module uses some of them
localparam CHUNK_W = ACT_W - LANE_W - 3;  // the buffer in words, and one more: addresses count 16 buffers
localparam WINDOWS = 16;  // that wait in the queue between the two
// verilator lint_on UNUSEDPARAM
