`default_nettype none
// Watches the pins of one AXI4-Stream and drives nothing. It knows what is expected (`job_*`: so many
// packets of so many bytes each, one job a layer), counts beats, writes down when each job began and
// ended, and remembers for every rule where it was first broken. By bit, which is the rule's number in
// tb/checks/rules.py:
//
//   0  tvalid or tready is X                       4  tlast before the end of a packet
//   1  tdata, tkeep or tlast is X in a valid beat  5  tlast missing at the end of a packet
//   2  tvalid withdrawn before tready              6  tkeep does not mark the bytes that count
//   3  payload changed while stalled               7  a beat that nobody expected
//
// With CONV_UNCHECKED it only counts: for tests/environment/cost.py, which measures what the rules cost.
//
// On tdata only the bytes that tkeep marks are looked at. Verilator has no X: rules 0 and 1 need Icarus.
module stream_monitor #(
    parameter BYTES     = 16,               // bytes of a beat
    parameter RING_LOG2 = 16,               // beats whose cycle is remembered, as a power of two
    parameter JOBS_LOG2 = 8,                // jobs that may be queued, as a power of two
    parameter TRACE     = 512,              // beats of one read of cycles
    parameter RULES     = 8
) (
    input  wire                 clk,
    input  wire                 clear,      // forget everything
    input  wire                 watch,      // low while the design is in reset
    input  wire [31:0]          cycle,
    input  wire [31:0]          held,       // cycles in which the bench held some stream
    input  wire [RULES-1:0]     enabled,

    input  wire                 job_flip,   // a change appends a job
    input  wire [31:0]          job_bytes,
    input  wire [31:0]          job_packets,

    input  wire                 axis_tvalid,
    input  wire                 axis_tready,
    input  wire [8*BYTES-1:0]   axis_tdata,
    input  wire [BYTES-1:0]     axis_tkeep,
    input  wire                 axis_tlast,

    output reg  [31:0]          beats,      // accepted since clear
    output reg  [31:0]          packets,    // packets that ended where expected
    output reg  [31:0]          jobs_done,
    output reg  [RULES-1:0]     broken,     // rules broken since clear
    output reg  [RULES*64-1:0]  where,      // for each: {beat, cycle}

    input  wire [31:0]          record_job,
    output wire [127:0]         record,     // {held at last, held at first, last cycle, first cycle}
    input  wire                 trace_flip, // a change shows the cycles of the beats from trace_beat on
    input  wire [31:0]          trace_beat,
    output reg  [TRACE*32-1:0]  trace
);

    localparam [31:0] BEAT_BYTES = BYTES;

    reg [63:0]  jobs    [0:(1<<JOBS_LOG2)-1];
    reg [127:0] records [0:(1<<JOBS_LOG2)-1];
    reg [31:0]  cycles  [0:(1<<RING_LOG2)-1];

    assign record = records[record_job[JOBS_LOG2-1:0]];

    // Blocking assignments: all of the state belongs to this one process. Only `jobs_done` is looked at in others.
    reg [31:0]        jobs_written, jobs_taken, jobs_ended, packet_bytes, packets_left, bytes_left;
    reg [31:0]        first_cycle, first_held;
    reg               job_seen, trace_seen, first, stalled_q, tlast_q, expect_last;
    reg [8*BYTES-1:0] tdata_q, mask;
    reg [BYTES-1:0]   tkeep_q, expect_keep;
    integer           i;

    task breaks;
        input integer rule;
        begin
            if (enabled[rule] && !broken[rule]) begin
                broken[rule]         = 1'b1;
                where[rule*64 +: 64] = {beats, cycle};
            end
        end
    endtask

    always @(posedge clk) begin
        if (clear) begin
            beats        = 32'd0;
            packets      = 32'd0;
            jobs_ended   = 32'd0;
            broken       = {RULES{1'b0}};
            where        = {RULES*64{1'b0}};
            jobs_written = 32'd0;
            jobs_taken   = 32'd0;
            packets_left = 32'd0;
            bytes_left   = 32'd0;
            stalled_q    = 1'b0;
            first        = 1'b1;
        end else begin
            if (job_flip != job_seen) begin
                jobs[jobs_written[JOBS_LOG2-1:0]] = {job_packets, job_bytes};
                jobs_written = jobs_written + 32'd1;
            end
            if (!watch) begin
                stalled_q = 1'b0;
            end else begin
                if (bytes_left == 32'd0 && jobs_taken != jobs_written) begin
                    {packets_left, packet_bytes} = jobs[jobs_taken[JOBS_LOG2-1:0]];
                    jobs_taken = jobs_taken + 32'd1;
                    bytes_left = packet_bytes;
                    first      = 1'b1;
                end
`ifndef CONV_UNCHECKED
                if ((axis_tvalid ^ axis_tready) === 1'bx) breaks(0);
                if (stalled_q && axis_tvalid !== 1'b1) breaks(2);
                if (axis_tvalid === 1'b1) begin
                    for (i = 0; i < BYTES; i = i + 1)
                        mask[i*8 +: 8] = {8{axis_tkeep[i]}};
`ifndef VERILATOR
                    if (^{axis_tkeep, axis_tlast, axis_tdata & mask} === 1'bx) breaks(1);
`endif
                    if (stalled_q && (axis_tlast !== tlast_q || axis_tkeep !== tkeep_q
                            || (axis_tdata & mask) !== (tdata_q & mask))) breaks(3);
                end
                stalled_q = axis_tvalid === 1'b1 && axis_tready !== 1'b1;
                tdata_q   = axis_tdata;
                tkeep_q   = axis_tkeep;
                tlast_q   = axis_tlast;
`endif

                if (axis_tvalid === 1'b1 && axis_tready === 1'b1) begin
                    if (bytes_left == 32'd0) begin
`ifndef CONV_UNCHECKED
                        breaks(7);
`endif
                    end else begin
                        expect_last = bytes_left <= BEAT_BYTES;
`ifndef CONV_UNCHECKED
                        expect_keep = bytes_left >= BEAT_BYTES ? {BYTES{1'b1}}
                                    : ~({BYTES{1'b1}} << bytes_left[5:0]);
                        if (axis_tlast === 1'b1 && !expect_last) breaks(4);
                        if (axis_tlast !== 1'b1 && expect_last) breaks(5);
                        if (axis_tkeep !== expect_keep) breaks(6);
`endif
                        if (first) begin
                            first       = 1'b0;
                            first_cycle = cycle;
                            first_held  = held;
                        end
                        bytes_left = expect_last ? 32'd0 : bytes_left - BEAT_BYTES;
                        if (expect_last) begin
                            packets      = packets + 32'd1;
                            packets_left = packets_left - 32'd1;
                            if (packets_left != 32'd0) begin
                                bytes_left = packet_bytes;
                            end else begin
                                records[jobs_ended[JOBS_LOG2-1:0]] = {held, first_held, cycle, first_cycle};
                                jobs_ended = jobs_ended + 32'd1;
                            end
                        end
                    end
`ifndef CONV_UNCHECKED
                    cycles[beats[RING_LOG2-1:0]] = cycle;
`endif
                    beats = beats + 32'd1;
                end
            end
            if (trace_flip != trace_seen)
                for (i = 0; i < TRACE; i = i + 1)
                    trace[i*32 +: 32] = cycles[(trace_beat + i) & ((1<<RING_LOG2) - 1)];
        end
        jobs_done <= jobs_ended;
        job_seen   = job_flip;
        trace_seen = trace_flip;
    end

endmodule
`default_nettype wire
