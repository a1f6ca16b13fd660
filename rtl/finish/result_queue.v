// result_queue: a first-in first-out queue between the array, which can't wait, and the finisher, which may. Its head
// is a register, filled from the memory after it.
//
// Does not: refuse a push when full; the gate holds a credit for each entry it causes. The head does not count: an
// entry's place is free when it has moved there.
//
// Latency: 2 cycles from push to head. Throughput: one push and one pop a cycle.

`default_nettype none

module result_queue #(
    parameter WIDTH = 512,  // bits of an entry
    parameter DEPTH = 8,    // entries; a power of two
    parameter BLOCK = 1     // 1: block memory; 0: what suits best, for narrow entries
) (
    input  wire             clk,
    input  wire             rst,

    input  wire             push,
    input  wire [WIDTH-1:0] push_data,

    output wire             moves,       // an entry leaves the memory; the next cycle it is the head
    output reg              head_valid,
    output reg  [WIDTH-1:0] head,
    input  wire             pop
);

    localparam INDEX_W = $clog2(DEPTH);

    reg [INDEX_W-1:0] wr_index_q;
    reg [INDEX_W-1:0] rd_index_q;
    reg [  INDEX_W:0] count_q;  // in the memory
    reg               some_q;   // that is not 0

    assign moves = some_q && (!head_valid || pop);

    wire last_moves = moves && count_q == {{INDEX_W{1'b0}}, 1'b1};

    generate
        if (BLOCK) begin : gen_block
            (* ram_style = "block", no_rw_check *)
            // nobody reads an entry while it is written
            reg [WIDTH-1:0] entries[0:DEPTH-1];

            always @(posedge clk) begin
                if (push) entries[wr_index_q] <= push_data;
                if (moves) head <= entries[rd_index_q];
            end
        end else begin : gen_any
            (* no_rw_check *)
            reg [WIDTH-1:0] entries[0:DEPTH-1];

            always @(posedge clk) begin
                if (push) entries[wr_index_q] <= push_data;
                if (moves) head <= entries[rd_index_q];
            end
        end
    endgenerate

    always @(posedge clk) begin
        if (rst) begin
            wr_index_q <= {INDEX_W{1'b0}};
            rd_index_q <= {INDEX_W{1'b0}};
            count_q    <= {INDEX_W + 1{1'b0}};
            some_q     <= 1'b0;
            head_valid    <= 1'b0;
        end else begin
            if (push) wr_index_q <= wr_index_q + 1'b1;
            if (moves) rd_index_q <= rd_index_q + 1'b1;
            if (push && !moves) count_q <= count_q + 1'b1;
            if (moves && !push) count_q <= count_q - 1'b1;
            some_q <= push || (some_q && !last_moves);
            if (moves) head_valid <= 1'b1;
            else if (pop) head_valid <= 1'b0;
        end
    end

endmodule

`default_nettype wire
