`timescale 1ns / 1ps
`default_nettype none
// A small AXI4-Stream FIFO with a clock of its own, for the tests of the stream coroutines. With FAULT
// it breaks a rule, once, behind its 5th beat: 1 withdraws tvalid, 2 changes the payload while
// stalled, 3 makes tdata X, 4 makes tvalid X, 5 leaves a byte out of tkeep.
module fifo #(
    parameter BYTES = 4,
    parameter DEPTH = 4
) (
    input  wire               rst,
    input  wire [8*BYTES-1:0] s_axis_tdata,
    input  wire [BYTES-1:0]   s_axis_tkeep,
    input  wire               s_axis_tlast,
    input  wire               s_axis_tvalid,
    output wire               s_axis_tready,
    output wire [8*BYTES-1:0] m_axis_tdata,
    output wire [BYTES-1:0]   m_axis_tkeep,
    output wire               m_axis_tlast,
    output wire               m_axis_tvalid,
    input  wire               m_axis_tready,
    input  wire [3:0]         fault
);
    reg clk = 1'b0;
    always #5 clk = !clk;

    reg [9*BYTES:0] words [0:DEPTH-1];
    reg [31:0]      written, taken;
    reg             stalled_q;
    wire [9*BYTES:0] word = words[taken % DEPTH];
    wire            now = taken == 32'd5;

    assign s_axis_tready = written - taken < DEPTH;
    assign m_axis_tvalid = fault == 4'd4 && now ? 1'bx
                         : fault == 4'd1 && now && stalled_q ? 1'b0 : written != taken;
    assign m_axis_tdata  = word[8*BYTES-1:0] ^ {8*BYTES{fault == 4'd2 && now && stalled_q}}
                         ^ (fault == 4'd3 && now ? {8*BYTES{1'bx}} : {8*BYTES{1'b0}});
    assign m_axis_tkeep  = fault == 4'd5 && now ? {word[9*BYTES-1:8*BYTES+1], 1'b0}
                         : word[9*BYTES-1:8*BYTES];
    assign m_axis_tlast  = word[9*BYTES];

    always @(posedge clk) begin
        if (rst) begin
            written   <= 32'd0;
            taken     <= 32'd0;
            stalled_q <= 1'b0;
        end else begin
            if (s_axis_tvalid && s_axis_tready) begin
                words[written % DEPTH] <= {s_axis_tlast, s_axis_tkeep, s_axis_tdata};
                written <= written + 32'd1;
            end
            if (m_axis_tvalid && m_axis_tready) taken <= taken + 32'd1;
            stalled_q <= m_axis_tvalid && !m_axis_tready;
        end
    end
endmodule
`default_nettype wire
