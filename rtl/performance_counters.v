// performance_counters: what the cycles of a layer went into.
//
// Counting begins with the first beat accepted on an input stream, or behind the last result of the layer before if
// another was queued by then; it ends with the layer's last accepted result beat. Both ends count.
// Every cycle is exactly one of active, stall_act, stall_wgt, stall_out, idle.
// Does not: keep more than the last layer's figures.

`default_nettype none

module performance_counters (
    input  wire        clk,
    input  wire        rst,

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

    output reg  [31:0] cycles,
    output reg  [31:0] cycles_active,
    output reg  [31:0] cycles_stall_act,
    output reg  [31:0] cycles_stall_wgt,
    output reg  [31:0] cycles_stall_out,
    output reg  [31:0] cycles_idle
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

    wire input_beat = (act_beat && act_layers != ended_q) || (wgt_beat && wgt_layers != ended_q);
    wire count = running_q || input_beat;
    wire idle = !(active || stall_act || stall_wgt || stall_out);

    wire [31:0] cycles_d = cycles_q + {31'd0, count};
    wire [31:0] active_d = active_q + {31'd0, count && active};
    wire [31:0] stall_act_d = stall_act_q + {31'd0, count && stall_act};
    wire [31:0] stall_wgt_d = stall_wgt_q + {31'd0, count && stall_wgt};
    wire [31:0] stall_out_d = stall_out_q + {31'd0, count && stall_out};
    wire [31:0] idle_d = idle_q + {31'd0, count && idle};

    always @(posedge clk) begin
        if (rst) begin
            running_q        <= 1'b0;
            ended_q          <= 2'd0;
            cycles           <= 32'd0;
            cycles_active    <= 32'd0;
            cycles_stall_act <= 32'd0;
            cycles_stall_wgt <= 32'd0;
            cycles_stall_out <= 32'd0;
            cycles_idle      <= 32'd0;
        end else if (layer_end) begin
            running_q        <= more_queued;
            ended_q          <= ended_q + 2'd1;
            cycles           <= cycles_d;
            cycles_active    <= active_d;
            cycles_stall_act <= stall_act_d;
            cycles_stall_wgt <= stall_wgt_d;
            cycles_stall_out <= stall_out_d;
            cycles_idle      <= idle_d;
        end else if (input_beat) begin
            running_q <= 1'b1;
        end

        if (rst || layer_end) begin
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

endmodule

`default_nettype wire
