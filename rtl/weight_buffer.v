// weight_buffer: a ring of words for each filter lane, written one lane at a time, read all lanes at once.
//
// Does not: know what is valid; the loader and the sequencer count that.
//
// Latency: data comes 1 cycle after rd_word. Throughput: one write (of one lane) and one read a cycle.

`default_nettype none

module weight_buffer #(
    parameter LANES_IN  = 16,    // bytes of a word
    parameter LANES_OUT = 16,    // filter lanes
    parameter WORDS     = 1024,  // words of a lane; a power of two
    parameter WORD_W    = $clog2(WORDS)  // derived, leave it
) (
    input  wire                            clk,

    input  wire [           LANES_OUT-1:0] wr_lane,  // one-hot, or 0 for none
    input  wire [              WORD_W-1:0] wr_word,
    input  wire [          8*LANES_IN-1:0] wr_data,

    input  wire [              WORD_W-1:0] rd_word,
    output wire [8*LANES_IN*LANES_OUT-1:0] rd_data   // filter lane 0 lowest
);

    genvar o;
    generate
        for (o = 0; o < LANES_OUT; o = o + 1) begin : gen_lane
            ram #(
                .WIDTH(8 * LANES_IN),
                .DEPTH(WORDS)
            ) u_ram (
                .clk    (clk),
                .wr_en  (wr_lane[o]),
                .wr_addr(wr_word),
                .wr_data(wr_data),
                .rd_en  (1'b1),
                .rd_addr(rd_word),
                .rd_data(rd_data[8*LANES_IN*o+:8*LANES_IN])
            );
        end
    endgenerate

endmodule

`default_nettype wire
