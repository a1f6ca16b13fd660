// activation_buffer: a ring of bytes, written a word at a time, read LANES bytes at a time from any byte address.
//
// Byte b of the ring lies in bank b mod LANES, so LANES bytes in a row touch every bank once.
// Does not: know what is valid; the loader and the walk count that.
//
// Latency: data comes 4 cycles after rd_addr. Throughput: one write and one read a cycle.

`default_nettype none

module activation_buffer #(
    parameter LANES  = 16,     // bytes of a word; a power of two
    parameter BYTES  = 65536,  // bytes of the ring; a power of two, 2 * LANES and more
    parameter BYTE_W = $clog2(BYTES),          // derived, leave it
    parameter WORD_W = BYTE_W - $clog2(LANES)  // derived, leave it
) (
    input  wire                    clk,

    input  wire [WORD_W+8*LANES:0] write,    // {valid, word, data}

    input  wire [      BYTE_W-1:0] rd_addr,  // of the byte for lane 0
    output reg  [     8*LANES-1:0] rd_data
);

    localparam LANE_W = $clog2(LANES);

    // Stage 1: the word each bank reads. Banks below the offset hold the part that runs into the next word.
    reg [WORD_W-1:0] word_q1;
    reg [WORD_W-1:0] next_word_q1;
    reg [LANE_W-1:0] offset_q1;
    reg [LANE_W-1:0] offset_q2;
    reg [LANE_W-1:0] offset_q3;

    always @(posedge clk) begin
        {word_q1, offset_q1}   <= rd_addr;
        next_word_q1           <= rd_addr[BYTE_W-1:LANE_W] + 1'b1;
        {offset_q3, offset_q2} <= {offset_q2, offset_q1};
    end

    wire wr_en;
    wire [WORD_W-1:0] wr_word;
    wire [8*LANES-1:0] wr_data;

    assign {wr_en, wr_word, wr_data} = write;

    // Stages 2 and 3: the banks and their output registers.
    wire [8*LANES-1:0] banks_q3;

    genvar b;
    generate
        for (b = 0; b < LANES; b = b + 1) begin : gen_bank
            localparam [LANE_W:0] BANK = b;

            wire runs_over = BANK < {1'b0, offset_q1};

            ram #(
                .WIDTH          (8),
                .DEPTH          (BYTES / LANES),
                .OUTPUT_REGISTER(1)
            ) u_ram (
                .clk    (clk),
                .write  ({wr_en, wr_word, wr_data[8*b+:8]}),
                .rd_en  (1'b1),
                .rd_addr(runs_over ? next_word_q1 : word_q1),
                .rd_data(banks_q3[8*b+:8])
            );
        end
    endgenerate

    // Stage 4: lane i takes bank (i + offset) mod LANES.
    function [8*LANES-1:0] rotate(input [8*LANES-1:0] banks, input [LANE_W-1:0] offset);
        integer l;
        begin
            rotate = banks;
            for (l = 0; l < LANE_W; l = l + 1) begin
                if (offset[l]) rotate = (rotate >> (8 << l)) | (rotate << (8 * LANES - (8 << l)));
            end
        end
    endfunction

    always @(posedge clk) rd_data <= rotate(banks_q3, offset_q3);

endmodule

`default_nettype wire
