`timescale 1ns / 1ps
`default_nettype none
// The bench around a convolution core: clock and reset, sources for activations and weights, a sink for
// results, an AXI4-Lite master, a monitor on each of them. Python sees the `host_*` signals and nothing
// else (bench.py); it touches them a few times for each layer and waits for one event.
//
// CONV_DUT names the module under test, which has the ports and parameters of `conv_core`.
`ifndef CONV_DUT
`define CONV_DUT conv_core
`endif
module conv_bench #(
    parameter LANES_IN         = 16,
    parameter LANES_OUT        = 16,
    parameter ACT_BYTES        = 65536,
    parameter WGT_WORDS        = 1024,
    parameter CONST_WORDS      = 1024,
    parameter OUT_BYTES        = 16384,
    parameter REQUANT_LANES    = 8,
    parameter FLOAT_RULE       = 1,
    parameter RESULT_QUEUE     = 16,
    parameter ACT_STREAM_BYTES = 16,
    parameter WGT_STREAM_BYTES = 16,
    parameter OUT_STREAM_BYTES = 16,
    parameter RING_LOG2        = 16,    // beats that each transactor holds, as a power of two
    parameter ACT_CHUNK        = 512,   // beats of one write or read, for each stream
    parameter WGT_CHUNK        = 512,
    parameter OUT_CHUNK        = 512
);

    localparam JOBS_LOG2 = 8;
    localparam COMMANDS  = 32;
    localparam RULES     = 8;       // of each monitor; those of the control port count from BUS_RULE on
    localparam BUS_RULE  = 16;
    localparam TRACE     = 512;

    localparam AB = ACT_STREAM_BYTES;
    localparam WB = WGT_STREAM_BYTES;
    localparam OB = OUT_STREAM_BYTES;

    // ------------------------------------------------------------------ written by Python
    reg                    host_reset       = 1'b1;     // of the core
    reg                    host_clear       = 1'b1;     // of the bench
    reg                    host_arm         = 1'b0;     // offer the streams once the bus is idle
    reg [31:0]             host_seed_act    = 32'd1;    // a change of host_seed_flip loads the seeds
    reg [31:0]             host_seed_wgt    = 32'd2;
    reg [31:0]             host_seed_out    = 32'd3;
    reg                    host_seed_flip   = 1'b0;
    reg [63:0]             host_stall_act   = 64'd0;    // {hold mask, hold least, flow mask, flow least}
    reg [63:0]             host_stall_wgt   = 64'd0;
    reg [63:0]             host_stall_out   = 64'd0;
    reg                    host_after_valid = 1'b0;     // results: tready only in answer to tvalid
    reg [1:0]              host_first       = 2'd0;     // of each layer: 1 all weights, 2 all activations
    reg [31:0]             host_seed_bus    = 32'd4;
    reg [3:0]              host_bus_delay   = 4'd0;     // cycles, at most, that its channels are late
    reg                    host_bus_after_valid = 1'b0; // bready and rready only in answer to valid
    reg                    host_bus_eager   = 1'b0;     // ready at once, whatever the two above say
    reg [31:0]             host_rules       = 32'hffffffff; // those that are on, by number
    reg                    host_act_fill_flip = 1'b0;
    reg [ACT_CHUNK*8*AB-1:0] host_act_fill_data;
    reg [15:0]             host_act_fill_beats = 16'd0;
    reg                    host_act_more    = 1'b0;
    reg                    host_wgt_fill_flip = 1'b0;
    reg [WGT_CHUNK*8*WB-1:0] host_wgt_fill_data;
    reg [15:0]             host_wgt_fill_beats = 16'd0;
    reg                    host_wgt_more    = 1'b0;
    reg                    host_act_job_flip = 1'b0;
    reg                    host_wgt_job_flip = 1'b0;
    reg                    host_out_job_flip = 1'b0;
    reg [31:0]             host_job_bytes   = 32'd0;
    reg [31:0]             host_job_packets = 32'd0;
    reg                    host_out_read_flip = 1'b0;
    reg                    host_bus_flip    = 1'b0;
    reg [COMMANDS*48-1:0]  host_bus_commands;
    reg [15:0]             host_bus_count   = 16'd0;
    reg                    host_bus_wanted  = 1'b0;     // wake Python when the bus is idle
    reg [31:0]             host_jobs_wanted = 32'd0;    // result jobs after which to wake Python
    reg [31:0]             host_drain       = 32'd64;   // cycles to wait for beats too many
    reg [31:0]             host_limit       = 32'd0;    // cycles until the run counts as hung; 0: none
    reg [31:0]             host_tick        = 32'd0;    // wake Python every so many cycles; 0: never
    reg                    host_tick_flip   = 1'b0;     // a change answers a tick
    reg                    host_irq_wanted  = 1'b0;     // wake Python as soon as irq is high
    reg [31:0]             host_record_job  = 32'd0;
    reg                    host_trace_flip  = 1'b0;
    reg [31:0]             host_trace_beat  = 32'd0;

    // ------------------------------------------------------------------ read by Python
    reg                      host_event;                // some cause below is up
    reg  [7:0]               host_causes;
    reg  [31:0]              host_cycle;
    wire [OUT_CHUNK*8*OB-1:0] host_out_read_data;
    wire [15:0]              host_out_read_beats;
    wire [COMMANDS*48-1:0]   host_bus_answers;
    wire [15:0]              host_bus_done;
    wire [31:0]              host_act_offered, host_wgt_offered;
    wire [31:0]              host_act_beats, host_wgt_beats, host_out_beats;
    wire [31:0]              host_act_jobs, host_wgt_jobs, host_out_jobs;
    wire [31:0]              host_act_packets, host_wgt_packets, host_out_packets;
    wire [RULES-1:0]         host_act_broken, host_wgt_broken, host_out_broken;
    wire [RULES*64-1:0]      host_act_where, host_wgt_where, host_out_where;
    wire [31:0]              host_bus_answered;
    wire [RULES-1:0]         host_bus_broken;
    wire [RULES*64-1:0]      host_bus_where;
    wire [127:0]             host_act_record, host_wgt_record, host_out_record;
    wire [TRACE*32-1:0]      host_act_trace, host_wgt_trace, host_out_trace;
    reg  [31:0]              host_held;
    wire [7:0]               host_pins;                 // {irq, bus busy, out, wgt, act: {tvalid, tready}}
    wire                     host_refill_act, host_refill_wgt, host_drain_out;

    // ------------------------------------------------------------------ clock
    reg clk = 1'b0;
    always #5 clk = !clk;

    // ------------------------------------------------------------------ the core
    wire [7:0]    axil_awaddr, axil_araddr;
    wire          axil_awvalid, axil_awready, axil_wvalid, axil_wready, axil_bvalid, axil_bready;
    wire          axil_arvalid, axil_arready, axil_rvalid, axil_rready;
    wire [31:0]   axil_wdata, axil_rdata;
    wire [3:0]    axil_wstrb;
    wire [1:0]    axil_bresp, axil_rresp;
    wire          act_tvalid, act_tready, act_tlast;
    wire [8*AB-1:0] act_tdata;
    wire [AB-1:0] act_tkeep;
    wire          wgt_tvalid, wgt_tready, wgt_tlast;
    wire [8*WB-1:0] wgt_tdata;
    wire [WB-1:0] wgt_tkeep;
    wire          out_tvalid, out_tready, out_tlast;
    wire [8*OB-1:0] out_tdata;
    wire [OB-1:0] out_tkeep;
    wire          irq;

    reg rst;
    always @(posedge clk) rst <= host_reset;

    `CONV_DUT #(
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
        .OUT_STREAM_BYTES(OUT_STREAM_BYTES)
    ) u_core (
        .clk              (clk),
        .rst              (rst),
        .s_axil_awaddr    (axil_awaddr),
        .s_axil_awprot    (3'b000),
        .s_axil_awvalid   (axil_awvalid),
        .s_axil_awready   (axil_awready),
        .s_axil_wdata     (axil_wdata),
        .s_axil_wstrb     (axil_wstrb),
        .s_axil_wvalid    (axil_wvalid),
        .s_axil_wready    (axil_wready),
        .s_axil_bresp     (axil_bresp),
        .s_axil_bvalid    (axil_bvalid),
        .s_axil_bready    (axil_bready),
        .s_axil_araddr    (axil_araddr),
        .s_axil_arprot    (3'b000),
        .s_axil_arvalid   (axil_arvalid),
        .s_axil_arready   (axil_arready),
        .s_axil_rdata     (axil_rdata),
        .s_axil_rresp     (axil_rresp),
        .s_axil_rvalid    (axil_rvalid),
        .s_axil_rready    (axil_rready),
        .s_axis_act_tvalid(act_tvalid),
        .s_axis_act_tready(act_tready),
        .s_axis_act_tdata (act_tdata),
        .s_axis_act_tkeep (act_tkeep),
        .s_axis_act_tlast (act_tlast),
        .s_axis_wgt_tvalid(wgt_tvalid),
        .s_axis_wgt_tready(wgt_tready),
        .s_axis_wgt_tdata (wgt_tdata),
        .s_axis_wgt_tkeep (wgt_tkeep),
        .s_axis_wgt_tlast (wgt_tlast),
        .m_axis_out_tvalid(out_tvalid),
        .m_axis_out_tready(out_tready),
        .m_axis_out_tdata (out_tdata),
        .m_axis_out_tkeep (out_tkeep),
        .m_axis_out_tlast (out_tlast),
        .irq              (irq)
    );

    // ------------------------------------------------------------------ when streams are held
    reg  run;
    reg  seed_seen = 1'b0;
    wire load = host_seed_flip != seed_seen || host_clear;
    wire hold_act, hold_wgt, hold_out, held_act, held_wgt;
    wire bus_busy;

    stall_generator u_stall_act (
        .clk(clk), .load(load), .seed(host_seed_act), .hold(hold_act),
        .flow_least(host_stall_act[15:0]), .flow_mask(host_stall_act[31:16]),
        .hold_least(host_stall_act[47:32]), .hold_mask(host_stall_act[63:48])
    );
    stall_generator u_stall_wgt (
        .clk(clk), .load(load), .seed(host_seed_wgt), .hold(hold_wgt),
        .flow_least(host_stall_wgt[15:0]), .flow_mask(host_stall_wgt[31:16]),
        .hold_least(host_stall_wgt[47:32]), .hold_mask(host_stall_wgt[63:48])
    );
    stall_generator u_stall_out (
        .clk(clk), .load(load), .seed(host_seed_out), .hold(hold_out),
        .flow_least(host_stall_out[15:0]), .flow_mask(host_stall_out[31:16]),
        .hold_least(host_stall_out[47:32]), .hold_mask(host_stall_out[63:48])
    );

    // What was recorded takes the place of all that.
    wire       playing;
    wire [2:0] played;
    wire       open_act, open_wgt;

    traffic_player u_player (
        .clk(clk), .next(host_seed_flip != seed_seen), .run(run), .playing(playing), .open(played)
    );
    traffic_recorder u_recorder (.clk(clk), .next(host_seed_flip != seed_seen), .run(run), .open({open_act, open_wgt, out_tready}));

    // All streams are offered from the same cycle on: the one after the bus has started the layer.
    wire held = held_act || held_wgt || (out_tvalid === 1'b1 && !out_tready);
    always @(posedge clk) begin
        seed_seen  <= host_seed_flip;
        host_cycle <= host_clear ? 32'd0 : host_cycle + 32'd1;
        host_held  <= host_clear ? 32'd0 : host_held + {31'd0, run && held};
        run        <= host_arm && !host_clear && (run || !bus_busy);
    end

    // ------------------------------------------------------------------ transactors and monitors
    stream_source #(.BYTES(AB), .RING_LOG2(RING_LOG2), .CHUNK(ACT_CHUNK), .JOBS_LOG2(JOBS_LOG2)) u_source_act (
        .clk(clk), .clear(host_clear), .run(run), .hold(playing ? !played[2] : hold_act), .held(held_act),
        .jobs_free(host_first == 2'd1 ? host_wgt_jobs : 32'hffffffff), .open(open_act),
        .fill_flip(host_act_fill_flip), .fill_data(host_act_fill_data), .fill_beats(host_act_fill_beats),
        .job_flip(host_act_job_flip), .job_bytes(host_job_bytes), .job_packets(host_job_packets),
        .more(host_act_more), .refill(host_refill_act), .offered(host_act_offered),
        .m_axis_tvalid(act_tvalid), .m_axis_tready(act_tready), .m_axis_tdata(act_tdata),
        .m_axis_tkeep(act_tkeep), .m_axis_tlast(act_tlast)
    );
    stream_source #(.BYTES(WB), .RING_LOG2(RING_LOG2), .CHUNK(WGT_CHUNK), .JOBS_LOG2(JOBS_LOG2)) u_source_wgt (
        .clk(clk), .clear(host_clear), .run(run), .hold(playing ? !played[1] : hold_wgt), .held(held_wgt),
        .jobs_free(host_first == 2'd2 ? host_act_jobs : 32'hffffffff), .open(open_wgt),
        .fill_flip(host_wgt_fill_flip), .fill_data(host_wgt_fill_data), .fill_beats(host_wgt_fill_beats),
        .job_flip(host_wgt_job_flip), .job_bytes(host_job_bytes), .job_packets(host_job_packets),
        .more(host_wgt_more), .refill(host_refill_wgt), .offered(host_wgt_offered),
        .m_axis_tvalid(wgt_tvalid), .m_axis_tready(wgt_tready), .m_axis_tdata(wgt_tdata),
        .m_axis_tkeep(wgt_tkeep), .m_axis_tlast(wgt_tlast)
    );
    stream_sink #(.BYTES(OB), .RING_LOG2(RING_LOG2), .CHUNK(OUT_CHUNK)) u_sink_out (
        .clk(clk), .clear(host_clear), .run(run), .hold(hold_out), .after_valid(host_after_valid),
        .forced(playing), .open(played[0]),
        .read_flip(host_out_read_flip), .read_data(host_out_read_data), .read_beats(host_out_read_beats),
        .drain(host_drain_out),
        .s_axis_tvalid(out_tvalid), .s_axis_tready(out_tready), .s_axis_tdata(out_tdata)
    );

    stream_monitor #(.BYTES(AB), .RING_LOG2(RING_LOG2), .JOBS_LOG2(JOBS_LOG2), .TRACE(TRACE), .RULES(RULES)) u_monitor_act (
        .clk(clk), .clear(host_clear), .watch(!rst), .cycle(host_cycle), .held(host_held), .enabled(host_rules[RULES-1:0]),
        .job_flip(host_act_job_flip), .job_bytes(host_job_bytes), .job_packets(host_job_packets),
        .axis_tvalid(act_tvalid), .axis_tready(act_tready), .axis_tdata(act_tdata),
        .axis_tkeep(act_tkeep), .axis_tlast(act_tlast),
        .beats(host_act_beats), .packets(host_act_packets), .jobs_done(host_act_jobs),
        .broken(host_act_broken), .where(host_act_where),
        .record_job(host_record_job), .record(host_act_record),
        .trace_flip(host_trace_flip), .trace_beat(host_trace_beat), .trace(host_act_trace)
    );
    stream_monitor #(.BYTES(WB), .RING_LOG2(RING_LOG2), .JOBS_LOG2(JOBS_LOG2), .TRACE(TRACE), .RULES(RULES)) u_monitor_wgt (
        .clk(clk), .clear(host_clear), .watch(!rst), .cycle(host_cycle), .held(host_held), .enabled(host_rules[RULES-1:0]),
        .job_flip(host_wgt_job_flip), .job_bytes(host_job_bytes), .job_packets(host_job_packets),
        .axis_tvalid(wgt_tvalid), .axis_tready(wgt_tready), .axis_tdata(wgt_tdata),
        .axis_tkeep(wgt_tkeep), .axis_tlast(wgt_tlast),
        .beats(host_wgt_beats), .packets(host_wgt_packets), .jobs_done(host_wgt_jobs),
        .broken(host_wgt_broken), .where(host_wgt_where),
        .record_job(host_record_job), .record(host_wgt_record),
        .trace_flip(host_trace_flip), .trace_beat(host_trace_beat), .trace(host_wgt_trace)
    );
    stream_monitor #(.BYTES(OB), .RING_LOG2(RING_LOG2), .JOBS_LOG2(JOBS_LOG2), .TRACE(TRACE), .RULES(RULES)) u_monitor_out (
        .clk(clk), .clear(host_clear), .watch(!rst), .cycle(host_cycle), .held(host_held), .enabled(host_rules[RULES-1:0]),
        .job_flip(host_out_job_flip), .job_bytes(host_job_bytes), .job_packets(host_job_packets),
        .axis_tvalid(out_tvalid), .axis_tready(out_tready), .axis_tdata(out_tdata),
        .axis_tkeep(out_tkeep), .axis_tlast(out_tlast),
        .beats(host_out_beats), .packets(host_out_packets), .jobs_done(host_out_jobs),
        .broken(host_out_broken), .where(host_out_where),
        .record_job(host_record_job), .record(host_out_record),
        .trace_flip(host_trace_flip), .trace_beat(host_trace_beat), .trace(host_out_trace)
    );

    axil_master #(.COMMANDS(COMMANDS)) u_bus (
        .clk(clk), .clear(host_clear), .flip(host_bus_flip), .commands(host_bus_commands),
        .count(host_bus_count), .answers(host_bus_answers), .busy(bus_busy), .done(host_bus_done),
        .load(load), .seed(host_seed_bus), .delay_mask(host_bus_delay), .after_valid(host_bus_after_valid),
        .eager(host_bus_eager),
        .m_axil_awaddr(axil_awaddr), .m_axil_awvalid(axil_awvalid), .m_axil_awready(axil_awready),
        .m_axil_wdata(axil_wdata), .m_axil_wstrb(axil_wstrb), .m_axil_wvalid(axil_wvalid),
        .m_axil_wready(axil_wready), .m_axil_bresp(axil_bresp), .m_axil_bvalid(axil_bvalid),
        .m_axil_bready(axil_bready), .m_axil_araddr(axil_araddr), .m_axil_arvalid(axil_arvalid),
        .m_axil_arready(axil_arready), .m_axil_rdata(axil_rdata), .m_axil_rresp(axil_rresp),
        .m_axil_rvalid(axil_rvalid), .m_axil_rready(axil_rready)
    );

    axil_monitor #(.RULES(RULES)) u_monitor_bus (
        .clk(clk), .clear(host_clear), .watch(!rst), .cycle(host_cycle), .enabled(host_rules[BUS_RULE +: RULES]),
        .axil_awaddr(axil_awaddr), .axil_awvalid(axil_awvalid), .axil_awready(axil_awready),
        .axil_wdata(axil_wdata), .axil_wstrb(axil_wstrb), .axil_wvalid(axil_wvalid), .axil_wready(axil_wready),
        .axil_bresp(axil_bresp), .axil_bvalid(axil_bvalid), .axil_bready(axil_bready),
        .axil_araddr(axil_araddr), .axil_arvalid(axil_arvalid), .axil_arready(axil_arready),
        .axil_rdata(axil_rdata), .axil_rresp(axil_rresp), .axil_rvalid(axil_rvalid), .axil_rready(axil_rready),
        .irq(irq), .answered(host_bus_answered), .broken(host_bus_broken), .where(host_bus_where)
    );

    assign host_pins = {irq, bus_busy, out_tvalid, out_tready, wgt_tvalid, wgt_tready, act_tvalid, act_tready};

    // ------------------------------------------------------------------ what wakes Python
    // bit 0 results complete, 1 irq, 2 refill activations, 3 refill weights, 4 read results, 5 tick,
    //     6 limit passed, 7 the bus has finished its list
    reg [31:0] drained, elapsed, since_tick, irq_high;
    reg        tick_seen, tick;
    // Inputs that no result needs may be taken after the last result.
    wire       complete = host_jobs_wanted != 32'd0 && host_out_jobs >= host_jobs_wanted
                          && host_act_jobs >= host_jobs_wanted && host_wgt_jobs >= host_jobs_wanted;
    wire [7:0] causes = {
        host_bus_wanted && !bus_busy,
        run && host_limit != 32'd0 && elapsed >= host_limit,
        tick,
        host_drain_out,
        host_refill_wgt,
        host_refill_act,
        run && irq === 1'b1 && (host_irq_wanted || irq_high > host_drain + 32'd16),
        complete && drained >= host_drain
    };
    always @(posedge clk) begin
        if (host_clear) begin
            drained     <= 32'd0;
            elapsed     <= 32'd0;
            since_tick  <= 32'd0;
            irq_high    <= 32'd0;
            tick        <= 1'b0;
            tick_seen   <= host_tick_flip;
            host_causes <= 8'd0;
            host_event  <= 1'b0;
        end else begin
            drained    <= complete ? drained + 32'd1 : 32'd0;
            elapsed    <= run ? elapsed + 32'd1 : 32'd0;
            irq_high   <= irq === 1'b1 ? irq_high + 32'd1 : 32'd0;
            tick_seen  <= host_tick_flip;
            since_tick <= since_tick + 32'd1;
            if (host_tick != 32'd0 && since_tick >= host_tick) begin
                tick       <= 1'b1;
                since_tick <= 32'd0;
            end else if (tick_seen != host_tick_flip) begin
                tick <= 1'b0;
            end
            host_causes <= causes;
            host_event  <= |causes;
        end
    end

    // Written for each core by tb/waves/watch.py: what is worth seeing, under names for people.
`ifdef CONV_WATCH
    conv_watch u_watch (
        .clock(clk), .reset(rst),
        .taken({out_tvalid && out_tready, wgt_tvalid && wgt_tready, act_tvalid && act_tready})
    );
`endif

`ifndef VERILATOR
    reg [8*512-1:0] dump_file;
    reg [63:0]      dump_from;
    initial if ($value$plusargs("waves=%s", dump_file)) begin
        $dumpfile(dump_file);
        $dumpvars(0, conv_bench);
        if ($value$plusargs("waves_from=%d", dump_from)) begin
            $dumpoff;
            #(dump_from) $dumpon;
        end
    end
`endif

endmodule
`default_nettype wire
