// performance_counters: what the cycles of a layer went into, of the 16 layers that finished last.
//
// Counting begins with the layer's first beat that is accepted on an input stream, or after the last result of the
// layer before if this one was queued by then; it ends with the layer's last accepted result beat. Both ends count.
// Every cycle is exactly one of active, stall_act, stall_wgt, stall_out, idle, so one adder serves them all: the counts
// are words of a small memory, of which there are two banks. When a layer ends, the other bank counts on, and those of
// the layer are moved, with their sum, to the memory of finished layers. That must be over before the next layer ends:
// output_stream holds its results back until `stored`. A layer's figures are kept under its number modulo 16; one that
// has not finished since the reset reads as zeros.
// Does not: forget finished layers when the core halts.
//
// Latency: a figure is there the cycle after it is asked for; a layer's are stored 7 cycles after layer_end.

`default_nettype none

module performance_counters (
    input  wire        clk,
    input  wire        rst,
    input  wire        halted,

    input  wire [ 1:0] opens,        // an input stream opens for a layer
    input  wire [ 1:0] beat,         // it accepted a beat, a cycle ago
    input  wire        layer_end,    // the layer's last result beat was accepted, a cycle ago
    input  wire        more_queued,  // another layer was started before this one ended

    input  wire        active,       // a step is taken
    input  wire [ 2:0] stalls,       // one waits: {for a result's place, for weights, for activations}

    input  wire [ 3:0] layer,        // number of the layer at hand
    output wire        storing,
    output wire        stored,       // one cycle
    // While not `storing`. Figures: 0 cycles, 1 active, 2 stall_act, 3 stall_wgt, 4 stall_out, 5 idle.
    input  wire [ 6:0] read,         // {layer, figure}
    output wire [31:0] figure
);

    localparam [2:0] CYCLES = 3'd0;
    localparam [2:0] ACTIVE = 3'd1;
    localparam [2:0] STALL_ACT = 3'd2;
    localparam [2:0] STALL_WGT = 3'd3;
    localparam [2:0] STALL_OUT = 3'd4;
    localparam [2:0] IDLE = 3'd5;
    localparam [2:0] TOTAL = 3'd6;  // the step after IDLE stores the sum

    // A layer may end before the first of its input has come: what no window uses. Beats of layers that have ended
    // begin nothing. An input stream opens for a layer at most once before the layer before has been taken by all, so
    // it is at most one behind the layers that have ended, and three ahead.
    reg  [2:0] act_opened_q;
    reg  [2:0] wgt_opened_q;
    reg  [2:0] ended_q;
    reg        running_q;
    wire [2:0] act_ahead = act_opened_q - ended_q;
    wire [2:0] wgt_ahead = wgt_opened_q - ended_q;
    wire       act_beat = beat[0] && act_ahead != 3'd0 && !act_ahead[2];
    wire       wgt_beat = beat[1] && wgt_ahead != 3'd0 && !wgt_ahead[2];
    wire       count = running_q || act_beat || wgt_beat;

    always @(posedge clk) begin
        if (rst || halted) begin
            running_q    <= 1'b0;
            act_opened_q <= 3'd0;
            wgt_opened_q <= 3'd0;
            ended_q      <= 3'd0;
        end else begin
            running_q    <= layer_end ? more_queued : count;
            act_opened_q <= act_opened_q + {2'd0, opens[0]};
            wgt_opened_q <= wgt_opened_q + {2'd0, opens[1]};
            ended_q      <= ended_q + {2'd0, layer_end};
        end
    end

    // The counts, in the order of the register map. Words that have not been counted hold what another layer left.
    reg  [31:0] counts[0:15];
    reg         bank_q;
    reg  [ 7:0] counted_q;
    reg  [ 2:0] cause_q;
    wire [31:0] so_far = counted_q[cause_q] ? counts[{bank_q, cause_q}] : 32'd0;
    wire [ 7:0] counted_d = counted_q | ({7'd0, count} << cause_q);

    wire stall_out;
    wire stall_wgt;
    wire stall_act;

    assign {stall_out, stall_wgt, stall_act} = stalls;

    always @(posedge clk) begin
        if (active) cause_q <= ACTIVE;
        else if (stall_act) cause_q <= STALL_ACT;
        else if (stall_wgt) cause_q <= STALL_WGT;
        else if (stall_out) cause_q <= STALL_OUT;
        else cause_q <= IDLE;
    end

    always @(posedge clk) begin
        if (count) counts[{bank_q, cause_q}] <= so_far + 32'd1;
    end

    // Finished layers.
    reg  [ 2:0] store_q;       // the word that is stored; CYCLES: none
    reg  [ 7:0] stored_q;      // those of the other bank that have been counted
    reg  [ 3:0] stored_layer_q;
    reg  [31:0] sum_q;
    reg  [15:0] known_q;
    reg         read_known_q;
    wire [31:0] found;
    wire [31:0] word = stored_q[store_q] ? counts[{!bank_q, store_q}] : 32'd0;

    assign storing = store_q != CYCLES;
    assign stored  = store_q == TOTAL;
    assign figure  = read_known_q ? found : 32'd0;

    ram #(
        .WIDTH(32),
        .DEPTH(128)
    ) u_finished (
        .clk    (clk),
        .write  ({storing, {stored_layer_q, stored ? CYCLES : store_q}, stored ? sum_q : word}),
        .rd_en  (1'b1),
        .rd_addr(read),
        .rd_data(found)
    );

    always @(posedge clk) begin
        sum_q        <= layer_end ? 32'd0 : sum_q + word;
        read_known_q <= known_q[read[6:3]];
        if (layer_end) begin
            {stored_layer_q, stored_q} <= {layer, counted_d};
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            bank_q    <= 1'b0;
            counted_q <= 8'd0;
            store_q   <= CYCLES;
            known_q   <= 16'd0;
        end else begin
            counted_q <= halted || layer_end ? 8'd0 : counted_d;
            if (layer_end) begin
                bank_q         <= !bank_q;
                store_q        <= ACTIVE;
                known_q[layer] <= 1'b1;
            end else if (storing) begin
                store_q <= stored ? CYCLES : store_q + 3'd1;
            end
        end
    end

endmodule

`default_nettype wire
