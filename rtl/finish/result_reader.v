// result_reader: the result buffer, and what reads finished results from it, in order, and makes frames of them.
//
// Bytes that `keep` does not mark are 0.
// Does not: wait for a row; a word goes out as soon as all its bytes are committed.
//
// Latency: 4 cycles from a word committed to its beat. Throughput: one word a cycle.

`default_nettype none

module result_reader #(
    `include "parameters.vh"
) (
    input  wire                   clk,
    input  wire                   rst,

    input  wire [           38:0] numbers,
    input  wire                   take,       // a layer, while `ready`
    output wire                   ready,

    input  wire [OUT_WRITE_W-1:0] write,      // results: {an enable for each byte, address, data}
    input  wire [      OUT_W-1:0] committed,  // all before this address have been written
    output wire [      OUT_W-1:0] read,       // all before this one have been read

    output wire [9*LANES_OUT+1:0] m_word,     // {last of the layer, last, keep, data}
    output wire                   m_valid,
    input  wire                   m_ready
);

    `include "layer_numbers.vh"

    localparam LANES = LANES_OUT;
    localparam BYTE_W = $clog2(LANES);  // of a byte in its word
    localparam WORD_W = OUT_W - BYTE_W;

    wire             active;
    wire             rd_en;
    reg [WORD_W-1:0] word_q;

    wire frame_end;
    wire next_frame_end;
    wire [15:0] unused_frames;
    wire layer_end;
    wire [BYTE_W-1:0] last_byte;

    frame_counter #(
        .LANES(LANES),
        .INDEX(OUT_FRAME_BYTES)
    ) u_frame_counter (
        .clk            (clk),
        .rst            (rst),
        .numbers        (numbers),
        .take           (take),
        .ready          (ready),
        .active         (active),
        .frames         (unused_frames),
        .next           (rd_en),
        .frame_end      (frame_end),
        .next_frame_end (next_frame_end),
        .layer_end      (layer_end),
        .last_byte      (last_byte)
    );

    // A word is here when the results have gone on to another, or, at a frame's end, past its last byte. That is found
    // out a cycle ahead, for this word and for the next.
    reg here_q;

    wire [WORD_W-1:0] ahead = committed[OUT_W-1:BYTE_W] - word_q;
    wire past_end = committed[BYTE_W-1:0] > last_byte;
    wire several = !ahead[WORD_W-1] && ahead[WORD_W-1:1] != {WORD_W - 1{1'b0}};
    wire one = ahead == {{WORD_W - 1{1'b0}}, 1'b1};
    wire none = ahead == {WORD_W{1'b0}};
    wire this_here = several || one || (none && frame_end && past_end);
    wire next_here = several || (one && next_frame_end && past_end);

    // Stage 1: the word in the memory's output. Stage 2: in a register, without what is not kept.
    reg               valid_q1;
    reg [LANES-1:0]   drop_q1;
    reg               last_q1;
    reg               layer_end_q1;
    reg               valid_q2;
    reg [8*LANES-1:0] data_q2;
    reg [LANES-1:0]   drop_q2;
    reg               last_q2;
    reg               layer_end_q2;

    wire ready_q2;
    wire free_2 = !valid_q2 || ready_q2;
    wire free_1 = !valid_q1 || free_2;

    wire [8*LANES-1:0] rd_data;
    wire [OUT_W-1:0]   write_addr = write[8*LANES+:OUT_W];  // counted on; the buffer is a ring

    result_buffer #(
        .LANES(LANES),
        .BYTES(OUT_BYTES)
    ) u_result_buffer (
        .clk    (clk),
        .rst    (rst),
        .write  ({write[8*LANES+OUT_W+:LANES], write_addr[OUT_ADDR_W-1:0], write[8*LANES-1:0]}),
        .rd_en  (rd_en),
        .rd_word(word_q[OUT_ADDR_W-BYTE_W-1:0]),
        .rd_data(rd_data)
    );

    assign read  = {word_q, {BYTE_W{1'b0}}};
    assign rd_en = active && here_q && free_1;

    always @(posedge clk) begin
        if (free_1) begin
            drop_q1      <= frame_end ? {LANES{1'b1}} << last_byte << 1 : {LANES{1'b0}};
            {layer_end_q1, last_q1} <= {layer_end, frame_end};
        end
        if (free_2) begin
            {layer_end_q2, last_q2, drop_q2} <= {layer_end_q1, last_q1, drop_q1};
        end
    end

    genvar i;
    generate
        for (i = 0; i < LANES; i = i + 1) begin : gen_byte
            always @(posedge clk) begin
                if (free_2 && drop_q1[i]) data_q2[8*i+:8] <= 8'd0;
                else if (free_2) data_q2[8*i+:8] <= rd_data[8*i+:8];
            end
        end
    endgenerate

    always @(posedge clk) begin
        if (rst) begin
            word_q   <= {WORD_W{1'b0}};
            valid_q1 <= 1'b0;
            valid_q2 <= 1'b0;
            here_q   <= 1'b0;
        end else begin
            here_q <= active && (rd_en ? next_here : this_here);
            if (rd_en) word_q <= word_q + 1'b1;
            if (free_1) valid_q1 <= rd_en;
            if (free_2) valid_q2 <= valid_q1;
        end
    end

    skid_buffer #(
        .WIDTH(9 * LANES + 2)
    ) u_skid_buffer (
        .clk    (clk),
        .rst    (rst),
        .s_data ({layer_end_q2, last_q2, ~drop_q2, data_q2}),
        .s_valid(valid_q2),
        .s_ready(ready_q2),
        .m_data (m_word),
        .m_valid(m_valid),
        .m_ready(m_ready)
    );

    wire unused = &{1'b0, unused_frames, write_addr};

endmodule

`default_nettype wire
