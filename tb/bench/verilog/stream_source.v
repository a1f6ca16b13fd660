`default_nettype none
// AXI4-Stream source that holds whole packets. The host writes many beats at once (`fill_*`) and says
// how they are cut into packets (`job_*`: so many packets of so many bytes each); the source sends a
// beat in every cycle in which it is neither held nor refused.
//
// Every packet starts on a beat of its own. The ring holds 2**RING_LOG2 beats; what does not fit is
// written while the stream flows: `refill` is high while at least half the ring is free and the
// host has more.
module stream_source #(
    parameter BYTES     = 16,               // bytes of a beat
    parameter RING_LOG2 = 16,               // beats that fit, as a power of two
    parameter CHUNK     = 512,              // beats of one write
    parameter JOBS_LOG2 = 8                 // jobs that may be queued, as a power of two
) (
    input  wire                     clk,
    input  wire                     clear,      // forget everything

    input  wire                     fill_flip,  // a change appends the first fill_beats of fill_data
    input  wire [CHUNK*8*BYTES-1:0] fill_data,
    input  wire [15:0]              fill_beats,
    input  wire                     job_flip,   // a change appends a job
    input  wire [31:0]              job_bytes,
    input  wire [31:0]              job_packets,
    input  wire                     more,       // the host has beats beyond those in the ring

    input  wire                     run,        // offer beats
    input  wire                     hold,       // but not in this cycle
    input  wire [31:0]              jobs_free,  // nor beats of jobs from this number on
    output wire                     open,       // neither holds
    output wire                     refill,
    output wire                     held,       // there is a beat to send and it is not offered
    output reg  [31:0]              offered,    // beats offered since clear

    output reg                      m_axis_tvalid,
    input  wire                     m_axis_tready,
    output reg  [8*BYTES-1:0]       m_axis_tdata,
    output reg  [BYTES-1:0]         m_axis_tkeep,
    output reg                      m_axis_tlast
);

    localparam [31:0] RING       = 32'd1 << RING_LOG2;
    localparam [31:0] BEAT_BYTES = BYTES;

    reg [8*BYTES-1:0] ring [0:(1<<RING_LOG2)-1];
    reg [63:0]        jobs [0:(1<<JOBS_LOG2)-1];

    // Blocking assignments throughout: all of the state belongs to this one process.
    reg [31:0] written, taken, jobs_written, jobs_taken;
    reg [31:0] packet_bytes, packets_left, bytes_left;
    reg        fill_seen, job_seen, busy;
    integer    i;

    // The job whose beat comes next; a job has at least one.
    wire [31:0] job = bytes_left == 32'd0 && packets_left == 32'd0 ? jobs_taken : jobs_taken - 32'd1;

    assign open   = !hold && job < jobs_free;
    assign refill = more && (written - taken <= RING / 2);
    assign held   = run && !m_axis_tvalid && (more || written != taken);

    always @(posedge clk) begin
        if (clear) begin
            written       = 32'd0;
            taken         = 32'd0;
            jobs_written  = 32'd0;
            jobs_taken    = 32'd0;
            packets_left  = 32'd0;
            bytes_left    = 32'd0;
            offered       <= 32'd0;
            m_axis_tvalid <= 1'b0;
        end else begin
            if (fill_flip != fill_seen) begin
                for (i = 0; i < fill_beats; i = i + 1)
                    ring[(written + i) & (RING - 1)] = fill_data[i*8*BYTES +: 8*BYTES];
                written = written + {16'd0, fill_beats};
            end
            if (job_flip != job_seen) begin
                jobs[jobs_written[JOBS_LOG2-1:0]] = {job_packets, job_bytes};
                jobs_written = jobs_written + 32'd1;
            end

            busy = m_axis_tvalid && !m_axis_tready;
            if (!busy)
                m_axis_tvalid <= 1'b0;
            if (bytes_left == 32'd0 && packets_left != 32'd0) begin
                packets_left = packets_left - 32'd1;
                bytes_left   = packet_bytes;
            end
            if (bytes_left == 32'd0 && jobs_taken != jobs_written) begin
                {packets_left, packet_bytes} = jobs[jobs_taken[JOBS_LOG2-1:0]];
                jobs_taken   = jobs_taken + 32'd1;
                packets_left = packets_left - 32'd1;
                bytes_left   = packet_bytes;
            end
            if (run && open && !busy && bytes_left != 32'd0 && taken != written) begin
                m_axis_tvalid <= 1'b1;
                m_axis_tdata  <= ring[taken[RING_LOG2-1:0]];
                m_axis_tlast  <= bytes_left <= BEAT_BYTES;
                m_axis_tkeep  <= bytes_left >= BEAT_BYTES ? {BYTES{1'b1}}
                               : ~({BYTES{1'b1}} << bytes_left[5:0]);
                taken      = taken + 32'd1;
                offered    <= offered + 32'd1;
                bytes_left = bytes_left >= BEAT_BYTES ? bytes_left - BEAT_BYTES : 32'd0;
            end
        end
        fill_seen = fill_flip;
        job_seen  = job_flip;
    end

endmodule
`default_nettype wire
