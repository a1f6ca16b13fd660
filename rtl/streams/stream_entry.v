// stream_entry: the register behind the pins of an input stream, and its gate.
//
// The gate opens when a layer is taken (`open`, with the number of its packets) and closes with the last beat of the
// last packet, by `last`: no beat is accepted for a layer that nobody has taken yet, however narrow the stream. While
// the core is halted it swallows what comes, a beat a cycle. When it is to go on (`leaving`), it closes at the end of
// the packet at hand, or at once if `forced`; whatever comes after that waits for a layer.
// Does not: check what a packet should be; if it has no end, the loader will say so, and the core halts.
//
//
// Latency: 1 cycle from the pins; the gate is open the cycle after `open`. Throughput: one beat a cycle.

`default_nettype none

module stream_entry #(
    parameter BYTES = 16  // of a beat
) (
    input  wire               clk,
    input  wire               rst,

    input  wire               open,     // while the gate is closed
    input  wire [       15:0] packets,  // 1 and more, the cycle after `open`

    input  wire               halted,
    input  wire               leaving,
    input  wire               forced,
    output wire               closed,   // halted: nothing is swallowed any more
    output wire               in_packet,   // a packet has begun and not ended
    output reg                beat,     // one was accepted, a cycle ago

    input  wire [8*BYTES-1:0] s_data,
    input  wire [  BYTES-1:0] s_keep,
    input  wire               s_last,
    input  wire               s_valid,
    output wire               s_ready,

    output wire [8*BYTES-1:0] m_data,
    output wire [  BYTES-1:0] m_keep,
    output wire               m_last,
    output wire               m_valid,
    input  wire               m_ready
);

    reg        open_q;
    reg        closed_q;
    reg        in_packet_q;
    reg        fresh_q;  // the first cycle in which the gate is open
    reg [15:0] packets_q;
    reg        ready_q;

    wire buffer_ready;
    wire accept = s_valid && ready_q;
    wire in_packet_d = accept ? !s_last : in_packet_q;

    assign s_ready = ready_q;
    assign closed  = closed_q;
    assign in_packet  = in_packet_q;

    // The layer's number comes in the cycle after `open`.
    wire [15:0] packets_left = fresh_q ? packets : packets_q;
    wire        last_packet = packets_left == 16'd1;

    wire open_d = !halted && (open_q ? !(accept && s_last && last_packet) : open);
    wire closed_d = halted && leaving && (forced || !in_packet_d);
    wire room = m_ready || !m_valid || (buffer_ready && !accept);  // in the buffer, in the next cycle

    always @(posedge clk) begin
        fresh_q   <= !open_q;
        packets_q <= accept && s_last ? packets_left - 16'd1 : packets_left;
    end

    always @(posedge clk) begin
        if (rst) begin
            open_q   <= 1'b0;
            closed_q <= 1'b0;
            in_packet_q <= 1'b0;
            beat     <= 1'b0;
            ready_q  <= 1'b0;
        end else begin
            open_q   <= open_d;
            closed_q <= closed_d;
            ready_q  <= halted ? !closed_d : open_d && room;
            in_packet_q <= !closed_q && in_packet_d;
            beat     <= accept;
        end
    end

    skid_buffer #(
        .WIDTH(9 * BYTES + 1)
    ) u_skid_buffer (
        .clk    (clk),
        .rst    (rst || halted),
        .s_data ({s_last, s_keep, s_data}),
        .s_valid(accept),
        .s_ready(buffer_ready),
        .m_data ({m_last, m_keep, m_data}),
        .m_valid(m_valid),
        .m_ready(m_ready)
    );

endmodule

`default_nettype wire
