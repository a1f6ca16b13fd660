// fifo: a first-in first-out queue in LUT memory, which answers in the cycle it is asked.
//
// Does not: refuse a push when full; whoever pushes counts what leaves.
//
// Latency: an entry can be read the cycle after its push. Throughput: one push and one pop a cycle.

`default_nettype none

module fifo #(
    parameter WIDTH = 80,  // bits of an entry
    parameter DEPTH = 16   // entries; a power of two, 2 and more; memories of LUTs hold 16
) (
    input  wire             clk,
    input  wire             rst,

    input  wire             push,
    input  wire [WIDTH-1:0] push_data,

    output reg              head_valid,
    output wire [WIDTH-1:0] head,
    input  wire             pop
);

    localparam INDEX_W = $clog2(DEPTH);

    reg [WIDTH-1:0] entries[0:DEPTH-1];
    reg [INDEX_W:0] pushed_q;  // counts, modulo 2 * DEPTH
    reg [INDEX_W:0] popped_q;

    wire [INDEX_W:0] popped_after = popped_q + 1'b1;

    assign head = entries[popped_q[INDEX_W-1:0]];

    always @(posedge clk) begin
        if (push) entries[pushed_q[INDEX_W-1:0]] <= push_data;
    end

    always @(posedge clk) begin
        if (rst) begin
            pushed_q <= {INDEX_W + 1{1'b0}};
            popped_q <= {INDEX_W + 1{1'b0}};
            head_valid  <= 1'b0;
        end else begin
            if (push) pushed_q <= pushed_q + 1'b1;
            if (pop) popped_q <= popped_after;
            head_valid <= push || (pop ? pushed_q != popped_after : head_valid);
        end
    end

endmodule

`default_nettype wire
