// result_buffer: a ring of bytes, written up to LANES bytes at a time at any byte address, read a word at a time.
// The mirror image of activation_buffer; it puts a row that is computed group by group into NHWC order.
//
// Does not: know what is valid; the finisher and the reader count that.
//
// Latency: a write is in the memory 2 cycles after wr_en; data comes 1 cycle after rd_en and stays until the next.
// Throughput: one write and one read a cycle.

`default_nettype none

module result_buffer #(
    parameter LANES  = 16,     // bytes of a word; a power of two
    parameter BYTES  = 16384,  // bytes of the ring; a power of two, 2 * LANES and more
    parameter BYTE_W = $clog2(BYTES),          // derived, leave it
    parameter WORD_W = BYTE_W - $clog2(LANES)  // derived, leave it
) (
    input  wire                      clk,
    input  wire                      rst,

    input  wire [9*LANES+BYTE_W-1:0] write,    // {an enable for each byte, address of the byte in lane 0, data}

    input  wire                      rd_en,
    input  wire [        WORD_W-1:0] rd_word,
    output wire [       8*LANES-1:0] rd_data
);

    localparam LANE_W = $clog2(LANES);

    // Stage 1: lane i goes to bank (i + offset) mod LANES; what runs over the last bank goes into the next word.
    reg [2*LANES-1:0]   wr_en_q1;
    reg [8*LANES-1:0]   wr_data_q1;
    reg [WORD_W-1:0]    word_q1;

    wire [  LANES-1:0]  wr_en;
    wire [BYTE_W-1:0]   wr_addr;
    wire [8*LANES-1:0]  wr_data;
    wire [LANE_W-1:0]   offset = wr_addr[LANE_W-1:0];

    assign {wr_en, wr_addr, wr_data} = write;

    function [8*LANES-1:0] rotate(input [8*LANES-1:0] lanes, input [LANE_W-1:0] places);
        integer l;
        begin
            rotate = lanes;
            for (l = 0; l < LANE_W; l = l + 1) begin
                if (places[l]) rotate = (rotate << (8 << l)) | (rotate >> (8 * LANES - (8 << l)));
            end
        end
    endfunction

    always @(posedge clk) begin
        wr_data_q1 <= rotate(wr_data, offset);
        word_q1    <= wr_addr[BYTE_W-1:LANE_W];
        wr_en_q1   <= rst ? {2 * LANES{1'b0}} : {{LANES{1'b0}}, wr_en} << offset;
    end

    genvar b;
    generate
        for (b = 0; b < LANES; b = b + 1) begin : gen_bank
            wire enable = wr_en_q1[b] || wr_en_q1[LANES+b];
            wire [WORD_W-1:0] word = wr_en_q1[b] ? word_q1 : word_q1 + 1'b1;

            ram #(
                .WIDTH(8),
                .DEPTH(BYTES / LANES)
            ) u_ram (
                .clk    (clk),
                .write  ({enable, word, wr_data_q1[8*b+:8]}),
                .rd_en  (rd_en),
                .rd_addr(rd_word),
                .rd_data(rd_data[8*b+:8])
            );
        end
    endgenerate

endmodule

`default_nettype wire
