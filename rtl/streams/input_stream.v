// input_stream: the register behind the pins of an input stream, its gate, and words made of its beats.
//
// The gate opens when a layer is taken (`open`, with the number of its packets) and closes with the last beat of the
// last packet, by `last`: no beat is accepted for a layer that nobody has taken yet, however narrow the stream. While
// the core is halted it swallows what comes, a beat a cycle. When it is to go on (`leaving`), it closes at the end of
// the packet at hand, or at once if `forced`; whatever comes after that waits for a layer.
// Words are RATIO beats, the first in the lowest bytes. A beat with `last` ends its word early: `keep` of the missing
// beats is 0, their data is undefined.
// Does not: check what a packet should be; if it has no end, the loader will say so, and the core halts.
//
// Latency: a word comes 2 cycles after its last beat at the pins (1 with RATIO 1); the gate is open the cycle after
// `open`. Throughput: one beat a cycle.

`default_nettype none

module input_stream #(
    parameter BEAT_BYTES = 4,  // bytes of a beat
    parameter RATIO      = 4   // beats a word; a power of two
) (
    input  wire                        clk,
    input  wire                        rst,

    input  wire                        open,       // while the gate is closed
    input  wire [                15:0] packets,    // 1 and more, the cycle after `open`

    input  wire                        halted,
    input  wire                        leaving,
    input  wire                        forced,
    output reg                         closed,     // halted: nothing is swallowed any more
    output reg                         in_packet,  // a packet has begun and not ended
    output reg                         beat,       // one was accepted, a cycle ago

    input  wire [    8*BEAT_BYTES-1:0] s_data,
    input  wire [      BEAT_BYTES-1:0] s_keep,
    input  wire                        s_last,
    input  wire                        s_valid,
    output reg                         s_ready,

    output wire [9*BEAT_BYTES*RATIO:0] m_word,     // {last, keep, data}
    output wire                        m_valid,
    input  wire                        m_ready
);

    // ---------------------------------------------------------------- the gate
    reg        open_q;
    reg        fresh_q;  // the first cycle in which the gate is open
    reg [15:0] packets_q;

    wire [9*BEAT_BYTES:0] here;  // the beat behind the register
    wire here_valid;
    wire here_ready;
    wire buffer_ready;
    wire accept = s_valid && s_ready;
    wire in_packet_d = accept ? !s_last : in_packet;

    // The layer's number comes in the cycle after `open`.
    wire [15:0] packets_left = fresh_q ? packets : packets_q;
    wire        last_packet = packets_left == 16'd1;

    wire open_d = !halted && (open_q ? !(accept && s_last && last_packet) : open);
    wire closed_d = halted && leaving && (forced || !in_packet_d);
    wire room = here_ready || !here_valid || (buffer_ready && !accept);  // in the buffer, in the next cycle

    always @(posedge clk) begin
        fresh_q   <= !open_q;
        packets_q <= accept && s_last ? packets_left - 16'd1 : packets_left;
    end

    always @(posedge clk) begin
        if (rst) begin
            open_q    <= 1'b0;
            closed    <= 1'b0;
            in_packet <= 1'b0;
            beat      <= 1'b0;
            s_ready   <= 1'b0;
        end else begin
            {open_q, closed, beat} <= {open_d, closed_d, accept};
            in_packet <= !closed && in_packet_d;
            s_ready   <= halted ? !closed_d : open_d && room;
        end
    end

    skid_buffer #(
        .WIDTH(9 * BEAT_BYTES + 1)
    ) u_skid_buffer (
        .clk    (clk),
        .rst    (rst || halted),
        .s_data ({s_last, s_keep, s_data}),
        .s_valid(accept),
        .s_ready(buffer_ready),
        .m_data (here),
        .m_valid(here_valid),
        .m_ready(here_ready)
    );

    // ---------------------------------------------------------------- words
    generate
        if (RATIO == 1) begin : gen_wires
            assign {m_word, m_valid, here_ready} = {here, here_valid, m_ready};
        end else begin : gen_gather
            localparam INDEX_W = $clog2(RATIO);

            reg [8*BEAT_BYTES*RATIO-1:0] data_q;
            reg [  BEAT_BYTES*RATIO-1:0] keep_q;
            reg                          last_q;
            reg                          valid_q;
            reg [           INDEX_W-1:0] index_q;

            wire take = here_valid && here_ready;
            wire complete = here[9*BEAT_BYTES] || index_q == RATIO[INDEX_W-1:0] - 1'b1;

            assign here_ready = m_ready || !valid_q;
            assign m_word     = {last_q, keep_q, data_q};
            assign m_valid    = valid_q;

            always @(posedge clk) begin
                if (take) begin
                    data_q[8*BEAT_BYTES*index_q+:8*BEAT_BYTES] <= here[8*BEAT_BYTES-1:0];
                    if (index_q == {INDEX_W{1'b0}}) keep_q <= {BEAT_BYTES * RATIO{1'b0}};
                    keep_q[BEAT_BYTES*index_q+:BEAT_BYTES] <= here[8*BEAT_BYTES+:BEAT_BYTES];
                    last_q <= here[9*BEAT_BYTES];
                end
            end

            always @(posedge clk) begin
                if (rst || halted) begin
                    valid_q <= 1'b0;
                    index_q <= {INDEX_W{1'b0}};
                end else begin
                    if (take) begin
                        valid_q <= complete;
                        index_q <= complete ? {INDEX_W{1'b0}} : index_q + 1'b1;
                    end else if (m_ready) begin
                        valid_q <= 1'b0;
                    end
                end
            end
        end
    endgenerate

endmodule

`default_nettype wire
