// observed_core: conv_core, and a file of what it does, cycle by cycle, for the page of `make explain`.
//
// With +observe=FILE it writes, from the first accepted beat on, a line a cycle: the bits below, the highest first. A
// step's line goes on with its lanes and its weight word, and a multiplied step gives a line of accumulators, some
// cycles later: `a` and LANES_OUT sums of 32 bits in hexadecimal, lane 0 lowest.
// Does not: change the core, nor anything between it and its pins. It is for simulation only.

`default_nettype none

module observed_core #(
    `include "parameters.vh"
) (
    input  wire                          clk,
    input  wire                          rst,  // synchronous, active high; seen two cycles later

    input  wire [                   7:0] s_axil_awaddr,
    input  wire [                   2:0] s_axil_awprot,
    input  wire                          s_axil_awvalid,
    output wire                          s_axil_awready,
    input  wire [                  31:0] s_axil_wdata,
    input  wire [                   3:0] s_axil_wstrb,
    input  wire                          s_axil_wvalid,
    output wire                          s_axil_wready,
    output wire [                   1:0] s_axil_bresp,
    output wire                          s_axil_bvalid,
    input  wire                          s_axil_bready,
    input  wire [                   7:0] s_axil_araddr,
    input  wire [                   2:0] s_axil_arprot,
    input  wire                          s_axil_arvalid,
    output wire                          s_axil_arready,
    output wire [                  31:0] s_axil_rdata,
    output wire [                   1:0] s_axil_rresp,
    output wire                          s_axil_rvalid,
    input  wire                          s_axil_rready,

    output wire                          irq,

    input  wire [8*ACT_STREAM_BYTES-1:0] s_axis_act_tdata,
    input  wire [  ACT_STREAM_BYTES-1:0] s_axis_act_tkeep,
    input  wire                          s_axis_act_tlast,
    input  wire                          s_axis_act_tvalid,
    output wire                          s_axis_act_tready,

    input  wire [8*WGT_STREAM_BYTES-1:0] s_axis_wgt_tdata,
    input  wire [  WGT_STREAM_BYTES-1:0] s_axis_wgt_tkeep,
    input  wire                          s_axis_wgt_tlast,
    input  wire                          s_axis_wgt_tvalid,
    output wire                          s_axis_wgt_tready,

    output wire [8*OUT_STREAM_BYTES-1:0] m_axis_out_tdata,
    output wire [  OUT_STREAM_BYTES-1:0] m_axis_out_tkeep,
    output wire                          m_axis_out_tlast,
    output wire                          m_axis_out_tvalid,
    input  wire                          m_axis_out_tready
);

    localparam ADDED = 1 + $clog2(LANES_IN);  // the stage of mac_array.v whose sums are added next

    `include "step.vh"

    conv_core #(
        `include "same_parameters.vh"
    ) u_core (
        .clk              (clk),
        .rst              (rst),
        .s_axil_awaddr    (s_axil_awaddr),
        .s_axil_awprot    (s_axil_awprot),
        .s_axil_awvalid   (s_axil_awvalid),
        .s_axil_awready   (s_axil_awready),
        .s_axil_wdata     (s_axil_wdata),
        .s_axil_wstrb     (s_axil_wstrb),
        .s_axil_wvalid    (s_axil_wvalid),
        .s_axil_wready    (s_axil_wready),
        .s_axil_bresp     (s_axil_bresp),
        .s_axil_bvalid    (s_axil_bvalid),
        .s_axil_bready    (s_axil_bready),
        .s_axil_araddr    (s_axil_araddr),
        .s_axil_arprot    (s_axil_arprot),
        .s_axil_arvalid   (s_axil_arvalid),
        .s_axil_arready   (s_axil_arready),
        .s_axil_rdata     (s_axil_rdata),
        .s_axil_rresp     (s_axil_rresp),
        .s_axil_rvalid    (s_axil_rvalid),
        .s_axil_rready    (s_axil_rready),
        .irq              (irq),
        .s_axis_act_tdata (s_axis_act_tdata),
        .s_axis_act_tkeep (s_axis_act_tkeep),
        .s_axis_act_tlast (s_axis_act_tlast),
        .s_axis_act_tvalid(s_axis_act_tvalid),
        .s_axis_act_tready(s_axis_act_tready),
        .s_axis_wgt_tdata (s_axis_wgt_tdata),
        .s_axis_wgt_tkeep (s_axis_wgt_tkeep),
        .s_axis_wgt_tlast (s_axis_wgt_tlast),
        .s_axis_wgt_tvalid(s_axis_wgt_tvalid),
        .s_axis_wgt_tready(s_axis_wgt_tready),
        .m_axis_out_tdata (m_axis_out_tdata),
        .m_axis_out_tkeep (m_axis_out_tkeep),
        .m_axis_out_tlast (m_axis_out_tlast),
        .m_axis_out_tvalid(m_axis_out_tvalid),
        .m_axis_out_tready(m_axis_out_tready)
    );

    reg [8*1024-1:0] path;
    integer          file;
    reg              begun;
    reg              added_q;
    reg              last_q;

    wire [STEP_W-1:0] step = u_core.u_engine.step;
    wire act = s_axis_act_tvalid && s_axis_act_tready;
    wire wgt = s_axis_wgt_tvalid && s_axis_wgt_tready;
    wire out = m_axis_out_tvalid && m_axis_out_tready;

    initial begin
        file  = 0;
        begun = 1'b0;
        if ($value$plusargs("observe=%s", path)) file = $fopen(path, "w");
    end

    always @(posedge clk) begin
        added_q <= u_core.u_engine.u_datapath.u_mac_array.valid_q[ADDED];
        last_q  <= u_core.u_engine.u_datapath.u_mac_array.last_q[ADDED];
        if (!rst && (act || wgt)) begun <= 1'b1;
        if (file != 0 && !rst && (begun || act || wgt)) begin
            // bits: beats of activations, weights and results; a step, no step for want of activations, weights, room
            $fwrite(file, "c %b%b%b%b%b%b%b", act, wgt, out, u_core.step_valid, u_core.stall_act, u_core.stall_wgt,
                    u_core.stall_out);
            if (u_core.step_valid)
                $fwrite(file, " %b %0d %0d %0d", step[STEP_ANY], step[STEP_FIRST_LANE+:LANE_W],
                        step[STEP_LAST_LANE+:LANE_W], step[STEP_WGT+:WGT_ADDR_W]);
            $fwrite(file, "\n");
            if (added_q)
                $fwrite(file, "a %h\n",
                        last_q ? u_core.u_engine.u_datapath.u_mac_array.result
                               : u_core.u_engine.u_datapath.u_mac_array.acc_q);
        end
    end

endmodule
`default_nettype wire
