// ram: memory with one write port and one read port, both synchronous.
//
// Does not: reset its contents, nor say what a read returns of a word written in the same cycle
// (no user of it here does that).
//
// Latency: rd_data holds mem[rd_addr] one cycle after rd_en, and keeps it until the next rd_en.
// Throughput: one write and one read a cycle.

`default_nettype none

module ram #(
    parameter WIDTH  = 8,    // bits of a word
    parameter DEPTH  = 512,  // words; a power of two
    parameter ADDR_W = $clog2(DEPTH)  // derived, leave it
) (
    input  wire              clk,

    input  wire              wr_en,
    input  wire [ADDR_W-1:0] wr_addr,
    input  wire [ WIDTH-1:0] wr_data,

    input  wire              rd_en,
    input  wire [ADDR_W-1:0] rd_addr,
    output reg  [ WIDTH-1:0] rd_data
);

    (* no_rw_check *)  // for Yosys: nobody reads a word while it is written, so there is nothing to bypass
    reg [WIDTH-1:0] mem[0:DEPTH-1];

    always @(posedge clk) begin
        if (wr_en) mem[wr_addr] <= wr_data;
        if (rd_en) rd_data <= mem[rd_addr];
    end

endmodule

`default_nettype wire
