// packet_guard: the last register before the result pins. When the core halts in the middle of a packet, it closes the
// packet with one empty beat (`last`, nothing kept), so that whoever receives is not left waiting.
//
// Does not: withdraw a beat that is already offered.
//
// Latency: 1 cycle. Throughput: one beat a cycle.

`default_nettype none

module packet_guard #(
    parameter BYTES = 16
) (
    input  wire               clk,
    input  wire               rst,

    input  wire               halted,
    output wire               closing,  // a packet has yet to be closed, or a beat to be taken

    input  wire [8*BYTES-1:0] s_data,
    input  wire [  BYTES-1:0] s_keep,
    input  wire               s_last,
    input  wire               s_layer_end,
    input  wire               s_valid,
    output wire               s_ready,

    output wire [8*BYTES-1:0] m_data,
    output wire [  BYTES-1:0] m_keep,
    output wire               m_last,
    output wire               m_layer_end,
    output wire               m_valid,
    input  wire               m_ready
);

    reg open_q;  // a packet has begun and not ended

    wire register_ready;
    wire in_valid = halted ? open_q : s_valid;
    wire in_last = halted || s_last;

    assign s_ready = register_ready && !halted;
    assign closing = open_q || m_valid;

    always @(posedge clk) begin
        if (rst) open_q <= 1'b0;
        else if (in_valid && register_ready) open_q <= !in_last;
    end

    skid_buffer #(
        .WIDTH(9 * BYTES + 2)
    ) u_skid_buffer (
        .clk    (clk),
        .rst    (rst),
        .s_data ({s_layer_end && !halted, in_last, halted ? {BYTES{1'b0}} : s_keep, halted ? {8 * BYTES{1'b0}} : s_data}),
        .s_valid(in_valid),
        .s_ready(register_ready),
        .m_data ({m_layer_end, m_last, m_keep, m_data}),
        .m_valid(m_valid),
        .m_ready(m_ready)
    );

endmodule

`default_nettype wire
