// conv_core: a convolution engine with AXI4-Stream activations, weights and results, and AXI4-Lite control.
//
//   s_axil --> registers --> layer_queue --> layer_setup --> (each user keeps the numbers it needs)
//   s_axis_act --> activation_loader --> +----------+
//                                        | datapath | --> finisher --> result_buffer --> result_reader --> m_axis_out
//   s_axis_wgt --> weight_loader ------> +----------+
//                                             ^
//                                        rows --> walk
//
// This module is wiring only. What travels on the streams and what the registers mean is in
// docs/driving-the-core.md.
//
// Throughput: LANES_IN * LANES_OUT multiply-accumulates a cycle, none of them on taps outside the image.

`default_nettype none

module conv_core #(
    parameter LANES_IN         = 16,                // 4, 8, 16, 32: input bytes multiplied each cycle
    parameter LANES_OUT        = 16,                // 4, 8, 16, 32: filters side by side
    parameter ACT_BYTES        = 65536,             // power of two, 4 * LANES_IN to 2^22: activation buffer
    parameter WGT_WORDS        = 16384 / LANES_IN,  // power of two, 16 to 2^20: weight buffer, words a filter
    parameter CONST_WORDS      = 1024,              // power of two, 16 and CONST_PER_BLOCK to 2^20: constants, words
    parameter OUT_BYTES        = 16384,             // power of two, 16 * LANES_OUT to 2^24: result buffer
    parameter REQUANT_LANES    = LANES_OUT / 2,     // LANES_OUT / 4, / 2 or / 1: results requantised each cycle
    parameter FLOAT_RULE       = 1,                 // 0: without the rule `float`; 1: with all
    parameter RESULT_QUEUE     = 16,                // 4, 8, 16, 32: vectors between array and finisher
    parameter ACT_STREAM_BYTES = LANES_IN,          // power of two, 1 to LANES_IN
    parameter WGT_STREAM_BYTES = LANES_IN,          // power of two, 1 to LANES_IN
    parameter OUT_STREAM_BYTES = LANES_OUT          // power of two, 1 to LANES_OUT
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

    // Counts of bytes or words go on from reset to reset. They are a few bits wider than their buffer, so that the
    // difference of two of them says which is ahead: activations by less than eight buffers (gate.v).
    localparam ACT_W = $clog2(ACT_BYTES) + 4;
    localparam WGT_W = 24;
    localparam OUT_W = $clog2(OUT_BYTES) + 2;
    localparam LANE_W = $clog2(LANES_IN);
    localparam ACT_ADDR_W = $clog2(ACT_BYTES);
    localparam WGT_ADDR_W = $clog2(WGT_WORDS);
    localparam STEP_W = 2 * $clog2(LANES_IN) + ACT_W + WGT_ADDR_W + 15;  // step.vh

    localparam CONST_COUNT_W = $clog2(CONST_WORDS) + 2;

    /* verilator lint_off UNUSEDPARAM */  // each unit uses some of these
    `include "layer_numbers.vh"
    `include "constants.vh"
    `include "marks.vh"
    `include "step.vh"
    /* verilator lint_on UNUSEDPARAM */

    conv_core_check #(
        .LANES_IN        (LANES_IN),
        .LANES_OUT       (LANES_OUT),
        .ACT_BYTES       (ACT_BYTES),
        .WGT_WORDS       (WGT_WORDS),
        .CONST_WORDS     (CONST_WORDS),
        .OUT_BYTES       (OUT_BYTES),
        .REQUANT_LANES   (REQUANT_LANES),
        .FLOAT_RULE      (FLOAT_RULE),
        .RESULT_QUEUE    (RESULT_QUEUE),
        .ACT_STREAM_BYTES(ACT_STREAM_BYTES),
        .WGT_STREAM_BYTES(WGT_STREAM_BYTES),
        .OUT_STREAM_BYTES(OUT_STREAM_BYTES),
        .CONST_PER_BLOCK (CONST_PER_BLOCK)
    ) u_check ();

    wire write;
    wire [7:0] write_addr;
    wire [31:0] write_data;
    wire write_whole;
    wire write_done;
    wire write_okay;
    wire read_request;
    wire [7:0] read_addr;
    wire read_done;
    wire read_okay;
    wire [31:0] read_data;
    wire desc_write;
    wire [31:0] desc_data;
    wire start;
    wire copying;
    wire queue_full;
    wire [3:0] layers;
    wire resume;
    wire force_resume;
    wire halting;
    wire leaving;
    wire forced;
    wire [7:0] error_code;
    wire [7:0] error_detail;
    wire [1:0] entry_closed;  // 0 activations, 1 weights
    wire [1:0] packet_open;
    wire [1:0] beat;
    wire desc_valid;
    wire desc_ready;
    wire [2:0] desc_index;
    wire [31:0] desc_word;
    wire setup_error;
    wire [7:0] setup_code;
    wire [7:0] setup_detail;
    wire [2:0] act_error;
    wire [2:0] wgt_error;
    wire halted;
    wire closing;
    wire more_queued;
    wire [3:0] layer;
    wire [3:0] counters_of;
    wire storing;
    wire stored;
    wire [31:0] figure;
    wire [3:0] layer_valid;  // for 0 activations, 1 weights, 2 walk, 3 finisher and reader
    wire [3:0] layer_ready;
    wire [3:0] layer_taken = layer_valid & layer_ready;  // the walk looks at these itself
    wire [38:0] numbers;
    wire [36:0] item;
    wire item_valid;
    wire item_ready;
    wire [15:0] frames;
    wire [8*ACT_STREAM_BYTES-1:0] act_beat_data;
    wire [ACT_STREAM_BYTES-1:0] act_beat_keep;
    wire act_beat_last;
    wire act_beat_valid;
    wire act_beat_ready;
    wire [8*LANES_IN-1:0] act_data;
    wire [LANES_IN-1:0] act_keep;
    wire act_last;
    wire act_valid;
    wire act_ready;
    wire act_wr_en;
    wire [$clog2(ACT_BYTES)-$clog2(LANES_IN)-1:0] act_wr_word;
    wire [8*LANES_IN-1:0] act_wr_data;
    wire [ACT_W-$clog2(LANES_IN)-1:0] act_written;
    wire [ACT_W-$clog2(LANES_IN)-1:0] act_released;
    wire [8*WGT_STREAM_BYTES-1:0] wgt_beat_data;
    wire [WGT_STREAM_BYTES-1:0] wgt_beat_keep;
    wire wgt_beat_last;
    wire wgt_beat_valid;
    wire wgt_beat_ready;
    wire [8*LANES_IN-1:0] wgt_data;
    wire [LANES_IN-1:0] wgt_keep;
    wire wgt_last;
    wire wgt_valid;
    wire wgt_ready;
    wire const_wr_en;
    wire [$clog2(CONST_WORDS)-1:0] const_wr_word;
    wire [LANES_OUT-1:0] wgt_wr_lane;
    wire [$clog2(WGT_WORDS)-1:0] wgt_wr_word;
    wire [8*LANES_IN-1:0] const_wr_data;
    wire [9*LANES_IN-1:0] wgt_wr_data;
    wire [WGT_W-1:0] wgt_written;
    wire [WGT_W-1:0] wgt_released;
    wire [CONST_COUNT_W-1:0] const_released;
    wire step_valid;
    wire [STEP_W-1:0] step;
    wire [OUT_W+8:0] marks;
    wire stall_act;
    wire stall_wgt;
    wire stall_out;
    wire result_valid;
    wire [32*LANES_OUT-1:0] result;
    wire credit;
    wire finisher_ready;
    wire [LANES_OUT-1:0] out_wr_en;
    wire [OUT_W-1:0] out_wr_addr;
    wire [8*LANES_OUT-1:0] out_wr_data;
    wire [OUT_W-1:0] committed;
    wire [OUT_W-1:0] read;
    wire out_rd_en;
    wire [8*LANES_OUT-1:0] out_rd_data;
    wire reader_ready;
    wire [OUT_W-$clog2(LANES_OUT)-1:0] out_rd_word;
    wire [8*LANES_OUT-1:0] word_data;
    wire [LANES_OUT-1:0] word_keep;
    wire word_last;
    wire word_layer_end;
    wire word_valid;
    wire word_ready;
    wire [8*OUT_STREAM_BYTES-1:0] beat_data;
    wire [OUT_STREAM_BYTES-1:0] beat_keep;
    wire beat_last;
    wire beat_layer_end;
    wire beat_valid;
    wire beat_ready;
    wire layer_end;

    // Every pin ends in a register: the reset's is this. The core is in reset when it starts.
    reg rst_q;

    initial rst_q = 1'b1;

    always @(posedge clk) rst_q <= rst;

    // Halted, the core swallows what is still sent to it.
    wire core_rst = rst_q || halted;

    // Finisher and reader take a layer together.
    assign layer_ready[3] = finisher_ready && reader_ready;

    axil_port u_axil_port (
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
        .write         (write),
        .write_addr    (write_addr),
        .write_data    (write_data),
        .write_whole   (write_whole),
        .write_done    (write_done),
        .write_okay    (write_okay),
        .read          (read_request),
        .read_addr     (read_addr),
        .read_done     (read_done),
        .read_okay     (read_okay),
        .read_data     (read_data)
    );

    registers #(
        .LANES_IN        (LANES_IN),
        .LANES_OUT       (LANES_OUT),
        .REQUANT_LANES   (REQUANT_LANES),
        .FLOAT_RULE      (FLOAT_RULE),
        .ACT_BYTES       (ACT_BYTES),
        .WGT_WORDS       (WGT_WORDS),
        .CONST_WORDS     (CONST_WORDS),
        .OUT_BYTES       (OUT_BYTES),
        .ACT_STREAM_BYTES(ACT_STREAM_BYTES),
        .WGT_STREAM_BYTES(WGT_STREAM_BYTES),
        .OUT_STREAM_BYTES(OUT_STREAM_BYTES)
    ) u_registers (
        .clk         (clk),
        .rst         (rst_q),
        .write       (write),
        .write_addr  (write_addr),
        .write_data  (write_data),
        .write_whole (write_whole),
        .write_done  (write_done),
        .write_okay  (write_okay),
        .read        (read_request),
        .read_addr   (read_addr),
        .read_done   (read_done),
        .read_okay   (read_okay),
        .read_data   (read_data),
        .irq         (irq),
        .desc_write  (desc_write),
        .desc_data   (desc_data),
        .start       (start),
        .copying     (copying),
        .queue_full  (queue_full),
        .layers      (layers),
        .resume      (resume),
        .force_resume(force_resume),
        .halting     (halting),
        .halted      (halted),
        .waits_for   ({closing, packet_open} & {3{halted}}),
        .error_code  (error_code),
        .error_detail(error_detail),
        .layer_end   (layer_end),
        .layer       (layer),
        .counters_of (counters_of),
        .storing     (storing),
        .figure      (figure)
    );

    layer_queue u_layer_queue (
        .clk       (clk),
        .rst       (rst_q),
        .halted    (halted),
        .wr_en     (desc_write),
        .wr_index  (write_addr[4:2]),
        .wr_data   (write_data),
        .rd_index  (read_addr[4:2]),
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
        .setup_code   (setup_code),
        .setup_detail (setup_detail),
        .act_error    (act_error),
        .wgt_error    (wgt_error),
        .queue_overrun(start && queue_full),
        .resume       (resume),
        .force_resume (force_resume),
        .results_open (closing),
        .closed       (entry_closed),
        .halting      (halting),
        .halted       (halted),
        .leaving      (leaving),
        .forced       (forced),
        .error_code   (error_code),
        .error_detail (error_detail)
    );

    layer_setup #(
        .LANES_IN       (LANES_IN),
        .LANES_OUT      (LANES_OUT),
        .ACT_BYTES      (ACT_BYTES),
        .WGT_WORDS      (WGT_WORDS),
        .CONST_WORDS    (CONST_WORDS),
        .OUT_BYTES      (OUT_BYTES),
        .CONST_PER_BLOCK(CONST_PER_BLOCK),
        .BAND_WINDOWS   (2 * LANES_OUT * (LANES_IN / WGT_STREAM_BYTES)),
        .FLOAT_RULE     (FLOAT_RULE)
    ) u_layer_setup (
        .clk         (clk),
        .rst         (core_rst),
        .desc_valid  (desc_valid),
        .desc_ready  (desc_ready),
        .desc_index  (desc_index),
        .desc_word   (desc_word),
        .error       (setup_error),
        .error_code  (setup_code),
        .error_detail(setup_detail),
        .numbers     (numbers),
        .layer_valid (layer_valid),
        .layer_ready (layer_ready)
    );

    number #(
        .INDEX(FRAMES),
        .WIDTH(16)
    ) u_frames (
        .clk    (clk),
        .numbers(numbers),
        .take   (layer_taken[0]),
        .value  (frames)
    );

    stream_entry #(
        .BYTES(ACT_STREAM_BYTES)
    ) u_act_entry (
        .clk    (clk),
        .rst    (rst_q),
        .open   (layer_taken[0]),
        .packets(frames),
        .halted (halted),
        .leaving(leaving),
        .forced (forced),
        .closed (entry_closed[0]),
        .in_packet(packet_open[0]),
        .beat   (beat[0]),
        .s_data (s_axis_act_tdata),
        .s_keep (s_axis_act_tkeep),
        .s_last (s_axis_act_tlast),
        .s_valid(s_axis_act_tvalid),
        .s_ready(s_axis_act_tready),
        .m_data (act_beat_data),
        .m_keep (act_beat_keep),
        .m_last (act_beat_last),
        .m_valid(act_beat_valid),
        .m_ready(act_beat_ready)
    );

    stream_widener #(
        .BEAT_BYTES(ACT_STREAM_BYTES),
        .RATIO     (LANES_IN / ACT_STREAM_BYTES)
    ) u_act_widener (
        .clk    (clk),
        .rst    (core_rst),
        .s_data (act_beat_data),
        .s_keep (act_beat_keep),
        .s_last (act_beat_last),
        .s_valid(act_beat_valid),
        .s_ready(act_beat_ready),
        .m_data (act_data),
        .m_keep (act_keep),
        .m_last (act_last),
        .m_valid(act_valid),
        .m_ready(act_ready)
    );

    activation_loader #(
        .LANES  (LANES_IN),
        .BYTES  (ACT_BYTES),
        .COUNT_W(ACT_W - $clog2(LANES_IN))
    ) u_activation_loader (
        .clk            (clk),
        .rst            (core_rst),
        .numbers        (numbers),
        .layer_valid    (layer_valid[0]),
        .layer_ready    (layer_ready[0]),
        .s_data         (act_data),
        .s_keep         (act_keep),
        .s_last         (act_last),
        .s_valid        (act_valid),
        .s_ready        (act_ready),
        .wr_en          (act_wr_en),
        .wr_word        (act_wr_word),
        .wr_data        (act_wr_data),
        .written        (act_written),
        .released       (act_released),
        .error_early    (act_error[0]),
        .error_late     (act_error[1]),
        .error_keep     (act_error[2])
    );

    stream_entry #(
        .BYTES(WGT_STREAM_BYTES)
    ) u_wgt_entry (
        .clk    (clk),
        .rst    (rst_q),
        .open   (layer_taken[1]),
        .packets(16'd1),
        .halted (halted),
        .leaving(leaving),
        .forced (forced),
        .closed (entry_closed[1]),
        .in_packet(packet_open[1]),
        .beat   (beat[1]),
        .s_data (s_axis_wgt_tdata),
        .s_keep (s_axis_wgt_tkeep),
        .s_last (s_axis_wgt_tlast),
        .s_valid(s_axis_wgt_tvalid),
        .s_ready(s_axis_wgt_tready),
        .m_data (wgt_beat_data),
        .m_keep (wgt_beat_keep),
        .m_last (wgt_beat_last),
        .m_valid(wgt_beat_valid),
        .m_ready(wgt_beat_ready)
    );

    stream_widener #(
        .BEAT_BYTES(WGT_STREAM_BYTES),
        .RATIO     (LANES_IN / WGT_STREAM_BYTES)
    ) u_wgt_widener (
        .clk    (clk),
        .rst    (core_rst),
        .s_data (wgt_beat_data),
        .s_keep (wgt_beat_keep),
        .s_last (wgt_beat_last),
        .s_valid(wgt_beat_valid),
        .s_ready(wgt_beat_ready),
        .m_data (wgt_data),
        .m_keep (wgt_keep),
        .m_last (wgt_last),
        .m_valid(wgt_valid),
        .m_ready(wgt_ready)
    );

    weight_loader #(
        .LANES_IN       (LANES_IN),
        .LANES_OUT      (LANES_OUT),
        .WGT_WORDS      (WGT_WORDS),
        .CONST_WORDS    (CONST_WORDS),
        .WGT_COUNT_W    (WGT_W),
        .CONST_COUNT_W  (CONST_COUNT_W)
    ) u_weight_loader (
        .clk            (clk),
        .rst            (core_rst),
        .numbers        (numbers),
        .layer_valid    (layer_valid[1]),
        .layer_ready    (layer_ready[1]),
        .s_data         (wgt_data),
        .s_keep         (wgt_keep),
        .s_last         (wgt_last),
        .s_valid        (wgt_valid),
        .s_ready        (wgt_ready),
        .const_wr_en    (const_wr_en),
        .const_wr_word  (const_wr_word),
        .const_wr_data  (const_wr_data),
        .wgt_wr_lane    (wgt_wr_lane),
        .wgt_wr_word    (wgt_wr_word),
        .wgt_wr_data    (wgt_wr_data),
        .wgt_written    (wgt_written),
        .wgt_released   (wgt_released),
        .const_released (const_released),
        .error_early    (wgt_error[0]),
        .error_late     (wgt_error[1]),
        .error_keep     (wgt_error[2])
    );

    rows #(
        .LANES_OUT(LANES_OUT),
        .OUT_W    (OUT_W)
    ) u_rows (
        .clk        (clk),
        .rst        (core_rst),
        .numbers    (numbers),
        .layer_valid(layer_valid[2]),
        .item       (item),
        .item_valid (item_valid),
        .item_ready (item_ready)
    );

    walk #(
        .LANES     (LANES_IN),
        .ACT_W     (ACT_W),
        .WGT_W     (WGT_W),
        .WGT_ADDR_W(WGT_ADDR_W),
        .OUT_W     (OUT_W),
        .CREDITS   (RESULT_QUEUE)
    ) u_walk (
        .clk          (clk),
        .rst          (core_rst),
        .numbers      (numbers),
        .layer_valid  (layer_valid[2]),
        .layer_ready  (layer_ready[2]),
        .item         (item),
        .item_valid   (item_valid),
        .item_ready   (item_ready),
        .act_written  (act_written),
        .wgt_written  (wgt_written),
        .act_released (act_released),
        .wgt_released (wgt_released),
        .credit_return(credit),
        .step_valid   (step_valid),
        .step         (step),
        .marks        (marks),
        .stall_act    (stall_act),
        .stall_wgt    (stall_wgt),
        .stall_out    (stall_out)
    );

    datapath #(
        .LANES_IN (LANES_IN),
        .LANES_OUT(LANES_OUT),
        .ACT_BYTES(ACT_BYTES),
        .WGT_WORDS(WGT_WORDS)
    ) u_datapath (
        .clk            (clk),
        .rst            (core_rst),
        .act_wr_en      (act_wr_en),
        .act_wr_word    (act_wr_word),
        .act_wr_data    (act_wr_data),
        .wgt_wr_lane    (wgt_wr_lane),
        .wgt_wr_word    (wgt_wr_word),
        .wgt_wr_data    (wgt_wr_data),
        .step_valid     (step_valid),
        .step           (step),
        .result_valid   (result_valid),
        .result         (result)
    );

    finisher #(
        .LANES_IN     (LANES_IN),
        .LANES_OUT    (LANES_OUT),
        .REQUANT_LANES(REQUANT_LANES),
        .FLOAT_RULE   (FLOAT_RULE),
        .QUEUE        (RESULT_QUEUE),
        .OUT_BYTES    (OUT_BYTES),
        .CONST_WORDS  (CONST_WORDS),
        .CONST_COUNT_W(CONST_COUNT_W),
        .OUT_W        (OUT_W)
    ) u_finisher (
        .clk           (clk),
        .rst           (core_rst),
        .numbers       (numbers),
        .take_layer    (layer_taken[3]),
        .ready         (finisher_ready),
        .const_wr_en   (const_wr_en),
        .const_wr_word (const_wr_word),
        .const_wr_data (const_wr_data),
        .const_released(const_released),
        .mark_valid    (step_valid && step[STEP_LAST]),
        .mark          (marks),
        .vector_valid  (result_valid),
        .vector        (result),
        .credit        (credit),
        .wr_en         (out_wr_en),
        .wr_addr       (out_wr_addr),
        .wr_data       (out_wr_data),
        .committed     (committed),
        .read          (read)
    );

    result_buffer #(
        .LANES(LANES_OUT),
        .BYTES(OUT_BYTES)
    ) u_result_buffer (
        .clk    (clk),
        .rst    (core_rst),
        .wr_en  (out_wr_en),
        .wr_addr(out_wr_addr[$clog2(OUT_BYTES)-1:0]),
        .wr_data(out_wr_data),
        .rd_en  (out_rd_en),
        .rd_word(out_rd_word[$clog2(OUT_BYTES)-$clog2(LANES_OUT)-1:0]),
        .rd_data(out_rd_data)
    );

    result_reader #(
        .LANES(LANES_OUT),
        .OUT_W(OUT_W)
    ) u_result_reader (
        .clk            (clk),
        .rst            (core_rst),
        .numbers        (numbers),
        .take           (layer_taken[3]),
        .ready          (reader_ready),
        .committed      (committed),
        .read           (read),
        .rd_en          (out_rd_en),
        .rd_word        (out_rd_word),
        .rd_data        (out_rd_data),
        .m_data         (word_data),
        .m_keep         (word_keep),
        .m_last         (word_last),
        .m_layer_end    (word_layer_end),
        .m_valid        (word_valid),
        .m_ready        (word_ready)
    );

    stream_narrower #(
        .BEAT_BYTES(OUT_STREAM_BYTES),
        .RATIO     (LANES_OUT / OUT_STREAM_BYTES),
        .USER_W    (1)
    ) u_out_narrower (
        .clk    (clk),
        .rst    (core_rst),
        .s_data (word_data),
        .s_keep (word_keep),
        .s_last (word_last),
        .s_user (word_layer_end),
        .s_valid(word_valid),
        .s_ready(word_ready),
        .m_data (beat_data),
        .m_keep (beat_keep),
        .m_last (beat_last),
        .m_user (beat_layer_end),
        .m_valid(beat_valid),
        .m_ready(beat_ready)
    );

    packet_guard #(
        .BYTES(OUT_STREAM_BYTES)
    ) u_packet_guard (
        .clk        (clk),
        .rst        (rst_q),
        .halted     (halted),
        .closing    (closing),
        .stored     (stored),
        .s_data     (beat_data),
        .s_keep     (beat_keep),
        .s_last     (beat_last),
        .s_layer_end(beat_layer_end),
        .s_valid    (beat_valid),
        .s_ready    (beat_ready),
        .m_data     (m_axis_out_tdata),
        .m_keep     (m_axis_out_tkeep),
        .m_last     (m_axis_out_tlast),
        .layer_end  (layer_end),
        .m_valid    (m_axis_out_tvalid),
        .m_ready    (m_axis_out_tready)
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
        .stall_act  (stall_act),
        .stall_wgt  (stall_wgt),
        .stall_out  (stall_out),
        .layer      (layer),
        .storing    (storing),
        .stored     (stored),
        .read_layer (counters_of),
        .read_index (read_addr[4:2]),
        .figure     (figure)
    );

    wire unused = &{1'b0, layer_taken, out_wr_addr, out_rd_word};

endmodule

`default_nettype wire
