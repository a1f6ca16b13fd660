// stream_widener: gathers RATIO narrow beats into one wide word, the first beat in the lowest bytes.
//
// A beat with `last` ends its word early: `keep` of the missing beats is 0, their data is undefined.
// Does not: check anything. With RATIO 1 it is wires.
//
// Latency: 1 cycle after the word's last beat (0 with RATIO 1). Throughput: one beat a cycle.

`default_nettype none

module stream_widener #(
    parameter BEAT_BYTES = 4,  // bytes of a narrow beat
    parameter RATIO      = 4   // beats a word; a power of two
) (
    input  wire                          clk,
    input  wire                          rst,

    input  wire [     8*BEAT_BYTES-1:0]  s_data,
    input  wire [       BEAT_BYTES-1:0]  s_keep,
    input  wire                          s_last,
    input  wire                          s_valid,
    output wire                          s_ready,

    output wire [8*BEAT_BYTES*RATIO-1:0] m_data,
    output wire [  BEAT_BYTES*RATIO-1:0] m_keep,
    output wire                          m_last,
    output wire                          m_valid,
    input  wire                          m_ready
);

    generate
        if (RATIO == 1) begin : gen_wires
            assign m_data  = s_data;
            assign m_keep  = s_keep;
            assign m_last  = s_last;
            assign m_valid = s_valid;
            assign s_ready = m_ready;

            wire unused = &{1'b0, clk, rst};
        end else begin : gen_gather
            localparam INDEX_W = $clog2(RATIO);

            reg [8*BEAT_BYTES*RATIO-1:0] data_q;
            reg [  BEAT_BYTES*RATIO-1:0] keep_q;
            reg                          last_q;
            reg                          valid_q;
            reg [           INDEX_W-1:0] index_q;

            wire accept   = s_valid && s_ready;
            wire complete = s_last || index_q == RATIO[INDEX_W-1:0] - 1'b1;

            assign s_ready = m_ready || !valid_q;
            assign m_data  = data_q;
            assign m_keep  = keep_q;
            assign m_last  = last_q;
            assign m_valid = valid_q;

            always @(posedge clk) begin
                if (accept) begin
                    data_q[8*BEAT_BYTES*index_q+:8*BEAT_BYTES] <= s_data;
                    if (index_q == {INDEX_W{1'b0}}) keep_q <= {BEAT_BYTES * RATIO{1'b0}};
                    keep_q[BEAT_BYTES*index_q+:BEAT_BYTES] <= s_keep;
                    last_q <= s_last;
                end
            end

            always @(posedge clk) begin
                if (rst) begin
                    valid_q <= 1'b0;
                    index_q <= {INDEX_W{1'b0}};
                end else begin
                    if (accept) begin
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
