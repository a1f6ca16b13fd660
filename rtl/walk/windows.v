// windows: the windows of an item, one column after the other, each cut to what lies inside the image.
//
// A kernel row is either one run of KW * channels bytes (packed), cropped to the bytes inside, or KW runs of a pixel,
// of which only those inside are visited. Runs are cut into chunks of LANES bytes. Depthwise, columns that the window
// before of this phase has seen are not read again: the runs are those that are new, and the tap memory holds the rest.
// Of these, columns outside the image take steps, since something must move up; only a row's first window of each phase
// begins with the first column inside.
// Does not: visit anything else outside the image; know kernel rows; wait for data.
//
// Latency: 5 cycles from an item taken to its first window at the head of the queue, and what that one costs more than
// 1.
// Throughput: a window takes 1 cycle, and one more for each tap outside the image, unless packed: that is for each of
// its taps, or new columns, left of the image or right of it. An item takes 3 cycles more than its windows; depthwise
// another one, if it has windows that know columns. The next item is taken in the cycle after the last window went,
// at the earliest, and not before gate.v has begun the item (item_held). A window goes when the queue has room: of
// DEPTH entries fewer than all are taken, counting one that is taken out from the second cycle after on.

`default_nettype none

module windows #(
    `include "parameters.vh"
) (
    input  wire                clk,
    input  wire                rst,
    output wire                busy,

    input  wire [        38:0] numbers,       // of layers (layer_numbers.vh)
    input  wire                take,          // a layer begins

    input  wire [        38:0] item,          // numbers of items (item_numbers.vh)
    input  wire                item_valid,
    output wire                item_ready,
    input  wire                item_held,     // the item before is not to be overwritten yet

    output reg                 window_valid,  // pushed, ready or not
    output wire [WINDOW_W-1:0] window,        // window.vh
    input  wire                window_taken   // one has left the queue
);

    localparam WIN_W = 26;  // byte offset of a window in its row, signed
    localparam POS_W = 18;  // column, signed
    localparam TAP_W = 5;
    localparam RUN_W = 21;  // bytes of a run: 31 * 65535
    localparam NEAR_W = 8;  // distance from the image in columns, signed; all taps are within 30 * 4
    localparam BYTES_W = ACT_W - 1;  // four pixels, each at most the buffer

    `include "layer_numbers.vh"
    `include "item_numbers.vh"
    `include "window.vh"

    // ---------------------------------------------------------------- the layer
    wire [        7:0] mode;
    wire [       15:0] width;
    wire [  TAP_W-1:0] taps_x;
    wire [        2:0] stride_x;
    wire [        2:0] dilation_x;
    wire [  ACT_W-1:0] row_bytes;
    wire [BYTES_W-1:0] stride_bytes;
    wire [BYTES_W-1:0] tap_bytes;
    wire [  RUN_W-1:0] run_bytes;
    wire [  RUN_W-1:0] run_words;
    wire [  TAP_W-1:0] seen;
    wire [        5:0] seen_cols;
    wire [  ACT_W-1:0] seen_bytes;

    // verilog_format: off
    number #(.INDEX(MODE), .WIDTH(8))               u_mode         (clk, numbers, take, mode);
    number #(.INDEX(WIDTH), .WIDTH(16))             u_width        (clk, numbers, take, width);
    number #(.INDEX(TAPS_X), .WIDTH(TAP_W))         u_taps_x       (clk, numbers, take, taps_x);
    number #(.INDEX(STRIDE_X), .WIDTH(3))           u_stride_x     (clk, numbers, take, stride_x);
    number #(.INDEX(DILATION_X), .WIDTH(3))         u_dilation_x   (clk, numbers, take, dilation_x);
    number #(.INDEX(ROW_BYTES), .WIDTH(ACT_W))      u_row_bytes    (clk, numbers, take, row_bytes);
    number #(.INDEX(STRIDE_BYTES), .WIDTH(BYTES_W)) u_stride_bytes (clk, numbers, take, stride_bytes);
    number #(.INDEX(TAP_BYTES), .WIDTH(BYTES_W))    u_tap_bytes    (clk, numbers, take, tap_bytes);
    number #(.INDEX(RUN_BYTES), .WIDTH(RUN_W))      u_run_bytes    (clk, numbers, take, run_bytes);
    number #(.INDEX(RUN_WORDS), .WIDTH(RUN_W))      u_run_words    (clk, numbers, take, run_words);
    number #(.INDEX(SEEN), .WIDTH(TAP_W))           u_seen         (clk, numbers, take, seen);
    number #(.INDEX(SEEN_COLS), .WIDTH(6))          u_seen_cols    (clk, numbers, take, seen_cols);
    number #(.INDEX(SEEN_BYTES), .WIDTH(ACT_W))     u_seen_bytes   (clk, numbers, take, seen_bytes);
    // verilog_format: on

    wire       packed_rows = mode[MODE_PACKED];
    wire       depthwise = mode[MODE_DEPTHWISE];
    wire [1:0] spread = mode[MODE_SPREAD+:2];
    wire [1:0] phases = mode[MODE_PHASES+:2];

    // Columns from a window's first tap to its last.
    wire [TAP_W-1:0] further = taps_x - 1'b1;
    wire [      6:0] once = {2'd0, further};
    wire [      6:0] below_4 = (once & {7{dilation_x[0]}}) + {once[5:0] & {6{dilation_x[1]}}, 1'b0};
    wire [      6:0] reach = dilation_x[2] ? {once[4:0], 2'b00} : below_4;

    // No item comes in the cycle after `take`.
    reg [RUN_W-1:0] run_last_q;  // bytes of a run, less one
    reg [POS_W-1:0] edge_q;      // a window that begins here has its last tap in the last column
    reg [TAP_W-1:0] news_q;      // taps that no window before has seen

    always @(posedge clk) begin
        run_last_q <= run_bytes - 1'b1;
        edge_q     <= {2'b00, width} + ~{{POS_W - 7{1'b0}}, reach};
        news_q     <= taps_x - seen;
    end

    // ---------------------------------------------------------------- the item
    wire             take_item = item_valid && item_ready;
    wire [TAP_W-1:0] taps_y;
    wire [     15:0] cols;
    wire [POS_W-1:0] col;
    wire [WIN_W-1:0] offset;
    wire [ACT_W-1:0] act;
    wire [WGT_W-1:0] wgt;
    wire [     11:0] flags;

    // verilog_format: off
    number #(.INDEX(ITEM_TAPS), .WIDTH(TAP_W))   u_taps_y (clk, item, take_item, taps_y);
    number #(.INDEX(ITEM_COLS), .WIDTH(16))      u_cols   (clk, item, take_item, cols);
    number #(.INDEX(ITEM_COL), .WIDTH(POS_W))    u_col    (clk, item, take_item, col);
    number #(.INDEX(ITEM_OFFSET), .WIDTH(WIN_W)) u_offset (clk, item, take_item, offset);
    number #(.INDEX(ITEM_ACT), .WIDTH(ACT_W))    u_act    (clk, item, take_item, act);
    number #(.INDEX(ITEM_WGT), .WIDTH(WGT_W))    u_wgt    (clk, item, take_item, wgt);
    number #(.INDEX(ITEM_FLAGS), .WIDTH(12))     u_flags  (clk, item, take_item, flags);
    // verilog_format: on

    wire             no_rows = taps_y == {TAP_W{1'b0}};
    wire [TAP_W-1:0] last_channel = flags[ITEM_LAST_FILTER+:5] >> spread;

    // ---------------------------------------------------------------- stage 0: the window that comes next
    wire             issue;  // the window in stage 1 goes
    reg              begin_q;
    reg              valid_q;
    reg              valid_q1;
    reg [      16:0] cols_q;    // after this one, less one: negative in the last
    reg [ POS_W-1:0] col_q;
    reg [ WIN_W-1:0] offset_q;  // of the first column that it visits
    reg              first_q;
    reg              fresh_q;   // the first of its phase
    reg [       1:0] phase_q;
    reg              turn_q;    // depthwise: from here on columns are known, whose bytes are added first

    wire last = cols_q[16];
    wire last_phase = phase_q == phases;
    wire advance = valid_q && !turn_q && (!valid_q1 || issue);
    wire [ACT_W-1:0] moved_bytes = turn_q ? seen_bytes : {{ACT_W - BYTES_W{1'b0}}, stride_bytes};

    assign item_ready = !item_held && !begin_q && !valid_q && !valid_q1;

    always @(posedge clk) begin
        if (begin_q || advance) begin
            cols_q  <= (begin_q ? {1'b0, cols} : cols_q) + {{16{1'b1}}, !begin_q};
            col_q   <= begin_q ? col : col_q + {{POS_W - 3{1'b0}}, stride_x};
            first_q <= begin_q;
            fresh_q <= begin_q || (fresh_q && !last_phase);
            phase_q <= begin_q || last_phase ? 2'd0 : phase_q + 2'd1;
        end
        if (begin_q || advance || turn_q)
            offset_q <= begin_q ? offset : offset_q + {{WIN_W - ACT_W{1'b0}}, moved_bytes};
    end

    // ---------------------------------------------------------------- stage 1: taps outside are left out, one a cycle
    // How far before the image (its end) a tap lies; beyond NEAR_W all are alike, and so are those that do not.
    function [NEAR_W-1:0] near(input [POS_W-1:0] place);
        near = {place[POS_W-1], place[NEAR_W-2:0] & {NEAR_W - 1{place[POS_W-1] && &place[POS_W-2:NEAR_W-1]}}};
    endfunction

    reg                first_q1;
    reg                last_q1;
    reg                fresh_q1;
    reg [         1:0] phase_q1;
    reg [  NEAR_W-1:0] left_q1;    // column of the first tap; negative: it is left of the image
    reg [  NEAR_W-1:0] right_q1;   // columns from the last tap to the last column; negative: it is right of the image
    reg                none_q1;    // inside_q1 is 0, or the row is packed
    reg [   TAP_W-1:0] inside_q1;  // taps, or new columns, that are not known to be outside
    reg [         3:0] after_q1;   // depthwise: new columns right of the image
    reg [   WIN_W-1:0] offset_q1;
    reg [   WGT_W-1:0] skip_q1;    // weight words of the taps left out on the left
    reg [   WIN_W-1:0] rest_q1;    // packed: bytes of the row after the window's first
    reg                ends_left_q1;

    wire [WIN_W-1:0] finish = offset_q + {{WIN_W - RUN_W{1'b0}}, run_last_q};
    wire             outside = (left_q1[NEAR_W-1] || right_q1[NEAR_W-1]) && !none_q1;
    wire             left = outside && left_q1[NEAR_W-1];
    wire             right = outside && !left_q1[NEAR_W-1];
    wire [     25:0] unused_finish = finish;
    reg              room_q;  // in the queue

    assign issue = valid_q1 && !outside && room_q;

    always @(posedge clk) begin
        if (advance) begin
            {first_q1, last_q1, fresh_q1, phase_q1} <= {first_q, last, fresh_q, phase_q};

            rest_q1      <= {{WIN_W - ACT_W{1'b0}}, row_bytes} + ~offset_q;
            ends_left_q1 <= finish[WIN_W-1];
        end
        if (advance) left_q1 <= near(col_q) + ({2'b00, seen_cols} & {NEAR_W{!fresh_q}});
        else if (left) left_q1 <= left_q1 + {{NEAR_W - 3{1'b0}}, dilation_x};
        if (advance) right_q1 <= near(edge_q - col_q);
        else if (right) right_q1 <= right_q1 + {{NEAR_W - 3{1'b0}}, dilation_x};
        if (advance) none_q1 <= no_rows || packed_rows;
        else if (outside) none_q1 <= inside_q1 == {{TAP_W - 1{1'b0}}, 1'b1};
        if (advance) inside_q1 <= no_rows ? {TAP_W{1'b0}} : fresh_q ? taps_x : news_q;
        else if (outside) inside_q1 <= inside_q1 - 1'b1;
        if (advance) after_q1 <= 4'd0;
        else if (right && depthwise) after_q1 <= after_q1 + 4'd1;
        if (advance) offset_q1 <= offset_q;
        else if (left && !(depthwise && !fresh_q1)) offset_q1 <= offset_q1 + {{WIN_W - BYTES_W{1'b0}}, tap_bytes};
        if (advance) skip_q1 <= {WGT_W{1'b0}};
        else if (left) skip_q1 <= skip_q1 + {{WGT_W - RUN_W{1'b0}}, run_words};
    end

    // ---------------------------------------------------------------- stage 2: the window; packed, its bytes inside
    // A packed window that begins left of the image begins -offset bytes late: that is with the chunk, and in it the
    // lane, of the first byte inside. -offset / LANES is the inverse of offset / LANES, one more where nothing
    // is left over.
    wire              empty = no_rows || (packed_rows ? rest_q1[WIN_W-1] || ends_left_q1 : !depthwise && none_q1);
    wire              late = packed_rows && offset_q1[WIN_W-1];
    wire              late_inside = late && !empty;
    wire [LANE_W-1:0] low = offset_q1[LANE_W-1:0];
    wire [WIN_W-LANE_W-1:0] high = offset_q1[WIN_W-1:LANE_W];
    wire              uneven = low != {LANE_W{1'b0}};
    wire [ TAP_W-1:0] begins = inside_q1 + {1'b0, after_q1};
    wire [ TAP_W-1:0] runs = depthwise && !fresh_q1 && !no_rows ? news_q : begins;
    wire [ RUN_W-1:0] upto = packed_rows && right_q1[NEAR_W-1] ? rest_q1[RUN_W-1:0] : run_last_q;
    wire [ WIN_W-1:0] upto_chunks = {{WIN_W - RUN_W + LANE_W{1'b0}}, upto[RUN_W-1:LANE_W]};  // wide enough for CHUNK_W

    reg               first_q2;
    reg               last_q2;
    reg               empty_q2;
    reg [  TAP_W-1:0] rows_q2;
    reg [  TAP_W-1:0] runs_q2;
    reg [        3:0] begin_q2;
    reg [        3:0] after_q2;
    reg               fresh_q2;
    reg [        3:0] memory_q2;
    reg [CHUNK_W-1:0] last_chunk_q2;
    reg [CHUNK_W-1:0] back_q2;  // chunks that are left out, negative
    reg               uneven_q2;
    reg [ LANE_W-1:0] first_lane_q2;
    reg [ LANE_W-1:0] last_lane_q2;
    reg [  ACT_W-1:0] act_q2;
    reg [  WGT_W-1:0] wgt_q2;
    reg [  WGT_W-1:0] more_q2;  // weight words that are left out
    reg               even_q2;  // one more

    wire [CHUNK_W-1:0] chunks = last_chunk_q2 + back_q2 + {{CHUNK_W - 1{1'b0}}, uneven_q2};
    wire [  WGT_W-1:0] first_word = wgt_q2 + more_q2 + {{WGT_W - 1{1'b0}}, even_q2};

    always @(posedge clk) begin
        {first_q2, last_q2, fresh_q2} <= {first_q1, last_q1, fresh_q1};
        {begin_q2, after_q2}          <= {begins[3:0], after_q1};
        {empty_q2, wgt_q2}            <= {empty, wgt};

        rows_q2       <= empty ? {TAP_W{1'b0}} : taps_y - 1'b1;
        runs_q2       <= packed_rows || runs == {TAP_W{1'b0}} ? {TAP_W{1'b0}} : runs - 1'b1;
        memory_q2     <= taps_y > 5'd4 ? {phase_q1[0], 3'd0} : {phase_q1, 2'd0};
        last_chunk_q2 <= empty || depthwise ? {CHUNK_W{1'b0}} : upto_chunks[CHUNK_W-1:0];
        back_q2       <= late_inside ? high[CHUNK_W-1:0] : {CHUNK_W{1'b0}};
        uneven_q2     <= late_inside && uneven;
        first_lane_q2 <= late ? -low : {LANE_W{1'b0}};
        last_lane_q2  <= depthwise ? last_channel[LANE_W-1:0] : upto[LANE_W-1:0];
        act_q2        <= act + (late ? {{ACT_W - LANE_W{uneven}}, low} : offset_q1[ACT_W-1:0]);
        more_q2       <= late_inside ? {{WGT_W + LANE_W - WIN_W{1'b0}}, ~high}
                       : packed_rows || empty || depthwise ? {WGT_W{1'b0}} : skip_q1;
        even_q2       <= late_inside && !uneven;
    end

    // verilog_format: off
    assign window = {
        first_q2, last_q2, empty_q2, rows_q2, runs_q2, begin_q2, after_q2, fresh_q2, memory_q2,
        chunks, first_lane_q2, last_lane_q2, act_q2, first_word
    };
    // verilog_format: on

    // ---------------------------------------------------------------- what moves
    localparam ROOM_W = $clog2(WINDOWS + 1);

    reg               taken_q;
    reg  [ROOM_W-1:0] rooms_q;
    wire [ROOM_W-1:0] rooms = rooms_q + {{ROOM_W - 1{1'b0}}, taken_q} - {{ROOM_W - 1{1'b0}}, issue};

    always @(posedge clk) begin
        if (rst) begin
            begin_q  <= 1'b0;
            valid_q  <= 1'b0;
            valid_q1 <= 1'b0;
            window_valid <= 1'b0;
            turn_q   <= 1'b0;
            taken_q  <= 1'b0;
            rooms_q  <= WINDOWS[ROOM_W-1:0];
            room_q   <= 1'b1;
        end else begin
            begin_q <= take_item;
            if (begin_q || (advance && last)) valid_q <= begin_q;
            if (advance || issue) valid_q1 <= advance;
            window_valid <= issue;
            turn_q   <= advance && depthwise && fresh_q && last_phase && !last;
            {taken_q, rooms_q} <= {window_taken, rooms};
            room_q   <= rooms != {ROOM_W{1'b0}};
        end
    end

    assign busy = begin_q || valid_q || valid_q1 || window_valid;

    wire unused = &{1'b0, flags, mode, last_channel, begins[TAP_W-1], unused_finish, upto_chunks};

endmodule

`default_nettype wire
