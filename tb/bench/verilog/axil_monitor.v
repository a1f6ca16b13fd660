`default_nettype none
// Watches the pins of an AXI4-Lite port, and the interrupt beside it, and drives nothing. It remembers for
// every rule where it was first broken. By bit, which is the rule's number in tb/checks/rules.py less 16:
//
//   0  valid or ready is X                    4  an answer before its request was accepted
//   1  payload X while valid                  5  an answer that nobody asked for
//   2  valid withdrawn before ready           6  the answer is EXOKAY
//   3  payload changed while stalled          7  irq is X
//
// Rules 0, 1 and 7 need Icarus: Verilator has no X. Does not know what an address means.
// With CONV_UNCHECKED it does nothing: for tests/environment/cost.py, which measures what the rules cost.
module axil_monitor #(
    parameter RULES = 8
) (
    input  wire                 clk,
    input  wire                 clear,      // forget everything
    input  wire                 watch,      // low while the design is in reset
    input  wire [31:0]          cycle,
    input  wire [RULES-1:0]     enabled,

    input  wire [7:0]           axil_awaddr,
    input  wire                 axil_awvalid,
    input  wire                 axil_awready,
    input  wire [31:0]          axil_wdata,
    input  wire [3:0]           axil_wstrb,
    input  wire                 axil_wvalid,
    input  wire                 axil_wready,
    input  wire [1:0]           axil_bresp,
    input  wire                 axil_bvalid,
    input  wire                 axil_bready,
    input  wire [7:0]           axil_araddr,
    input  wire                 axil_arvalid,
    input  wire                 axil_arready,
    input  wire [31:0]          axil_rdata,
    input  wire [1:0]           axil_rresp,
    input  wire                 axil_rvalid,
    input  wire                 axil_rready,
    input  wire                 irq,

    output reg  [31:0]          answered,   // accesses since clear
    output reg  [RULES-1:0]     broken,     // rules broken since clear
    output reg  [RULES*64-1:0]  where       // for each: {channel, accesses answered before (28), cycle}
);

    // Channels, as bits of the vectors below and as numbers in `where`.
    localparam AW = 0, W = 1, B = 2, AR = 3, R = 4, IRQ = 5;
    localparam CHANNELS = 5, BITS = 36;

    wire [CHANNELS-1:0] valid = {axil_rvalid, axil_arvalid, axil_bvalid, axil_wvalid, axil_awvalid};
    wire [CHANNELS-1:0] ready = {axil_rready, axil_arready, axil_bready, axil_wready, axil_awready};
    wire [CHANNELS*BITS-1:0] payload = {
        2'd0, axil_rresp, axil_rdata, 28'd0, axil_araddr, 34'd0, axil_bresp, axil_wstrb, axil_wdata, 28'd0, axil_awaddr
    };
    wire [CHANNELS-1:0] accepted = valid & ready;

    // Blocking assignments: all of the state belongs to this one process.
    reg [CHANNELS-1:0]      stalled_q;
    reg [CHANNELS*BITS-1:0] payload_q;
    reg [15:0]              addresses, data, reads;     // accepted and not answered yet
    integer                 c;

    task breaks;
        input integer rule;
        input integer channel;
        begin
            if (enabled[rule] && !broken[rule]) begin
                broken[rule]         = 1'b1;
                where[rule*64 +: 64] = {channel[3:0], answered[27:0], cycle};
            end
        end
    endtask

    always @(posedge clk) begin
        if (clear) begin
            broken = {RULES{1'b0}};
            where  = {RULES*64{1'b0}};
        end
        if (clear || !watch) begin
            stalled_q = {CHANNELS{1'b0}};
            answered  = 32'd0;
            addresses = 16'd0;
            data      = 16'd0;
            reads     = 16'd0;
`ifndef CONV_UNCHECKED
        end else if ((stalled_q | valid) !== {CHANNELS{1'b0}}) begin
            for (c = 0; c < CHANNELS; c = c + 1) begin
                if (stalled_q[c] && valid[c] !== 1'b1) breaks(2, c);
                if (valid[c] === 1'b1) begin
                    if (stalled_q[c] && payload[c*BITS +: BITS] !== payload_q[c*BITS +: BITS]) breaks(3, c);
`ifndef VERILATOR
                    if (^payload[c*BITS +: BITS] === 1'bx) breaks(1, c);
`endif
                    stalled_q[c] = ready[c] !== 1'b1;
                end else begin
                    stalled_q[c] = 1'b0;
                end
            end
            payload_q = payload;

            if (axil_bvalid === 1'b1) begin
                if (axil_bresp === 2'b01) breaks(6, B);
                if (addresses == 16'd0 || data == 16'd0) begin
                    if (addresses != 16'd0 || data != 16'd0 || axil_awvalid === 1'b1 || axil_wvalid === 1'b1) breaks(4, B);
                    else breaks(5, B);
                end
            end
            if (axil_rvalid === 1'b1) begin
                if (axil_rresp === 2'b01) breaks(6, R);
                if (reads == 16'd0) begin
                    if (axil_arvalid === 1'b1) breaks(4, R);
                    else breaks(5, R);
                end
            end

            if (accepted[B] === 1'b1) begin
                answered = answered + 32'd1;
                if (addresses != 16'd0) addresses = addresses - 16'd1;
                if (data != 16'd0) data = data - 16'd1;
            end
            if (accepted[R] === 1'b1) begin
                answered = answered + 32'd1;
                if (reads != 16'd0) reads = reads - 16'd1;
            end
            if (accepted[AW] === 1'b1) addresses = addresses + 16'd1;
            if (accepted[W] === 1'b1) data = data + 16'd1;
            if (accepted[AR] === 1'b1) reads = reads + 16'd1;
`endif
        end
`ifndef VERILATOR
        if (!clear && watch) begin
            for (c = 0; c < CHANNELS; c = c + 1)
                if ((valid[c] ^ ready[c]) === 1'bx) breaks(0, c);
            if (irq === 1'bx) breaks(7, IRQ);
        end
`endif
    end

endmodule
`default_nettype wire
