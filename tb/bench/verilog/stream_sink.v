`default_nettype none
// AXI4-Stream sink that keeps what it takes. The host reads many beats at once (`read_*`). Bits that
// are X are kept as 0: the monitor tells of them.
//
// The ring holds 2**RING_LOG2 beats. `drain` asks the host to read when it is half full; when it is
// full, `tready` goes low and that counts as held.
module stream_sink #(
    parameter BYTES     = 16,               // bytes of a beat
    parameter RING_LOG2 = 16,               // beats that fit, as a power of two
    parameter CHUNK     = 512               // beats of one read
) (
    input  wire                     clk,
    input  wire                     clear,      // forget everything

    input  wire                     read_flip,  // a change shows the next beats and frees the ones shown before
    output reg  [CHUNK*8*BYTES-1:0] read_data,
    output reg  [15:0]              read_beats, // how many of them count
    output wire                     drain,

    input  wire                     run,        // take beats
    input  wire                     hold,       // but not in this cycle
    input  wire                     after_valid,// tready only in answer to tvalid, for one beat
    input  wire                     forced,     // tready is `open`, whatever the three say
    input  wire                     open,

    input  wire                     s_axis_tvalid,
    output wire                     s_axis_tready,
    input  wire [8*BYTES-1:0]       s_axis_tdata
);

    localparam [31:0] RING = 32'd1 << RING_LOG2;

    reg [8*BYTES-1:0] ring [0:(1<<RING_LOG2)-1];

    reg [31:0]        written, taken, count;
    reg               read_seen, ready_q;
    reg [8*BYTES-1:0] known;
    integer           i;

    assign drain         = written - taken >= RING / 2;
    assign s_axis_tready = forced ? open && written - taken < RING : ready_q;

    always @(posedge clk) begin
        if (clear) begin
            written    = 32'd0;
            taken      = 32'd0;
            read_beats <= 16'd0;
            ready_q    <= 1'b0;
        end else begin
            if (s_axis_tvalid === 1'b1 && s_axis_tready) begin
                known = s_axis_tdata;
`ifndef VERILATOR
                if (^s_axis_tdata === 1'bx)
                    for (i = 0; i < 8*BYTES; i = i + 1)
                        known[i] = s_axis_tdata[i] === 1'b1;
`endif
                ring[written[RING_LOG2-1:0]] = known;
                written = written + 32'd1;
            end
            if (read_flip != read_seen) begin
                count = written - taken > CHUNK ? CHUNK : written - taken;
                for (i = 0; i < count; i = i + 1)
                    read_data[i*8*BYTES +: 8*BYTES] = ring[(taken + i) & (RING - 1)];
                taken      = taken + count;
                read_beats <= count[15:0];
            end
            // One place is kept free for the beat that may be on its way in this cycle.
            ready_q <= run && !hold && written - taken < RING - 1
                       && (!after_valid || (s_axis_tvalid === 1'b1 && !ready_q));
        end
        read_seen = read_flip;
    end

endmodule
`default_nettype wire
