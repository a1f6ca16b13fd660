// registers: the register map, as docs/driving-the-core.md has it, on an AXI4-Lite port, and the interrupt.
//
// Does not: keep the descriptor registers (layer_queue), the error (halt) or the counters (performance_counters); nor
// look at AxPROT. Partial writes are answered SLVERR and change nothing, like all that is not in the map.
//
// Latency: an access is seen the cycle after it was accepted, carried out the cycle after that (later while a
// descriptor is copied into the queue), and answered the cycle after it is done.
// Throughput: one write and one read at a time.

`default_nettype none

module registers #(
    `include "parameters.vh"
) (
    input  wire        clk,
    input  wire        rst,

    input  wire [ 7:0] s_axil_awaddr,
    input  wire [ 2:0] s_axil_awprot,
    input  wire        s_axil_awvalid,
    output reg         s_axil_awready,
    input  wire [31:0] s_axil_wdata,
    input  wire [ 3:0] s_axil_wstrb,
    input  wire        s_axil_wvalid,
    output reg         s_axil_wready,
    output reg  [ 1:0] s_axil_bresp,
    output reg         s_axil_bvalid,
    input  wire        s_axil_bready,
    input  wire [ 7:0] s_axil_araddr,
    input  wire [ 2:0] s_axil_arprot,
    input  wire        s_axil_arvalid,
    output reg         s_axil_arready,
    output reg  [31:0] s_axil_rdata,
    output reg  [ 1:0] s_axil_rresp,
    output reg         s_axil_rvalid,
    input  wire        s_axil_rready,

    output reg         irq,

    // The descriptor registers, and the queue.
    output wire [35:0] desc_write,     // {valid, register, data}
    output wire [ 2:0] desc_read,      // register
    input  wire [31:0] desc_data,      // of that one, where `copying` is low
    output wire        start,
    input  wire        copying,
    input  wire        queue_full,
    input  wire [ 3:0] layers,         // queued or running

    // The error.
    output wire [ 1:0] resume,         // {no matter whether the packets have ended, resume}
    input  wire        halting,        // the core halts: an interrupt
    input  wire        halted,
    input  wire [ 2:0] waits_for,      // RESUME waits: {for results, for a packet of weights, of activations}
    input  wire [15:0] error,          // {detail, code}

    // The counters of layers, by a number modulo 16.
    input  wire        layer_end,      // a layer has finished: an interrupt
    output wire [ 3:0] layer,          // number of the layer at hand
    output wire [ 6:0] figure_read,    // {layer, figure}, where `storing` is low
    input  wire        storing,
    input  wire [31:0] figure          // a cycle later
);

    localparam [31:0] ID_VALUE = 32'h434F_4E56;
    localparam [31:0] VERSION_VALUE = 32'h0002_0000;

    localparam [7:0] AT_ID = 8'h00;
    localparam [7:0] AT_VERSION = 8'h04;
    localparam [7:0] AT_LANES = 8'h08;
    localparam [7:0] AT_ACT_BYTES = 8'h0C;
    localparam [7:0] AT_WGT_WORDS = 8'h10;
    localparam [7:0] AT_CONST_WORDS = 8'h14;
    localparam [7:0] AT_OUT_BYTES = 8'h18;
    localparam [7:0] AT_STREAM_BYTES = 8'h1C;
    localparam [7:0] AT_CTRL = 8'h20;
    localparam [7:0] AT_STATUS = 8'h24;
    localparam [7:0] AT_ERROR = 8'h28;
    localparam [7:0] AT_IRQ_ENABLE = 8'h2C;
    localparam [7:0] AT_IRQ_STATUS = 8'h30;
    localparam [7:0] AT_LAYERS_DONE = 8'h34;
    localparam [7:0] AT_COUNTERS_OF = 8'h38;
    localparam [7:0] AT_DESC_FIRST = 8'h40;
    localparam [7:0] AT_DESC_LAST = 8'h5C;
    localparam [7:0] AT_CYCLES = 8'h80;
    localparam [7:0] AT_IDLE = 8'h94;

    // Bits of CTRL.
    localparam START = 0;
    localparam RESUME = 1;
    localparam FORCE = 2;

    // ---------------------------------------------------------------- handshakes
    // Every pin ends in a register here, or begins in one. An access is held until it is done; then it is answered. In
    // reset nothing is accepted: what is offered then is taken after it.
    reg        aw_valid_q;
    reg [ 7:0] write_addr_q;
    reg        w_valid_q;
    reg [31:0] write_data_q;
    reg [ 3:0] w_strb_q;
    reg        ar_valid_q;
    reg [ 7:0] read_addr_q;

    wire write_done;
    wire write_okay;
    wire read_done;
    wire read_okay;
    wire [31:0] read_data;

    wire write = aw_valid_q && w_valid_q && !s_axil_bvalid;  // all is there, and the answer before has been taken
    wire write_whole = w_strb_q == 4'b1111;
    wire read = ar_valid_q && !s_axil_rvalid;

    // Ready is a register of its own, so that it is low in reset.
    wire aw_valid_d = !write_done && (aw_valid_q || (s_axil_awready && s_axil_awvalid));
    wire w_valid_d = !write_done && (w_valid_q || (s_axil_wready && s_axil_wvalid));
    wire ar_valid_d = !read_done && (ar_valid_q || (s_axil_arready && s_axil_arvalid));

    always @(posedge clk) begin
        if (!aw_valid_q) write_addr_q <= s_axil_awaddr;
        if (!w_valid_q) {w_strb_q, write_data_q} <= {s_axil_wstrb, s_axil_wdata};
        if (!ar_valid_q) read_addr_q <= s_axil_araddr;
        if (write_done) s_axil_bresp <= {!write_okay, 1'b0};  // SLVERR or OKAY
        if (read_done) s_axil_rresp <= {!read_okay, 1'b0};
        if (read_done) s_axil_rdata <= read_data;
    end

    always @(posedge clk) begin
        if (rst) begin
            {aw_valid_q, w_valid_q, ar_valid_q}             <= 3'b000;
            {s_axil_awready, s_axil_wready, s_axil_arready} <= 3'b000;
            {s_axil_bvalid, s_axil_rvalid}                  <= 2'b00;
        end else begin
            {aw_valid_q, w_valid_q, ar_valid_q}             <= {aw_valid_d, w_valid_d, ar_valid_d};
            {s_axil_awready, s_axil_wready, s_axil_arready} <= ~{aw_valid_d, w_valid_d, ar_valid_d};
            s_axil_bvalid <= write_done || (s_axil_bvalid && !s_axil_bready);
            s_axil_rvalid <= read_done || (s_axil_rvalid && !s_axil_rready);
        end
    end

    // ---------------------------------------------------------------- writes
    // What a write is for is found out in a cycle of its own.
    reg decoded_q;
    reg desc_hit_q;
    reg ctrl_hit_q;
    reg irq_enable_hit_q;
    reg irq_status_hit_q;
    reg counters_of_hit_q;

    wire whole = write_done && write_whole;
    wire command = whole && ctrl_hit_q;
    wire both = write_data_q[START] && write_data_q[RESUME];
    wire refused = ctrl_hit_q && (both || (write_data_q[START] && (queue_full || halted)));
    wire hit = desc_hit_q || ctrl_hit_q || irq_enable_hit_q || irq_status_hit_q || counters_of_hit_q;

    assign write_done = decoded_q && !copying;
    assign write_okay = hit && write_whole && !refused;
    assign desc_write = {whole && desc_hit_q, write_addr_q[4:2], write_data_q};
    assign start      = command && write_data_q[START] && !both;
    assign resume     = {2{command && write_data_q[RESUME] && !both}} & {write_data_q[FORCE], 1'b1};

    always @(posedge clk) begin
        desc_hit_q <= write_addr_q >= AT_DESC_FIRST && write_addr_q <= AT_DESC_LAST && write_addr_q[1:0] == 2'b00;

        ctrl_hit_q        <= write_addr_q == AT_CTRL;
        irq_enable_hit_q  <= write_addr_q == AT_IRQ_ENABLE;
        irq_status_hit_q  <= write_addr_q == AT_IRQ_STATUS;
        counters_of_hit_q <= write_addr_q == AT_COUNTERS_OF;
    end

    always @(posedge clk) begin
        if (rst) decoded_q <= 1'b0;
        else decoded_q <= write && !write_done;
    end

    // Layers done, interrupts (0 layer done, 1 error), whose counters are read.
    reg [31:0] layers_done_q;
    reg [ 1:0] irq_enable_q;
    reg [ 1:0] irq_status_q;
    reg [ 4:0] counters_of_q;  // [4] 0: the last finished layer's, 1: those of the layer [3:0]

    wire [1:0] irq_clear = whole && irq_status_hit_q ? write_data_q[1:0] : 2'b00;
    wire [1:0] irq_enable_d = whole && irq_enable_hit_q ? write_data_q[1:0] : irq_enable_q;
    wire [1:0] irq_status_d = (irq_status_q & ~irq_clear) | {halting, layer_end};

    assign layer       = layers_done_q[3:0] + 4'd1;
    assign figure_read = {counters_of_q[4] ? counters_of_q[3:0] : layers_done_q[3:0], read_addr_q[4:2]};

    always @(posedge clk) begin
        if (rst) begin
            layers_done_q <= 32'd0;
            irq_enable_q  <= 2'b00;
            irq_status_q  <= 2'b00;
            irq           <= 1'b0;
            counters_of_q <= 5'd0;
        end else begin
            if (layer_end) layers_done_q <= layers_done_q + 32'd1;
            {irq_enable_q, irq_status_q} <= {irq_enable_d, irq_status_d};
            irq <= (irq_enable_d & irq_status_d) != 2'b00;
            if (whole && counters_of_hit_q) counters_of_q <= write_data_q[4:0];
        end
    end

    // ---------------------------------------------------------------- reads
    // A read, too, takes two cycles: the register; then that, or the counter that comes from its memory.
    reg        fetched_q;
    reg [31:0] register;
    reg [31:0] register_q;
    reg        register_hit_q;
    reg        figure_hit_q;

    wire desc_hit = read_addr_q >= AT_DESC_FIRST && read_addr_q <= AT_DESC_LAST;
    wire [31:0] lanes = {7'd0, FLOAT_RULE[0], REQUANT_LANES[7:0], LANES_OUT[7:0], LANES_IN[7:0]};
    wire [31:0] stream_bytes = {8'd0, OUT_STREAM_BYTES[7:0], WGT_STREAM_BYTES[7:0], ACT_STREAM_BYTES[7:0]};
    wire [31:0] status = {20'd0, layers, 2'd0, waits_for, queue_full, halted, layers != 4'd0};

    assign desc_read   = read_addr_q[4:2];
    assign read_done   = fetched_q;
    assign read_okay   = register_hit_q || figure_hit_q;
    assign read_data   = figure_hit_q ? figure : register_hit_q ? register_q : 32'd0;

    always @(*) begin
        case ({
            read_addr_q[5:2], 2'b00
        })
            AT_ID[5:0]: register = ID_VALUE;
            AT_VERSION[5:0]: register = VERSION_VALUE;
            AT_LANES[5:0]: register = lanes;
            AT_ACT_BYTES[5:0]: register = ACT_BYTES;
            AT_WGT_WORDS[5:0]: register = WGT_WORDS;
            AT_CONST_WORDS[5:0]: register = CONST_WORDS;
            AT_OUT_BYTES[5:0]: register = OUT_BYTES;
            AT_STREAM_BYTES[5:0]: register = stream_bytes;
            AT_STATUS[5:0]: register = status;
            AT_ERROR[5:0]: register = {16'd0, error};
            AT_IRQ_ENABLE[5:0]: register = {30'd0, irq_enable_q};
            AT_IRQ_STATUS[5:0]: register = {30'd0, irq_status_q};
            AT_LAYERS_DONE[5:0]: register = layers_done_q;
            AT_COUNTERS_OF[5:0]: register = {27'd0, counters_of_q};
            default: register = 32'd0;
        endcase
    end

    wire readable = read_addr_q <= AT_COUNTERS_OF && read_addr_q != AT_CTRL;

    always @(posedge clk) begin
        register_q     <= desc_hit ? desc_data : register;
        register_hit_q <= read_addr_q[1:0] == 2'b00 && (desc_hit || readable);
        figure_hit_q   <= read_addr_q[1:0] == 2'b00 && read_addr_q >= AT_CYCLES && read_addr_q <= AT_IDLE;
    end

    always @(posedge clk) begin
        if (rst) fetched_q <= 1'b0;
        else fetched_q <= read && !fetched_q && !copying && !storing;
    end

    wire unused = &{1'b0, s_axil_awprot, s_axil_arprot};

endmodule

`default_nettype wire
