// output_stream: sends words as beats, and is the last register before the result pins.
//
// A word goes out as up to RATIO beats, the lowest bytes first; beats of which no byte is kept are not sent.
// When the core halts in the middle of a packet, it closes the packet with one empty beat (`last`, nothing kept), so
// that whoever receives is not left waiting.
// After a layer's last beat it lets none of the next layer through until the layer's counters have been stored; they
// are before another can come, but where beats are much narrower than words or have piled up.
// Does not: withdraw a beat that is already offered, nor accept a word of which no byte is kept.
//
// Latency: 2 cycles to a word's first beat (1 with RATIO 1). Throughput: one beat a cycle, no gap between words.

`default_nettype none

module output_stream #(
    parameter BEAT_BYTES = 4,  // bytes of a beat
    parameter RATIO      = 4   // beats a word; a power of two
) (
    input  wire                          clk,
    input  wire                          rst,

    input  wire                          halted,
    output wire                          closing,    // a packet has yet to be closed, or a beat to be taken
    output reg                           layer_end,  // a layer's last beat was accepted, a cycle ago
    input  wire                          stored,     // the counters of that layer

    input  wire [9*BEAT_BYTES*RATIO+1:0] s_word,     // {the layer's last, last, keep, data}
    input  wire                          s_valid,
    output wire                          s_ready,

    output wire [      8*BEAT_BYTES-1:0] m_data,
    output wire [        BEAT_BYTES-1:0] m_keep,
    output wire                          m_last,
    output wire                          m_valid,
    input  wire                          m_ready
);

    // ---------------------------------------------------------------- beats
    wire [9*BEAT_BYTES+1:0] beat;
    wire beat_valid;
    wire beat_ready;

    generate
        if (RATIO == 1) begin : gen_wires
            assign {beat, beat_valid, s_ready} = {s_word, s_valid, beat_ready};
        end else begin : gen_split
            reg [8*BEAT_BYTES*RATIO-1:0] data_q;
            reg [  BEAT_BYTES*RATIO-1:0] keep_q;
            reg [                   1:0] ends_q;
            reg                          valid_q;

            // The byte above the current beat decides whether another beat follows.
            wire more = keep_q[BEAT_BYTES];

            assign s_ready    = !valid_q || (beat_ready && !more);
            assign beat       = {more ? 2'b00 : ends_q, keep_q[BEAT_BYTES-1:0], data_q[8*BEAT_BYTES-1:0]};
            assign beat_valid = valid_q;

            always @(posedge clk) begin
                if (s_ready) begin
                    {ends_q, keep_q, data_q} <= s_word;
                end else if (beat_ready) begin
                    data_q <= data_q >> 8 * BEAT_BYTES;
                    keep_q <= keep_q >> BEAT_BYTES;
                end
            end

            always @(posedge clk) begin
                if (rst || halted) valid_q <= 1'b0;
                else if (s_ready) valid_q <= s_valid;
            end
        end
    endgenerate

    // ---------------------------------------------------------------- the guard
    reg open_q;   // a packet has begun and not ended
    reg ended_q;  // a layer has, and is not stored yet

    localparam [9*BEAT_BYTES+1:0] EMPTY = {2'b01, {9 * BEAT_BYTES{1'b0}}};

    wire register_ready;
    wire m_layer_end;
    wire [9*BEAT_BYTES+1:0] next = halted ? EMPTY : beat;
    wire next_valid = halted ? open_q : beat_valid && !ended_q;
    wire accept = next_valid && register_ready;
    wire last = next[9*BEAT_BYTES];
    wire layer_last = next[9*BEAT_BYTES+1];

    assign beat_ready = register_ready && !halted && !ended_q;
    assign closing    = open_q || m_valid;

    always @(posedge clk) begin
        if (rst) begin
            open_q    <= 1'b0;
            ended_q   <= 1'b0;
            layer_end <= 1'b0;
        end else begin
            if (accept) open_q <= !last;
            ended_q   <= !halted && !stored && (ended_q || (accept && layer_last));
            layer_end <= m_layer_end && m_valid && m_ready;
        end
    end

    skid_buffer #(
        .WIDTH(9 * BEAT_BYTES + 2)
    ) u_skid_buffer (
        .clk    (clk),
        .rst    (rst),
        .s_data (next),
        .s_valid(next_valid),
        .s_ready(register_ready),
        .m_data ({m_layer_end, m_last, m_keep, m_data}),
        .m_valid(m_valid),
        .m_ready(m_ready)
    );

endmodule

`default_nettype wire
