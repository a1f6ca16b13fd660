// layer_setup: derives from a layer's plain fields what everyone else counts with, refuses what makes no sense or does
// not fit, and broadcasts each number as it is derived.
//
// It goes through setup_table, a line of which makes one number of two: a and b are looked up one after the other,
// added or multiplied, and the result is kept and broadcast. A line begins every two cycles:
//
//     cycle     1        2        3        4        5         6
//               line     line     a        a, b     sum, two  result: kept, broadcast, checked
//               (a read) (b read)                   products
//
// So `LAST` is a line's result for the next one, and its number is there for the third after it. Of several reasons to
// refuse a layer the first in the table is told.
// Does not: start anything by itself; a user takes the layer when it has finished the one before.
//
// Latency, from desc_valid to layer_valid: 245 cycles, and
//     12 for each halving of the column block,
//     26 for each doubling of a band that is tried, also the last one where it is in vain,
//     94 with channel groups, and then 14 for each halving from the lanes (LANES_OUT, or depthwise the fewer) to the
//        groups that are joined.
// The next set-up begins at the earliest two cycles after the last user has taken the layer.
// Numbers are signed, 33 bits.

`default_nettype none

module layer_setup #(
    `include "parameters.vh"
) (
    input  wire        clk,
    input  wire        rst,

    // The descriptor registers 0x40 to 0x5C; desc_word is that of desc_index one cycle later.
    input  wire        desc_valid,
    output wire        desc_ready,    // one cycle: it is not read again
    output wire [ 2:0] desc_index,
    input  wire [31:0] desc_word,

    output wire [16:0] error,         // {valid, detail, code}; one cycle

    output wire [38:0] numbers,       // the broadcast: valid, index, value

    // The four users: activation loader, weight loader, walk, finisher with reader. Numbers of the next layer come only
    // after all of them have taken this one.
    output reg  [ 3:0] layer_valid,
    input  wire [ 3:0] layer_ready
);

    `include "layer_numbers.vh"
    `include "setup_line.vh"

    localparam [1:0] IDLE = 2'd0;
    localparam [1:0] RUN = 2'd1;
    localparam [1:0] OFFERING = 2'd2;
    localparam [1:0] PAUSE = 2'd3;  // the first line is looked up

    reg [1:0] state_q;
    reg       refused_q;

    // The line at hand, two cycles long. In its last cycle but one the table is asked for the next line, in the last
    // for a constant. A jump waits for what the line before decides, an offer for what it may refuse.
    localparam [1:0] CONSTANTS = 2'b11;  // where they are in the table

    wire [LINE_W-1:0] table_line;
    reg  [LINE_W-1:0] line_q;
    reg  [       2:0] age_q;     // its cycles before this one
    reg  [       7:0] next_q;    // line
    reg               more_q;    // what ABOVE has decided
    reg               same_q;

    function holds(input [1:0] when, input more, input same);
        case (when)
            IF_MORE: holds = more;
            IF_NOT: holds = !more;
            IF_SAME: holds = same;
            default: holds = 1'b1;
        endcase
    endfunction

    wire [3:0] op = line_q[LINE_OP+:4];
    wire [8:0] b = line_q[LINE_B+:9];
    wire nothing = b[KIND_DESCRIPTOR];  // a constant of the upper half, which are all 0
    wire run = state_q == RUN;
    wire [2:0] last_age = {op == OFFER, op == JUMP, 1'b1};  // 5, 3 or 1
    wire last_cycle = run && age_q == last_age;
    wire before_last = age_q == {last_age[2:1], 1'b0};
    wire jumps = op == JUMP && holds(line_q[LINE_WHEN+:2], more_q, same_q);
    wire [7:0] address = last_cycle ? {CONSTANTS, nothing || b[5], b[4:0]} : run && jumps ? b[7:0] : next_q;

    setup_table #(
        `include "same_parameters.vh"
    ) u_setup_table (
        .clk    (clk),
        .address(address),
        .line_q (table_line)
    );

    // What goes with a line through the cycles 3 and 4, 5 and 6.
    reg [LINE_W-1:0] line_q3;
    reg [LINE_W-1:0] line_q5;
    reg              valid_q3;
    reg              valid_q4;
    reg              valid_q5;  // from here on, it is carried out
    reg              valid_q6;

    wire [3:0] op_q3 = line_q3[LINE_OP+:4];
    wire [8:0] b_q3 = line_q3[LINE_B+:9];
    wire [3:0] op_q5 = line_q5[LINE_OP+:4];
    wire counts = op < JUMP;
    wire carried_out = valid_q4 && holds(line_q3[LINE_WHEN+:2], more_q, same_q);

    // The numbers.
    wire       [32:0] looked_up_q;
    reg signed [32:0] result_q;
    reg signed [32:0] a_q;
    reg signed [32:0] b_q4;
    reg        [31:0] word_q;

    ram #(
        .WIDTH(33),
        .DEPTH(64)
    ) u_numbers (
        .clk    (clk),
        .write  ({valid_q6, line_q5[LINE_WHERE+:6], result_q}),
        .rd_en  (1'b1),
        .rd_addr(last_cycle ? b[5:0] : line_q[LINE_A+:6]),
        .rd_data(looked_up_q)
    );

    assign desc_index = b[6:4];

    // A part of a register; it joins a constant 0.
    wire of_descriptor = b_q3[KIND_DESCRIPTOR];
    wire from_table = of_descriptor || b_q3[KIND_CONSTANT];
    wire [3:0] part = b_q3[3:0];
    wire whole = part[3:2] == 2'b00;
    wire digit = part[3:2] == 2'b10;
    wire [15:0] half = part[1] || digit ? word_q[31:16] : word_q[15:0];
    wire [7:0] eight = (digit ? part[1] : part[0]) ? half[15:8] : half[7:0];
    wire [7:0] rank = {eight[7] ^ part[3], eight[6:0]};
    wire [3:0] four = part[0] ? eight[7:4] : eight[3:0];
    wire [15:0] field = {16{of_descriptor}} & (whole ? half : {8'd0, digit ? {4'd0, four} : rank});

    // a / b, a bit a cycle.
    reg [15:0] quotient_q;
    reg [15:0] divisor_q;
    reg [15:0] rest_q;
    reg [ 3:0] bits_q;  // left, less one
    reg        divides_q;

    wire [16:0] rest = {rest_q, quotient_q[15]};
    wire [16:0] less = rest - {1'b0, divisor_q};
    wire fits = !less[16];

    always @(posedge clk) begin
        word_q <= desc_word;
        if (last_cycle) begin
            line_q3 <= line_q;
            case (line_q[LINE_A+:6])
                ZERO: a_q <= 33'sd0;
                QUOTIENT: a_q <= {17'd0, quotient_q};
                default: a_q <= looked_up_q;
            endcase
        end
        if (valid_q3) begin
            b_q4 <= (from_table ? table_line[32:0] : looked_up_q) | {17'd0, field};
        end
    end

    always @(posedge clk) begin
        if (valid_q4 && op_q3 == DIVIDE) begin
            {quotient_q, divisor_q} <= {a_q[15:0], b_q4[15:0]};
            rest_q     <= 16'd0;
        end else if (divides_q) begin
            quotient_q <= {quotient_q[14:0], fits};
            rest_q     <= fits ? less[15:0] : rest[15:0];
        end
        bits_q <= divides_q ? bits_q - 4'd1 : 4'd15;
    end

    // Cycle 4: the sum, and the products of the halves of a: of 17 and 18 bits, signed.
    wire turned = op_q3 == FROM || op_q3 == UP_TO || op_q3 == ABOVE;
    wire signed [32:0] a = line_q3[LINE_A+:6] == LAST ? result_q : a_q;
    wire signed [32:0] sum = b_q4 + (turned ? ~a : a) + $signed({32'd0, turned});
    reg  signed [32:0] sum_q5;
    reg  signed [34:0] low_q5;
    reg  signed [34:0] high_q5;

    always @(posedge clk) begin
        if (valid_q4) line_q5 <= line_q3;
        sum_q5  <= sum;
        low_q5  <= $signed({1'b0, a_q[15:0]}) * $signed(b_q4[17:0]);
        high_q5 <= $signed({1'b0, a_q[31:16]}) * $signed(b_q4[17:0]);
        if (carried_out && op_q3 == ABOVE) more_q <= sum[32];
    end

    // Cycle 5: the result. A product is less than 2^32 if its upper part is less than 2^16.
    wire rounds_up = op_q5 == PER && low_q5[15:0] != 16'd0;
    wire signed [34:0] upper = high_q5 + (low_q5 >>> 16) + $signed({34'd0, rounds_up});
    wire overflow = !low_q5[34] && !high_q5[34] && (high_q5[33:16] != 18'd0 || upper[17:16] != 2'd0);
    reg overflow_q6;

    always @(posedge clk) begin
        if (valid_q5) begin
            overflow_q6 <= overflow;
            case (op_q5)
                TIMES: result_q <= overflow ? 33'h0FFFFFFFF : {1'b0, upper[15:0], low_q5[15:0]};
                PER: result_q <= {1'b0, upper[31:0]};
                UP_TO: result_q <= sum_q5[32] ? 33'sd0 : sum_q5;
                ALIGN: result_q <= {sum_q5[32:LANE_W], {LANE_W{1'b0}}};
                default: result_q <= sum_q5;
            endcase
            if (op_q5 == ABOVE) same_q <= sum_q5 == 33'sd0;
        end
    end

    assign numbers = {valid_q6, line_q5[LINE_WHERE+:6], result_q[31:0]};

    // Cycle 6: is it refused?
    wire is_zero = result_q == 33'sd0;
    wire is_2 = result_q[1:0] == 2'd2;
    reg  wrong;

    always @(*) begin
        case (line_q5[LINE_REFUSED+:4])
            IS_ZERO: wrong = is_zero;
            NOT_ZERO: wrong = !is_zero;
            NEGATIVE: wrong = result_q[32];
            NO_SIDE: wrong = is_zero || result_q[7:5] != 3'd0;
            NO_STEP: wrong = is_zero || result_q[3] || (result_q[2] && result_q[1:0] != 2'd0);
            NO_MODE:
            wrong = result_q[15:9] != 7'd0 || result_q[7:2] != 6'd0 || (result_q[8] && result_q[1:0] != 2'd1) || is_2
                || (result_q[1] && FLOAT_RULE == 0);
            RAGGED: wrong = rest_q != 16'd0;
            OVER_22: wrong = result_q[31:22] != 10'd0;
            OVER_24: wrong = result_q[31:24] != 8'd0;
            OVER_26: wrong = result_q[31:26] != 6'd0;
            OVER_32: wrong = overflow_q6;
            default: wrong = 1'b0;
        endcase
    end

    // Codes and details as docs/driving-the-core.md has them.
    localparam [7:0] ERROR_FIELD = 8'd1;
    localparam [5:0] ERROR_BUFFERS = 6'd0;  // 2 to 5
    localparam [2:0] FIRST_REGISTER = 3'b010;

    reg [3:0] reason_q;

    always @(posedge clk) begin
        if (valid_q6) reason_q <= line_q5[LINE_REASON+:4];
    end

    wire [7:0] buffer_code = {ERROR_BUFFERS, reason_q[1:0]} + 8'd2;
    wire [15:0] reason = reason_q[3] ? {8'd0, buffer_code} : {FIRST_REGISTER, reason_q[2:0], 2'b00, ERROR_FIELD};

    assign error = {refused_q, reason};

    // The layer's way: its lines, then its users.
    reg reads_q;  // the descriptor

    assign desc_ready = reads_q && (refused_q || (last_cycle && op == RELEASE));

    always @(posedge clk) begin
        if (!run || last_cycle) begin
            line_q <= table_line;
            age_q  <= 3'd0;
        end else begin
            age_q <= age_q + 3'd1;
        end
    end

    always @(posedge clk) begin
        if (rst || refused_q) begin
            {valid_q6, valid_q5, valid_q4, valid_q3} <= 4'd0;
            divides_q <= 1'b0;
            refused_q <= 1'b0;
        end else begin
            valid_q3  <= last_cycle && counts;
            {valid_q6, valid_q5, valid_q4} <= {valid_q5, carried_out, valid_q3};
            divides_q <= (valid_q4 && op_q3 == DIVIDE) || (divides_q && bits_q != 4'd0);
            refused_q <= valid_q6 && wrong;
        end
    end

    always @(posedge clk) begin
        if (rst || refused_q) begin
            state_q   <= PAUSE;
            next_q    <= 8'd0;
            reads_q   <= 1'b0;
            layer_valid <= 4'd0;
        end else begin
            case (state_q)
                IDLE:
                if (desc_valid) begin
                    state_q <= RUN;
                    next_q  <= 8'd1;
                    reads_q <= 1'b1;
                end
                RUN: begin
                    if (before_last) next_q <= address + 8'd1;
                    if (desc_ready) reads_q <= 1'b0;
                    if (last_cycle && op == OFFER) begin
                        state_q   <= OFFERING;
                        next_q    <= 8'd0;
                        layer_valid <= 4'b1111;
                    end
                end
                OFFERING: begin
                    layer_valid <= layer_valid & ~layer_ready;
                    if (layer_valid == 4'd0) state_q <= IDLE;
                end
                default: state_q <= IDLE;
            endcase
        end
    end

    wire unused_line = &{1'b0, line_q5[LINE_B+:9], line_q5[LINE_A+:6], line_q5[LINE_WHEN+:2]};
    wire unused = &{1'b0, unused_line, line_q3[LINE_REFUSED+:4], upper[34:32]};

endmodule

`default_nettype wire
