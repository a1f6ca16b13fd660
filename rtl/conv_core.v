// conv_core: a convolution engine with AXI4-Stream activations, weights and results, and AXI4-Lite control.
//
//   s_axil --> registers --> layer_queue --> layer_setup
//                  |                              | numbers of each layer
//      halt, performance_counters                 v
//   s_axis_act --> input_stream ---------------> +--------+
//                                                | engine | --> output_stream --> m_axis_out
//   s_axis_wgt --> input_stream ---------------> +--------+
//
// This module is wiring only. What travels on the streams and what the registers mean is in
// docs/driving-the-core.md; its parameters are in rtl/common/parameters.vh.
//
// Throughput: LANES_IN * LANES_OUT multiply-accumulates a cycle, none of them on taps outside the image.

`default_nettype none

module conv_core #(
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

    conv_core_check #(
        `include "same_parameters.vh"
    ) u_check ();

    wire [35:0] desc_write;
    wire [2:0] desc_read;
    wire [31:0] desc_data;
    wire start;
    wire copying;
    wire queue_full;
    wire [3:0] layers;
    wire [1:0] resume;
    wire halting;
    wire halted;
    wire leaving;
    wire forced;
    wire [15:0] error;
    wire [1:0] closed;  // 0 activations, 1 weights
    wire [1:0] packet_open;
    wire [1:0] beat;
    wire desc_valid;
    wire desc_ready;
    wire [2:0] desc_index;
    wire [31:0] desc_word;
    wire [16:0] setup_error;
    wire [2:0] act_error;
    wire [2:0] wgt_error;
    wire closing;
    wire more_queued;
    wire [3:0] layer;
    wire [6:0] figure_read;
    wire storing;
    wire stored;
    wire [31:0] figure;
    wire [3:0] layer_valid;  // for 0 activations, 1 weights, 2 walk, 3 finisher and reader
    wire [3:0] layer_ready;
    wire [3:0] layer_taken = layer_valid & layer_ready;  // the walk looks at these itself
    wire [38:0] numbers;
    wire [15:0] frames;
    wire [9*LANES_IN:0] act_word;
    wire act_valid;
    wire act_ready;
    wire [9*LANES_IN:0] wgt_word;
    wire wgt_valid;
    wire wgt_ready;
    wire step_valid;
    wire stall_act;
    wire stall_wgt;
    wire stall_out;
    wire [9*LANES_OUT+1:0] out_word;
    wire out_valid;
    wire out_ready;
    wire layer_end;

    // Every pin ends in a register: the reset's is this. The core is in reset when it starts.
    reg rst_q;

    initial rst_q = 1'b1;

    always @(posedge clk) rst_q <= rst;

    // Halted, the core swallows what is still sent to it.
    wire core_rst = rst_q || halted;

    registers #(
        `include "same_parameters.vh"
    ) u_registers (
        .clk           (clk),
        .rst           (rst_q),
        .s_axil_awaddr (s_axil_awaddr),
        .s_axil_awprot (s_axil_awprot),
        .s_axil_awvalid(s_axil_awvalid),
        .s_axil_awready(s_axil_awready),
        .s_axil_wdata  (s_axil_wdata),
        .s_axil_wstrb  (s_axil_wstrb),
        .s_axil_wvalid (s_axil_wvalid),
        .s_axil_wready (s_axil_wready),
        .s_axil_bresp  (s_axil_bresp),
        .s_axil_bvalid (s_axil_bvalid),
        .s_axil_bready (s_axil_bready),
        .s_axil_araddr (s_axil_araddr),
        .s_axil_arprot (s_axil_arprot),
        .s_axil_arvalid(s_axil_arvalid),
        .s_axil_arready(s_axil_arready),
        .s_axil_rdata  (s_axil_rdata),
        .s_axil_rresp  (s_axil_rresp),
        .s_axil_rvalid (s_axil_rvalid),
        .s_axil_rready (s_axil_rready),
        .irq           (irq),
        .desc_write    (desc_write),
        .desc_read     (desc_read),
        .desc_data     (desc_data),
        .start         (start),
        .copying       (copying),
        .queue_full    (queue_full),
        .layers        (layers),
        .resume        (resume),
        .halting       (halting),
        .halted        (halted),
        .waits_for     ({closing, packet_open} & {3{halted}}),
        .error         (error),
        .layer_end     (layer_end),
        .layer         (layer),
        .figure_read   (figure_read),
        .storing       (storing),
        .figure        (figure)
    );

    layer_queue u_layer_queue (
        .clk       (clk),
        .rst       (rst_q),
        .halted    (halted),
        .write     (desc_write),
        .rd_index  (desc_read),
        .rd_data   (desc_data),
        .start     (start),
        .copying   (copying),
        .full      (queue_full),
        .layer_end (layer_end),
        .layers    (layers),
        .more      (more_queued),
        .desc_valid(desc_valid),
        .desc_ready(desc_ready),
        .desc_index(desc_index),
        .desc_word (desc_word)
    );

    halt u_halt (
        .clk          (clk),
        .rst          (rst_q),
        .setup_error  (setup_error),
        .act_error    (act_error),
        .wgt_error    (wgt_error),
        .queue_overrun(start && queue_full),
        .resume       (resume),
        .results_open (closing),
        .closed       (closed),
        .halting      (halting),
        .halted       (halted),
        .leaving      (leaving),
        .forced       (forced),
        .error        (error)
    );

    layer_setup #(
        `include "same_parameters.vh"
    ) u_layer_setup (
        .clk        (clk),
        .rst        (core_rst),
        .desc_valid (desc_valid),
        .desc_ready (desc_ready),
        .desc_index (desc_index),
        .desc_word  (desc_word),
        .error      (setup_error),
        .numbers    (numbers),
        .layer_valid(layer_valid),
        .layer_ready(layer_ready)
    );

    input_stream #(
        .BEAT_BYTES(ACT_STREAM_BYTES),
        .RATIO     (LANES_IN / ACT_STREAM_BYTES)
    ) u_act_stream (
        .clk      (clk),
        .rst      (rst_q),
        .open     (layer_taken[0]),
        .packets  (frames),
        .halted   (halted),
        .leaving  (leaving),
        .forced   (forced),
        .closed   (closed[0]),
        .in_packet(packet_open[0]),
        .beat     (beat[0]),
        .s_data   (s_axis_act_tdata),
        .s_keep   (s_axis_act_tkeep),
        .s_last   (s_axis_act_tlast),
        .s_valid  (s_axis_act_tvalid),
        .s_ready  (s_axis_act_tready),
        .m_word   (act_word),
        .m_valid  (act_valid),
        .m_ready  (act_ready)
    );

    input_stream #(
        .BEAT_BYTES(WGT_STREAM_BYTES),
        .RATIO     (LANES_IN / WGT_STREAM_BYTES)
    ) u_wgt_stream (
        .clk      (clk),
        .rst      (rst_q),
        .open     (layer_taken[1]),
        .packets  (16'd1),
        .halted   (halted),
        .leaving  (leaving),
        .forced   (forced),
        .closed   (closed[1]),
        .in_packet(packet_open[1]),
        .beat     (beat[1]),
        .s_data   (s_axis_wgt_tdata),
        .s_keep   (s_axis_wgt_tkeep),
        .s_last   (s_axis_wgt_tlast),
        .s_valid  (s_axis_wgt_tvalid),
        .s_ready  (s_axis_wgt_tready),
        .m_word   (wgt_word),
        .m_valid  (wgt_valid),
        .m_ready  (wgt_ready)
    );

    engine #(
        `include "same_parameters.vh"
    ) u_engine (
        .clk        (clk),
        .rst        (core_rst),
        .numbers    (numbers),
        .layer_valid(layer_valid),
        .layer_ready(layer_ready),
        .frames     (frames),
        .act_word   (act_word),
        .act_valid  (act_valid),
        .act_ready  (act_ready),
        .act_error  (act_error),
        .wgt_word   (wgt_word),
        .wgt_valid  (wgt_valid),
        .wgt_ready  (wgt_ready),
        .wgt_error  (wgt_error),
        .out_word   (out_word),
        .out_valid  (out_valid),
        .out_ready  (out_ready),
        .step_valid (step_valid),
        .stalls     ({stall_out, stall_wgt, stall_act})
    );

    output_stream #(
        .BEAT_BYTES(OUT_STREAM_BYTES),
        .RATIO     (LANES_OUT / OUT_STREAM_BYTES)
    ) u_out_stream (
        .clk      (clk),
        .rst      (rst_q),
        .halted   (halted),
        .closing  (closing),
        .layer_end(layer_end),
        .stored   (stored),
        .s_word   (out_word),
        .s_valid  (out_valid),
        .s_ready  (out_ready),
        .m_data   (m_axis_out_tdata),
        .m_keep   (m_axis_out_tkeep),
        .m_last   (m_axis_out_tlast),
        .m_valid  (m_axis_out_tvalid),
        .m_ready  (m_axis_out_tready)
    );

    performance_counters u_performance_counters (
        .clk        (clk),
        .rst        (rst_q),
        .halted     (halted),
        .opens      (layer_taken[1:0]),
        .beat       (beat),
        .layer_end  (layer_end),
        .more_queued(more_queued),
        .active     (step_valid),
        .stalls     ({stall_out, stall_wgt, stall_act}),
        .layer      (layer),
        .storing    (storing),
        .stored     (stored),
        .read       (figure_read),
        .figure     (figure)
    );

    wire unused = &{1'b0, layer_taken};

endmodule

`default_nettype wire
