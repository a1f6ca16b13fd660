// ${name}: a convolution core behind the pins that the bench knows. Parameters and ports stay, used or not; the
// parameters say how the bench is built (core.toml).
//
// Activations and weights come in, results go out, each by AXI4-Stream: what is in the packets, driver.py says.

`default_nettype none

module ${name} #(
    parameter LANES_IN         = 4,
    parameter LANES_OUT        = 4,
    parameter ACT_BYTES        = 65536,
    parameter WGT_WORDS        = 4096,
    parameter CONST_WORDS      = 1024,
    parameter OUT_BYTES        = 16384,
    parameter REQUANT_LANES    = 2,
    parameter FLOAT_RULE       = 1,
    parameter RESULT_QUEUE     = 16,
    parameter ACT_STREAM_BYTES = 1,
    parameter WGT_STREAM_BYTES = 1,
    parameter OUT_STREAM_BYTES = 4
) (
    input  wire        clk,
    input  wire        rst,

    input  wire [ 7:0] s_axil_awaddr,
    input  wire [ 2:0] s_axil_awprot,
    input  wire        s_axil_awvalid,
    output wire        s_axil_awready,
    input  wire [31:0] s_axil_wdata,
    input  wire [ 3:0] s_axil_wstrb,
    input  wire        s_axil_wvalid,
    output wire        s_axil_wready,
    output wire [ 1:0] s_axil_bresp,
    output wire        s_axil_bvalid,
    input  wire        s_axil_bready,
    input  wire [ 7:0] s_axil_araddr,
    input  wire [ 2:0] s_axil_arprot,
    input  wire        s_axil_arvalid,
    output wire        s_axil_arready,
    output wire [31:0] s_axil_rdata,
    output wire [ 1:0] s_axil_rresp,
    output wire        s_axil_rvalid,
    input  wire        s_axil_rready,
    output wire        irq,

    input  wire [ 7:0] s_axis_act_tdata,
    input  wire        s_axis_act_tkeep,
    input  wire        s_axis_act_tlast,
    input  wire        s_axis_act_tvalid,
    output wire        s_axis_act_tready,

    input  wire [ 7:0] s_axis_wgt_tdata,
    input  wire        s_axis_wgt_tkeep,
    input  wire        s_axis_wgt_tlast,
    input  wire        s_axis_wgt_tvalid,
    output wire        s_axis_wgt_tready,

    output wire [31:0] m_axis_out_tdata,
    output wire [ 3:0] m_axis_out_tkeep,
    output wire        m_axis_out_tlast,
    output wire        m_axis_out_tvalid,
    input  wire        m_axis_out_tready
);

    // No registers: nothing on this port ever answers. A core that has some answers here, and its driver asks.
    assign {s_axil_awready, s_axil_wready, s_axil_bresp, s_axil_bvalid} = 5'd0;
    assign {s_axil_arready, s_axil_rdata, s_axil_rresp, s_axil_rvalid} = 36'd0;
    assign irq = 1'b0;

    // Your core goes here. Until then it takes nothing and gives nothing.
    assign s_axis_act_tready = 1'b0;
    assign s_axis_wgt_tready = 1'b0;
    assign m_axis_out_tvalid = 1'b0;
    assign m_axis_out_tdata  = 32'd0;
    assign m_axis_out_tkeep  = 4'b1111;
    assign m_axis_out_tlast  = 1'b0;

endmodule

`default_nettype wire
