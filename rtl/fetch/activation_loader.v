// activation_loader: takes a layer's frames from the stream into the activation buffer and checks their ends.
//
// Counts words from the reset on; whoever compares counts sees what has arrived (`written`). A word is taken
// only while the buffer has room (`released` says what is needed no more, and may run ahead of `written`: then rows
// that no window uses are swallowed).
// Does not: pad, and does not mend a packet of the wrong length; it reports it and the core halts.
//
//   cycle  0       1                2
//   word   taken   on its way      counted in `written`: a read sees it; an error is reported
//
// Latency: as drawn; the first word can be taken 2 cycles after the layer. Throughput: one word a cycle; two cycles are
// lost between layers, none between frames.

`default_nettype none

module activation_loader #(
    `include "parameters.vh"
) (
    input  wire                   clk,
    input  wire                   rst,

    // A layer, taken when both are high.
    input  wire [           38:0] numbers,
    input  wire                   layer_valid,
    output wire                   layer_ready,

    output wire [           15:0] frames,       // of the layer, the cycle after it is taken

    input  wire [   9*LANES_IN:0] s_word,       // {last, keep, data}
    input  wire                   s_valid,
    output wire                   s_ready,

    output wire [ACT_WRITE_W-1:0] write,        // {valid, word, data}
    output reg  [ACT_COUNT_W-1:0] written,      // words that a read sees
    input  wire [ACT_COUNT_W-1:0] released,     // words needed no more

    output reg  [            2:0] error         // one cycle each: TLAST early, TLAST late, TKEEP
);

    `include "layer_numbers.vh"

    localparam WORDS = ACT_BYTES / LANES_IN;

    wire active;
    wire room;
    wire frame_end;
    wire next_frame_end;
    wire layer_end;
    wire [LANE_W-1:0] last_byte;
    wire [ACT_COUNT_W-1:0] count;

    wire take   = layer_valid && layer_ready;
    wire accept = s_valid && s_ready;

    assign s_ready = active && room;

    frame_counter #(
        .LANES(LANES_IN),
        .INDEX(FRAME_BYTES)
    ) u_frame_counter (
        .clk           (clk),
        .rst           (rst),
        .numbers       (numbers),
        .take          (take),
        .ready         (layer_ready),
        .active        (active),
        .frames        (frames),
        .next          (accept),
        .frame_end     (frame_end),
        .next_frame_end(next_frame_end),
        .layer_end     (layer_end),
        .last_byte     (last_byte)
    );

    ring_fill #(
        .WORDS  (WORDS),
        .COUNT_W(ACT_COUNT_W)
    ) u_ring_fill (
        .clk     (clk),
        .rst     (rst),
        .write   (accept),
        .count   (count),
        .released(released),
        .room    (room)
    );

    // Stage 1: the word on its way into the memory; its address is the count before it.
    reg               taken_q1;
    reg [8*LANES_IN-1:0] data_q1;
    reg [  LANES_IN-1:0] keep_q1;
    reg               last_q1;
    reg               frame_end_q1;

    assign write = {taken_q1, written[ACT_ADDR_W-LANE_W-1:0], data_q1};

    always @(posedge clk) begin
        {frame_end_q1, last_q1, keep_q1, data_q1} <= {frame_end, s_word};
    end

    wire wrong_keep = keep_q1 != {LANES_IN{1'b1}} >> (frame_end_q1 ? ~last_byte : {LANE_W{1'b0}});

    always @(posedge clk) begin
        if (rst) begin
            taken_q1 <= 1'b0;
            written <= {ACT_COUNT_W{1'b0}};
            error    <= 3'd0;
        end else begin
            {taken_q1, written} <= {accept, count};

            error[0] <= taken_q1 && last_q1 && !frame_end_q1;
            error[1] <= taken_q1 && !last_q1 && frame_end_q1;
            error[2] <= taken_q1 && last_q1 == frame_end_q1 && wrong_keep;
        end
    end

    wire unused = &{1'b0, next_frame_end, layer_end};

endmodule

`default_nettype wire
