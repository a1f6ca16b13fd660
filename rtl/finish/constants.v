// constants: remembers the layer's constants, and hands over those of one filter block after the other.
//
// A mark that begins a filter block has its constants fetched at once, word by word, into a second set of registers:
// they are there before the window's vector has come through the array. `take` makes them the ones at hand.
// Does not: check that constants have arrived; no window is computed before they have.
//
// Where the next block's constants are: after those of the block before; after a column block's last filter block, the
// layer's first again; after the layer, the next layer's.
//
// Latency: CONST_PER_BLOCK + 2 cycles from mark to `ready`. Throughput: a block in as many cycles after a `take`.

`default_nettype none

module constants #(
    `include "parameters.vh"
) (
    input  wire                     clk,
    input  wire                     rst,

    input  wire [CONST_WRITE_W-1:0] write,       // as the weight loader writes them: {valid, word, data}
    output reg  [CONST_COUNT_W-1:0] released,    // words before this one are needed no more

    input  wire                     mark_valid,  // a window's last step is taken
    input  wire [      MARKS_W-1:0] mark,        // its marks (marks.vh)

    output reg                      ready,       // the next block's are here
    input  wire                     take,        // only when ready
    output reg  [CONST_BLOCK_W-1:0] block        // from the cycle after `take`
);

    `include "marks.vh"

    localparam WORD_W = 8 * LANES_IN;
    localparam ENTRIES = 2 * RESULT_QUEUE;  // the vector at hand has left the queue, and its mark may still wait here
    localparam FETCH_W = $clog2(CONST_PER_BLOCK + 1);

    // Marks that matter, in order.
    wire pending;
    wire last_pass;
    wire new_block;
    wire last_block;
    wire layer_end;

    // The words of a block are read one after the other; a cycle after the last one the mark is done with.
    reg [CONST_PER_BLOCK*WORD_W-1:0] next_q;
    reg [CONST_COUNT_W-1:0]                fetch_q;       // next word
    reg [CONST_COUNT_W-1:0]                layer_q;       // the layer's first word
    reg [CONST_COUNT_W-1:0]                next_layer_q;  // the next layer's
    reg [FETCH_W-1:0]                fetched_q;
    reg                              all_q;         // a block's words have been read
    reg                              arriving_q;

    wire [WORD_W-1:0] word;
    wire fetch = pending && new_block && !all_q && !ready;
    wire done = pending && (!new_block || all_q);
    wire [CONST_COUNT_W-1:0] after_layer = new_block && last_block ? fetch_q : next_layer_q;

    fifo #(
        .WIDTH(4),
        .DEPTH(ENTRIES)
    ) u_marks (
        .clk       (clk),
        .rst       (rst),
        .push      (mark_valid && (mark[MARK_NEW_BLOCK] || mark[MARK_LAYER_END])),
        .push_data ({mark[MARK_LAST_PASS], mark[MARK_NEW_BLOCK], mark[MARK_LAST_BLOCK], mark[MARK_LAYER_END]}),
        .head_valid(pending),
        .head      ({last_pass, new_block, last_block, layer_end}),
        .pop       (done)
    );


    ram #(
        .WIDTH(WORD_W),
        .DEPTH(CONST_WORDS)
    ) u_ram (
        .clk    (clk),
        .write  (write),
        .rd_en  (fetch),
        .rd_addr(fetch_q[CONST_ADDR_W-1:0]),
        .rd_data(word)
    );

    generate
        if (CONST_PER_BLOCK == 1) begin : gen_one
            always @(posedge clk) if (arriving_q) next_q <= word;
        end else begin : gen_several
            always @(posedge clk) if (arriving_q) next_q <= {word, next_q[CONST_PER_BLOCK*WORD_W-1:WORD_W]};
        end
    endgenerate

    always @(posedge clk) if (take) block <= next_q[CONST_BLOCK_W-1:0];

    always @(posedge clk) begin
        if (rst) begin
            fetch_q      <= {CONST_COUNT_W{1'b0}};
            layer_q      <= {CONST_COUNT_W{1'b0}};
            next_layer_q <= {CONST_COUNT_W{1'b0}};
            released   <= {CONST_COUNT_W{1'b0}};
            fetched_q    <= {FETCH_W{1'b0}};
            all_q        <= 1'b0;
            arriving_q   <= 1'b0;
            ready      <= 1'b0;
        end else begin
            arriving_q <= fetch;
            if (fetch) begin
                fetch_q   <= fetch_q + 1'b1;
                fetched_q <= fetched_q + 1'b1;
                all_q     <= fetched_q == CONST_PER_BLOCK[FETCH_W-1:0] - 1'b1;
            end
            if (take) ready <= 1'b0;
            if (done) begin
                fetched_q  <= {FETCH_W{1'b0}};
                all_q      <= 1'b0;
                if (new_block) ready <= 1'b1;
                if (new_block && last_pass) released <= fetch_q;
                if (new_block && last_block) begin
                    {next_layer_q, fetch_q} <= {fetch_q, layer_q};
                end
                if (layer_end) begin
                    {fetch_q, layer_q, released} <= {3{after_layer}};
                end
            end
        end
    end

    wire unused = &{1'b0, next_q, mark};

endmodule

`default_nettype wire
