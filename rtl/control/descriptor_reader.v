// descriptor_reader: gathers the eight words of the oldest descriptor for a set-up that wants them side by side.
//
// Does not: read ahead; it waits until the set-up is free.
//
// Latency: 10 cycles. Throughput: one descriptor each 11 cycles.

`default_nettype none

module descriptor_reader (
    input  wire         clk,
    input  wire         rst,

    input  wire         desc_valid,
    output wire         desc_ready,
    output wire [  2:0] desc_index,
    input  wire [ 31:0] desc_word,

    output wire         setup_valid,
    input  wire         setup_ready,
    output wire [255:0] setup_desc    // the first word lowest
);

    localparam [3:0] LAST = 4'd9;  // a word comes a cycle after its index; then the set-up takes them all

    reg [  3:0] step_q;
    reg [255:0] desc_q;

    assign desc_index  = step_q[2:0];
    assign setup_valid = step_q == LAST;
    assign desc_ready  = setup_valid && setup_ready;
    assign setup_desc  = desc_q;

    always @(posedge clk) begin
        if (step_q != LAST) desc_q <= {desc_word, desc_q[255:32]};
    end

    always @(posedge clk) begin
        if (rst || desc_ready) step_q <= 4'd0;
        else if (step_q != LAST && desc_valid && setup_ready) step_q <= step_q + 4'd1;
    end

endmodule

`default_nettype wire
