// performance_counters: what the cycles of a layer went into, of the 16 layers that finished last.
//
// Counting begins with the first beat accepted on an input stream, or behind the last result of the layer before if
// another was queued by then; it ends with the layer's last accepted result beat. Both ends count.
// Every cycle is exactly one of active, stall_act, stall_wgt, stall_out, idle.
// A layer's figures are kept under its number modulo 16; one that has not finished since the reset reads as zeros.
// Does not: forget finished layers when the core halts.

`default_nettype none

module performance_counters (
    input  wire        clk,
    input  wire        rst,
    input  wire        halted,

    input  wire        act_beat,     // an input stream accepts a beat
    input  wire        wgt_beat,
    input  wire [ 1:0] act_layers,   // layers that it has begun, modulo 4
    input  wire [ 1:0] wgt_layers,
    input  wire        layer_end,    // the layer's last result beat is accepted
    input  wire        more_queued,  // another layer was started before this one ended

    input  wire        active,
    input  wire        stall_act,
    input  wire        stall_wgt,
    input  wire        stall_out,

    input  wire [ 3:0] layer,        // number of the layer at hand
    input  wire [ 3:0] read_layer,   // whose figure is read
    input  wire [ 2:0] read_index,   // which: 0 cycles, 1 active, 2 stall_act, 3 stall_wgt, 4 stall_out, 5 idle
    output reg  [31:0] figure
);

    reg        running_q;
    reg [31:0] cycles_q;
    reg [31:0] active_q;
    reg [31:0] stall_act_q;
    reg [31:0] stall_wgt_q;
    reg [31:0] stall_out_q;
    reg [31:0] idle_q;

    // A layer may end before the last of its input has come: what no window uses. Such beats begin nothing.
    reg [1:0] ended_q;  // layers, modulo 4

    // Everything is looked at one cycle late, to stay out of the others' way.
    reg       act_beat_q;
    reg       wgt_beat_q;
    reg [1:0] act_layers_q;
    reg [1:0] wgt_layers_q;
    reg       layer_end_q;
    reg       more_queued_q;
    reg [3:0] layer_q;
    reg       step_q;
    reg       no_act_q;
    reg       no_wgt_q;
    reg       no_room_q;

    always @(posedge clk) begin
        act_beat_q    <= act_beat && !rst && !halted;
        wgt_beat_q    <= wgt_beat && !rst && !halted;
        layer_end_q   <= layer_end && !rst;
        act_layers_q  <= act_layers;
        wgt_layers_q  <= wgt_layers;
        more_queued_q <= more_queued;
        layer_q       <= layer;
        step_q        <= active;
        no_act_q      <= stall_act;
        no_wgt_q      <= stall_wgt;
        no_room_q     <= stall_out;
    end

    wire input_beat = (act_beat_q && act_layers_q != ended_q) || (wgt_beat_q && wgt_layers_q != ended_q);
    wire count = running_q || input_beat;
    wire idle = !(step_q || no_act_q || no_wgt_q || no_room_q);

    wire [31:0] cycles_d = cycles_q + {31'd0, count};
    wire [31:0] active_d = active_q + {31'd0, count && step_q};
    wire [31:0] stall_act_d = stall_act_q + {31'd0, count && no_act_q};
    wire [31:0] stall_wgt_d = stall_wgt_q + {31'd0, count && no_wgt_q};
    wire [31:0] stall_out_d = stall_out_q + {31'd0, count && no_room_q};
    wire [31:0] idle_d = idle_q + {31'd0, count && idle};

    always @(posedge clk) begin
        if (rst || halted) begin
            running_q <= 1'b0;
            ended_q   <= 2'd0;
        end else if (layer_end_q) begin
            running_q <= more_queued_q;
            ended_q   <= ended_q + 2'd1;
        end else if (input_beat) begin
            running_q <= 1'b1;
        end

        if (rst || halted || layer_end_q) begin
            cycles_q    <= 32'd0;
            active_q    <= 32'd0;
            stall_act_q <= 32'd0;
            stall_wgt_q <= 32'd0;
            stall_out_q <= 32'd0;
            idle_q      <= 32'd0;
        end else begin
            cycles_q    <= cycles_d;
            active_q    <= active_d;
            stall_act_q <= stall_act_d;
            stall_wgt_q <= stall_wgt_d;
            stall_out_q <= stall_out_d;
            idle_q      <= idle_d;
        end
    end

    // Finished layers; so few words that an FPGA keeps them in its logic cells, which can be read at once.
    reg [191:0] finished[0:15];
    reg [ 15:0] known_q;

    wire [191:0] figures = finished[read_layer];

    always @(*) begin
        case (read_index)
            3'd0: figure = figures[31:0];
            3'd1: figure = figures[63:32];
            3'd2: figure = figures[95:64];
            3'd3: figure = figures[127:96];
            3'd4: figure = figures[159:128];
            default: figure = figures[191:160];
        endcase
        if (!known_q[read_layer]) figure = 32'd0;
    end

    always @(posedge clk) begin
        if (layer_end_q) finished[layer_q] <= {idle_d, stall_out_d, stall_wgt_d, stall_act_d, active_d, cycles_d};
    end

    always @(posedge clk) begin
        if (rst) known_q <= 16'd0;
        else if (layer_end_q) known_q[layer_q] <= 1'b1;
    end

endmodule

`default_nettype wire
