// stream_narrower: sends one wide word as up to RATIO narrow beats, the lowest bytes first.
//
// Beats of which no byte is kept are not sent. Does not: accept a word of which no byte is kept.
// With RATIO 1 it is wires.
//
// Latency: 1 cycle (0 with RATIO 1). Throughput: one beat a cycle, no gap between words.

`default_nettype none

module stream_narrower #(
    parameter BEAT_BYTES = 4,  // bytes of a narrow beat
    parameter RATIO      = 4,  // beats a word; a power of two
    parameter USER_W     = 1   // bits that travel with the word's last beat
) (
    input  wire                          clk,
    input  wire                          rst,

    input  wire [8*BEAT_BYTES*RATIO-1:0] s_data,
    input  wire [  BEAT_BYTES*RATIO-1:0] s_keep,
    input  wire                          s_last,
    input  wire [            USER_W-1:0] s_user,
    input  wire                          s_valid,
    output wire                          s_ready,

    output wire [     8*BEAT_BYTES-1:0]  m_data,
    output wire [       BEAT_BYTES-1:0]  m_keep,
    output wire                          m_last,
    output wire [            USER_W-1:0] m_user,
    output wire                          m_valid,
    input  wire                          m_ready
);

    generate
        if (RATIO == 1) begin : gen_wires
            assign m_data  = s_data;
            assign m_keep  = s_keep;
            assign m_last  = s_last;
            assign m_user  = s_user;
            assign m_valid = s_valid;
            assign s_ready = m_ready;

            wire unused = &{1'b0, clk, rst};
        end else begin : gen_split
            reg [8*BEAT_BYTES*RATIO-1:0] data_q;
            reg [  BEAT_BYTES*RATIO-1:0] keep_q;
            reg                          last_q;
            reg [            USER_W-1:0] user_q;
            reg                          valid_q;

            // The byte above the current beat decides whether another beat follows.
            wire more = keep_q[BEAT_BYTES];

            assign s_ready = !valid_q || (m_ready && !more);
            assign m_data  = data_q[8*BEAT_BYTES-1:0];
            assign m_keep  = keep_q[BEAT_BYTES-1:0];
            assign m_last  = last_q && !more;
            assign m_user  = more ? {USER_W{1'b0}} : user_q;
            assign m_valid = valid_q;

            always @(posedge clk) begin
                if (s_ready) begin
                    data_q <= s_data;
                    keep_q <= s_keep;
                    last_q <= s_last;
                    user_q <= s_user;
                end else if (m_ready) begin
                    data_q <= data_q >> 8 * BEAT_BYTES;
                    keep_q <= keep_q >> BEAT_BYTES;
                end
            end

            always @(posedge clk) begin
                if (rst) valid_q <= 1'b0;
                else if (s_ready) valid_q <= s_valid;
            end
        end
    endgenerate

endmodule

`default_nettype wire
