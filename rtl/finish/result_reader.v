// result_reader: reads finished results from the result buffer, in order, and makes frames of them.
//
// Does not: wait for a row; a word goes out as soon as all its bytes are committed.
//
// Latency: 3 cycles from a word committed to its beat. Throughput: one word a cycle.

`default_nettype none

module result_reader #(
    parameter LANES = 16,  // bytes of a word
    parameter OUT_W = 16   // result byte addresses, counted on from reset
) (
    input  wire                          clk,
    input  wire                          rst,

    input  wire [                  38:0] numbers,
    input  wire                          take,   // a layer, while `ready`
    output wire                          ready,

    input  wire [             OUT_W-1:0] committed,
    output wire [             OUT_W-1:0] read,

    output wire                          rd_en,
    output wire [OUT_W-$clog2(LANES)-1:0] rd_word,
    input  wire [           8*LANES-1:0] rd_data,

    output wire [           8*LANES-1:0] m_data,
    output wire [             LANES-1:0] m_keep,
    output wire                          m_last,
    output wire                          m_layer_end,  // with the last word of the last frame
    output wire                          m_valid,
    input  wire                          m_ready
);

`include "layer_numbers.vh"

    localparam LANE_W = $clog2(LANES);
    localparam WORD_W = OUT_W - LANE_W;

    wire             active_q;
    reg [WORD_W-1:0] word_q;

    wire frame_end;
    wire next_frame_end;
    wire layer_end;
    wire [LANE_W-1:0] last_byte;

    frame_counter #(
        .LANES(LANES),
        .INDEX(OUT_FRAME_BYTES)
    ) u_frame_counter (
        .clk            (clk),
        .rst            (rst),
        .numbers        (numbers),
        .take           (take),
        .ready          (ready),
        .active         (active_q),
        .next           (rd_en),
        .frame_end      (frame_end),
        .next_frame_end (next_frame_end),
        .layer_end      (layer_end),
        .last_byte      (last_byte)
    );

    // A word is here when the results have gone on to another, or, at a frame's end, past its last byte. That is found
    // out a cycle ahead, for this word and for the next.
    reg here_q;

    wire [WORD_W-1:0] ahead = committed[OUT_W-1:LANE_W] - word_q;
    wire past_end = committed[LANE_W-1:0] > last_byte;
    wire several = !ahead[WORD_W-1] && ahead[WORD_W-1:1] != {WORD_W - 1{1'b0}};
    wire one = ahead == {{WORD_W - 1{1'b0}}, 1'b1};
    wire none = ahead == {WORD_W{1'b0}};
    wire this_here = several || one || (none && frame_end && past_end);
    wire next_here = several || (one && next_frame_end && past_end);

    reg             valid_q1;
    reg [LANES-1:0] keep_q1;
    reg             last_q1;
    reg             layer_end_q1;

    wire ready_q1;

    assign read      = {word_q, {LANE_W{1'b0}}};
    assign rd_en     = active_q && here_q && (!valid_q1 || ready_q1);
    assign rd_word   = word_q;

    always @(posedge clk) begin
        if (rd_en) begin
            keep_q1      <= {LANES{1'b1}} >> (frame_end ? ~last_byte : {LANE_W{1'b0}});
            last_q1      <= frame_end;
            layer_end_q1 <= layer_end;
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            word_q   <= {WORD_W{1'b0}};
            valid_q1 <= 1'b0;
            here_q   <= 1'b0;
        end else begin
            here_q <= active_q && (rd_en ? next_here : this_here);
            if (rd_en) word_q <= word_q + 1'b1;
            if (rd_en) valid_q1 <= 1'b1;
            else if (ready_q1) valid_q1 <= 1'b0;
        end
    end

    skid_buffer #(
        .WIDTH(9 * LANES + 2)
    ) u_skid_buffer (
        .clk    (clk),
        .rst    (rst),
        .s_data ({layer_end_q1, last_q1, keep_q1, rd_data}),
        .s_valid(valid_q1),
        .s_ready(ready_q1),
        .m_data ({m_layer_end, m_last, m_keep, m_data}),
        .m_valid(m_valid),
        .m_ready(m_ready)
    );

endmodule

`default_nettype wire
