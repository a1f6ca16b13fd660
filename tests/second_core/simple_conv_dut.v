// simple_conv_dut: simple_conv behind the pins that the bench knows, those of conv_core. Its shapes come as macros.
//
// Does not: have an AXI4-Lite port; nothing there ever answers. tests/second_core/driver.py knows that.

`default_nettype none

module simple_conv_dut #(
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

    assign {s_axil_awready, s_axil_wready, s_axil_bresp, s_axil_bvalid} = 5'd0;
    assign {s_axil_arready, s_axil_rdata, s_axil_rresp, s_axil_rvalid} = 36'd0;
    assign irq = 1'b0;
    assign m_axis_out_tkeep = 4'b1111;

    simple_conv #(
        .H   (`SIMPLE_H),
        .W   (`SIMPLE_W),
        .CIN (`SIMPLE_CIN),
        .COUT(`SIMPLE_COUT),
        .K   (`SIMPLE_K),
        .PAD (`SIMPLE_PAD)
    ) u_simple_conv (
        .clk         (clk),
        .rst         (rst),
        .weight      (s_axis_wgt_tdata),
        .weight_valid(s_axis_wgt_tvalid),
        .weight_ready(s_axis_wgt_tready),
        .pixel       (s_axis_act_tdata),
        .pixel_valid (s_axis_act_tvalid),
        .pixel_ready (s_axis_act_tready),
        .result      (m_axis_out_tdata),
        .result_valid(m_axis_out_tvalid),
        .result_last (m_axis_out_tlast),
        .result_ready(m_axis_out_tready)
    );

endmodule

`default_nettype wire
