// skid_buffer: a register in a valid/ready channel that cuts every path from one side to the other.
//
// Does not: reorder, drop or look at the payload.
//
// Latency: 1 cycle. Throughput: one beat a cycle. Holds two beats.

`default_nettype none

module skid_buffer #(
    parameter WIDTH = 8  // bits of the payload
) (
    input  wire             clk,
    input  wire             rst,

    input  wire [WIDTH-1:0] s_data,
    input  wire             s_valid,
    output wire             s_ready,

    output reg  [WIDTH-1:0] m_data,
    output reg              m_valid,
    input  wire             m_ready
);

    reg [WIDTH-1:0] spare_q;  // the beat that came in while the output was stalled
    reg             spare_valid_q;

    wire out_free = m_ready || !m_valid;

    assign s_ready = !spare_valid_q;

    always @(posedge clk) begin
        if (s_ready) spare_q <= s_data;
        if (out_free) m_data <= spare_valid_q ? spare_q : s_data;
    end

    always @(posedge clk) begin
        if (rst) begin
            m_valid   <= 1'b0;
            spare_valid_q <= 1'b0;
        end else begin
            if (out_free) begin
                m_valid   <= spare_valid_q || s_valid;
                spare_valid_q <= 1'b0;
            end else if (s_valid && s_ready) begin
                spare_valid_q <= 1'b1;
            end
        end
    end

endmodule

`default_nettype wire
