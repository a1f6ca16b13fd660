// packet_guard: the last register before the result pins. When the core halts in the middle of a packet, it closes the
// packet with one empty beat (`last`, nothing kept), so that whoever receives is not left waiting.
//
// After a layer's last beat it lets none of the next layer through until the layer's counters have been stored; they
// are before another can come, but where beats are much narrower than words or have piled up.
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
    output wire               closing,    // a packet has yet to be closed, or a beat to be taken
    output reg                layer_end,  // a layer's last beat was accepted, a cycle ago
    input  wire               stored,     // the counters of that layer

    input  wire [8*BYTES-1:0] s_data,
    input  wire [  BYTES-1:0] s_keep,
    input  wire               s_last,
    input  wire               s_layer_end,
    input  wire               s_valid,
    output wire               s_ready,

    output wire [8*BYTES-1:0] m_data,
    output wire [  BYTES-1:0] m_keep,
    output wire               m_last,
    output wire               m_valid,
    input  wire               m_ready
);

    reg open_q;   // a packet has begun and not ended
    reg ended_q;  // a layer has, and is not stored yet

    wire register_ready;
    wire m_layer_end;
    wire in_valid = halted ? open_q : s_valid && !ended_q;
    wire in_last = halted || s_last;
    wire in_layer_end = s_layer_end && !halted;
    wire accept = in_valid && register_ready;

    assign s_ready = register_ready && !halted && !ended_q;
    assign closing = open_q || m_valid;

    always @(posedge clk) begin
        if (rst) begin
            open_q    <= 1'b0;
            ended_q   <= 1'b0;
            layer_end <= 1'b0;
        end else begin
            if (accept) open_q <= !in_last;
            ended_q   <= !halted && !stored && (ended_q || (accept && in_layer_end));
            layer_end <= m_layer_end && m_valid && m_ready;
        end
    end

    skid_buffer #(
        .WIDTH(9 * BYTES + 2)
    ) u_skid_buffer (
        .clk    (clk),
        .rst    (rst),
        .s_data ({in_layer_end, in_last, halted ? {BYTES{1'b0}} : s_keep, halted ? {8 * BYTES{1'b0}} : s_data}),
        .s_valid(in_valid),
        .s_ready(register_ready),
        .m_data ({m_layer_end, m_last, m_keep, m_data}),
        .m_valid(m_valid),
        .m_ready(m_ready)
    );

endmodule

`default_nettype wire
