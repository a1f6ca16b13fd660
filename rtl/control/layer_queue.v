// layer_queue: the descriptor registers, and the layers that wait for their set-up.
//
// START copies the registers, a word a cycle, into the queue; they keep their values. The set-up reads the words of the
// oldest layer in any order, and says when it has done with them. After a reset the registers are set to 0, in the same
// way.
// Does not: say that a START was in vain, for want of room or because the core is halted.
//
// Latency: a layer is offered 9 cycles after its START; desc_word is there the cycle after desc_index.

`default_nettype none

module layer_queue (
    input  wire        clk,
    input  wire        rst,
    input  wire        halted,      // forgets what waits, and keeps the registers

    // The registers. Neither write nor read while `copying` is high.
    input  wire [35:0] write,       // {valid, register, data}
    input  wire [ 2:0] rd_index,
    output wire [31:0] rd_data,

    input  wire        start,       // queue what the registers say, if there is room
    output wire        copying,
    output wire        full,
    input  wire        layer_end,   // a layer has finished
    output reg  [ 3:0] layers,      // queued or running
    output wire        more,        // than one

    output wire        desc_valid,
    input  wire        desc_ready,  // done with
    input  wire [ 2:0] desc_index,
    output reg  [31:0] desc_word
);

    localparam SLOTS = 4;  // layers that may wait
    localparam SLOT_W = 2;
    localparam [2:0] LAST_WORD = 3'd7;

    reg [31:0] registers[0:LAST_WORD];

    wire wr_en;
    wire [2:0] wr_index;
    wire [31:0] wr_data;

    assign {wr_en, wr_index, wr_data} = write;

    reg              clearing_q;
    reg              copying_q;
    reg [       2:0] copy_q;     // the word that is copied
    reg [SLOT_W-1:0] wr_slot_q;
    reg [SLOT_W-1:0] rd_slot_q;
    reg [  SLOT_W:0] waiting_q;  // the one that is being copied included

    wire started = start && !full;
    wire taken = desc_valid && desc_ready;
    wire only_copied = copying_q && waiting_q == {{SLOT_W{1'b0}}, 1'b1};

    assign rd_data    = registers[copying_q ? copy_q : rd_index];
    assign copying    = copying_q || clearing_q;
    assign full       = waiting_q == SLOTS[SLOT_W:0];
    assign more       = layers > 4'd1;
    assign desc_valid = waiting_q != {SLOT_W + 1{1'b0}} && !only_copied;

    // A word is read only after it has been written, so there is nothing to bypass.
    (* no_rw_check, ram_style = "block" *)
    reg [31:0] words[0:SLOTS*(LAST_WORD+1)-1];

    always @(posedge clk) begin
        if (copying_q) words[{wr_slot_q, copy_q}] <= rd_data;
        desc_word <= words[{rd_slot_q, desc_index}];
    end

    always @(posedge clk) begin
        if (wr_en || clearing_q) registers[clearing_q?copy_q : wr_index] <= clearing_q ? 32'd0 : wr_data;
    end

    always @(posedge clk) begin
        if (rst || halted) begin
            clearing_q <= rst;
            copying_q  <= 1'b0;
            copy_q     <= 3'd0;
            wr_slot_q  <= {SLOT_W{1'b0}};
            rd_slot_q  <= {SLOT_W{1'b0}};
            waiting_q  <= {SLOT_W + 1{1'b0}};
            layers     <= 4'd0;
        end else begin
            if (started) copying_q <= 1'b1;
            else if (copy_q == LAST_WORD) copying_q <= 1'b0;
            if (copy_q == LAST_WORD) clearing_q <= 1'b0;
            copy_q <= copy_q + {2'd0, copying};
            if (copying_q && copy_q == LAST_WORD) wr_slot_q <= wr_slot_q + 1'b1;
            if (taken) rd_slot_q <= rd_slot_q + 1'b1;
            waiting_q <= waiting_q + {{SLOT_W{1'b0}}, started} - {{SLOT_W{1'b0}}, taken};
            layers    <= layers + {3'd0, started} - {3'd0, layer_end};
        end
    end

endmodule

`default_nettype wire
