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
    parameter LANES_IN  = 16,
    parameter LANES_OUT = 16,
    parameter WORDS     = 1024,  // power of two
    parameter MARKS     = 8,     // power of two: of marks whose vectors wait
    parameter COUNT_W   = 12,    // of words counted on from reset
    parameter BLOCK_W   = 144    // 8 * CONST_BYTES * LANES_OUT
) (
    input  wire                     clk,
    input  wire                     rst,

    // As the weight loader writes them.
    input  wire                     wr_en,
    input  wire [$clog2(WORDS)-1:0] wr_word,
    input  wire [   8*LANES_IN-1:0] wr_data,
    output wire [      COUNT_W-1:0] released,  // words before this one are needed no more

    // A window's mark, when its last step is taken.
    input  wire                     mark_valid,
    input  wire                     mark_last_pass,
    input  wire                     mark_new_block,
    input  wire                     mark_last_block,
    input  wire                     mark_layer_end,

    output wire                     ready,  // the next block's are here
    input  wire                     take,   // only when ready
    output wire [      BLOCK_W-1:0] block   // from the cycle after `take`
);

    `include "constants.vh"

    localparam WORD_W = 8 * LANES_IN;
    localparam ENTRIES = 2 * MARKS;  // the vector at hand has left the queue, and its mark may still wait here
    localparam FETCH_W = $clog2(CONST_PER_BLOCK + 1);

    // Marks that matter, in order.
    wire pending;
    wire last_pass;
    wire new_block;
    wire last_block;
    wire layer_end;


    // The words of a block are read one after the other; a cycle after the last one the mark is done with.
    reg [CONST_PER_BLOCK*WORD_W-1:0] next_q;
    reg [BLOCK_W-1:0]                block_q;
    reg [COUNT_W-1:0]                fetch_q;       // next word
    reg [COUNT_W-1:0]                layer_q;       // the layer's first word
    reg [COUNT_W-1:0]                next_layer_q;  // the next layer's
    reg [COUNT_W-1:0]                released_q;
    reg [FETCH_W-1:0]                fetched_q;
    reg                              all_q;         // a block's words have been read
    reg                              arriving_q;
    reg                              ready_q;

    wire [WORD_W-1:0] word;
    wire fetch = pending && new_block && !all_q && !ready_q;
    wire done = pending && (!new_block || all_q);
    wire [COUNT_W-1:0] after_layer = new_block && last_block ? fetch_q : next_layer_q;

    fifo #(
        .WIDTH(4),
        .DEPTH(ENTRIES)
    ) u_marks (
        .clk       (clk),
        .rst       (rst),
        .push      (mark_valid && (mark_new_block || mark_layer_end)),
        .push_data ({mark_last_pass, mark_new_block, mark_last_block, mark_layer_end}),
        .head_valid(pending),
        .head      ({last_pass, new_block, last_block, layer_end}),
        .pop       (done)
    );

    assign released = released_q;
    assign ready    = ready_q;
    assign block    = block_q;

    ram #(
        .WIDTH(WORD_W),
        .DEPTH(WORDS)
    ) u_ram (
        .clk    (clk),
        .wr_en  (wr_en),
        .wr_addr(wr_word),
        .wr_data(wr_data),
        .rd_en  (fetch),
        .rd_addr(fetch_q[$clog2(WORDS)-1:0]),
        .rd_data(word)
    );

    generate
        if (CONST_PER_BLOCK == 1) begin : gen_one
            always @(posedge clk) if (arriving_q) next_q <= word;
        end else begin : gen_several
            always @(posedge clk) if (arriving_q) next_q <= {word, next_q[CONST_PER_BLOCK*WORD_W-1:WORD_W]};
        end
    endgenerate

    always @(posedge clk) if (take) block_q <= next_q[BLOCK_W-1:0];

    always @(posedge clk) begin
        if (rst) begin
            fetch_q      <= {COUNT_W{1'b0}};
            layer_q      <= {COUNT_W{1'b0}};
            next_layer_q <= {COUNT_W{1'b0}};
            released_q   <= {COUNT_W{1'b0}};
            fetched_q    <= {FETCH_W{1'b0}};
            all_q        <= 1'b0;
            arriving_q   <= 1'b0;
            ready_q      <= 1'b0;
        end else begin
            arriving_q <= fetch;
            if (fetch) begin
                fetch_q   <= fetch_q + 1'b1;
                fetched_q <= fetched_q + 1'b1;
                all_q     <= fetched_q == CONST_PER_BLOCK[FETCH_W-1:0] - 1'b1;
            end
            if (take) ready_q <= 1'b0;
            if (done) begin
                fetched_q  <= {FETCH_W{1'b0}};
                all_q      <= 1'b0;
                if (new_block) ready_q <= 1'b1;
                if (new_block && last_pass) released_q <= fetch_q;
                if (new_block && last_block) begin
                    next_layer_q <= fetch_q;
                    fetch_q      <= layer_q;
                end
                if (layer_end) begin
                    fetch_q    <= after_layer;
                    layer_q    <= after_layer;
                    released_q <= after_layer;
                end
            end
        end
    end

    wire unused = &{1'b0, next_q, CONST_BIAS[0], CONST_MULT[0], CONST_SHIFT[0], CONST_ZERO_POINT[0]};

endmodule

`default_nettype wire
