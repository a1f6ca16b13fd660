// result_queue: a first-in first-out queue between the array, which can't wait, and the finisher, which may.
//
// Does not: refuse a push when full; the sequencer holds a credit for each entry it causes.
//
// Latency: an entry can be read the cycle after its push. Throughput: one push and one pop a cycle.

`default_nettype none

module result_queue #(
    parameter WIDTH = 512,  // bits of an entry
    parameter DEPTH = 8     // entries; a power of two
) (
    input  wire             clk,
    input  wire             rst,

    input  wire             push,
    input  wire [WIDTH-1:0] push_data,

    output wire             head_valid,
    output wire [WIDTH-1:0] head,
    input  wire             pop
);

    localparam INDEX_W = $clog2(DEPTH);

    reg [  WIDTH-1:0] entries[0:DEPTH-1];
    reg [INDEX_W-1:0] wr_index_q;
    reg [INDEX_W-1:0] rd_index_q;
    reg [  INDEX_W:0] count_q;

    assign head_valid = count_q != {INDEX_W + 1{1'b0}};
    assign head       = entries[rd_index_q];

    always @(posedge clk) begin
        if (push) entries[wr_index_q] <= push_data;
    end

    always @(posedge clk) begin
        if (rst) begin
            wr_index_q <= {INDEX_W{1'b0}};
            rd_index_q <= {INDEX_W{1'b0}};
            count_q    <= {INDEX_W + 1{1'b0}};
        end else begin
            if (push) wr_index_q <= wr_index_q + 1'b1;
            if (pop) rd_index_q <= rd_index_q + 1'b1;
            if (push && !pop) count_q <= count_q + 1'b1;
            if (pop && !push) count_q <= count_q - 1'b1;
        end
    end

endmodule

`default_nettype wire
