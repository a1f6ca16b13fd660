// control: the AXI4-Lite registers, the queue of descriptors, errors, interrupt.
//
// The register map is in docs/driving-the-core.md.
// Does not: take partial writes; they are answered SLVERR and change nothing, like all that is not in the map.
//
// An error halts the core: everything but this module and the last result register is held in reset, until RESUME.
//
// Latency: a write is answered 2 cycles after address and data are there, a read 2 cycles after its address.
// Throughput: one write and one read each 3 cycles.

`default_nettype none

module control #(
    parameter LANES_IN         = 16,
    parameter LANES_OUT        = 16,
    parameter REQUANT_LANES    = 8,
    parameter FLOAT_RULE       = 1,
    parameter ACT_BYTES        = 65536,
    parameter WGT_WORDS        = 1024,
    parameter CONST_WORDS      = 1024,
    parameter OUT_BYTES        = 16384,
    parameter ACT_STREAM_BYTES = 16,
    parameter WGT_STREAM_BYTES = 16,
    parameter OUT_STREAM_BYTES = 16
) (
    input  wire         clk,
    input  wire         rst,

    input  wire [  7:0] s_axil_awaddr,
    input  wire [  2:0] s_axil_awprot,
    input  wire         s_axil_awvalid,
    output wire         s_axil_awready,
    input  wire [ 31:0] s_axil_wdata,
    input  wire [  3:0] s_axil_wstrb,
    input  wire         s_axil_wvalid,
    output wire         s_axil_wready,
    output wire [  1:0] s_axil_bresp,
    output wire         s_axil_bvalid,
    input  wire         s_axil_bready,
    input  wire [  7:0] s_axil_araddr,
    input  wire [  2:0] s_axil_arprot,
    input  wire         s_axil_arvalid,
    output wire         s_axil_arready,
    output wire [ 31:0] s_axil_rdata,
    output wire [  1:0] s_axil_rresp,
    output wire         s_axil_rvalid,
    input  wire         s_axil_rready,

    output wire         irq,

    // The oldest descriptor that waits for its set-up.
    output wire         desc_valid,
    input  wire         desc_ready,
    output wire [255:0] desc,

    // Errors, one cycle each. If several come at once the first in this order is reported.
    input  wire         setup_error,
    input  wire [  7:0] setup_code,
    input  wire [  7:0] setup_detail,
    input  wire [  2:0] act_error,  // TLAST early, TLAST late, TKEEP
    input  wire [  2:0] wgt_error,

    output wire         halted,
    input  wire         closing,     // beats of results are yet to be taken
    input  wire         layer_end,   // the layer's last result beat is accepted
    output wire         more_queued, // behind the layer at hand

    output wire [  3:0] layer,       // number of the layer at hand, modulo 16
    output wire [  3:0] read_layer,  // whose counter is read
    output wire [  2:0] read_index,  // which
    input  wire [ 31:0] figure
);

    localparam [31:0] ID_VALUE = 32'h434F_4E56;
    localparam [31:0] VERSION_VALUE = 32'h0000_0001;

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
    localparam [7:0] AT_ACTIVE = 8'h84;
    localparam [7:0] AT_STALL_ACT = 8'h88;
    localparam [7:0] AT_STALL_WGT = 8'h8C;
    localparam [7:0] AT_STALL_OUT = 8'h90;
    localparam [7:0] AT_IDLE = 8'h94;

    localparam [7:0] ERROR_QUEUE_FULL = 8'd6;
    localparam [7:0] ERROR_ACT_TLAST_EARLY = 8'd8;
    localparam [7:0] ERROR_ACT_TLAST_LATE = 8'd9;
    localparam [7:0] ERROR_ACT_TKEEP = 8'd10;
    localparam [7:0] ERROR_WGT_TLAST_EARLY = 8'd12;
    localparam [7:0] ERROR_WGT_TLAST_LATE = 8'd13;
    localparam [7:0] ERROR_WGT_TKEEP = 8'd14;

    localparam [1:0] OKAY = 2'b00;
    localparam [1:0] SLVERR = 2'b10;

    localparam QUEUE   = 4;  // descriptors that may wait
    localparam QUEUE_W = 2;

    // Write channel: address and data come in any order and are dealt with together.
    reg        aw_valid_q;
    reg [ 2:0] aw_index_q;  // of a descriptor register
    reg        w_valid_q;
    reg [31:0] w_data_q;
    reg        b_valid_q;
    reg [ 1:0] b_resp_q;

    assign s_axil_awready = !aw_valid_q;
    assign s_axil_wready  = !w_valid_q;
    assign s_axil_bvalid  = b_valid_q;
    assign s_axil_bresp   = b_resp_q;

    // What an address means is found out as it comes.
    reg  writable_q;
    reg  desc_hit_q;
    reg  ctrl_hit_q;
    reg  irq_enable_hit_q;
    reg  irq_status_hit_q;
    reg  counters_of_hit_q;
    reg  all_bytes_q;
    reg  says_start_q;
    reg  says_resume_q;
    reg  says_both_q;

    wire write = aw_valid_q && w_valid_q && !b_valid_q;
    wire command = write && ctrl_hit_q;
    wire desc_hit = s_axil_awaddr >= AT_DESC_FIRST && s_axil_awaddr <= AT_DESC_LAST && s_axil_awaddr[1:0] == 2'b00;
    wire ctrl_hit = s_axil_awaddr == AT_CTRL;
    wire irq_enable_hit = s_axil_awaddr == AT_IRQ_ENABLE;
    wire irq_status_hit = s_axil_awaddr == AT_IRQ_STATUS;
    wire counters_of_hit = s_axil_awaddr == AT_COUNTERS_OF;
    wire start = command && says_start_q;
    wire resume = command && says_resume_q;
    wire queue_full;
    wire start_taken = start && !queue_full && !halted;
    wire refused = ctrl_hit_q && (says_both_q || (says_start_q && (queue_full || halted)));

    always @(posedge clk) begin
        if (s_axil_awready) begin
            aw_index_q        <= s_axil_awaddr[4:2];
            writable_q        <= desc_hit || ctrl_hit || irq_enable_hit || irq_status_hit || counters_of_hit;
            desc_hit_q        <= desc_hit;
            ctrl_hit_q        <= ctrl_hit;
            irq_enable_hit_q  <= irq_enable_hit;
            irq_status_hit_q  <= irq_status_hit;
            counters_of_hit_q <= counters_of_hit;
        end
        if (s_axil_wready) begin
            w_data_q      <= s_axil_wdata;
            all_bytes_q   <= s_axil_wstrb == 4'b1111;
            says_start_q  <= s_axil_wstrb == 4'b1111 && s_axil_wdata[1:0] == 2'b01;
            says_resume_q <= s_axil_wstrb == 4'b1111 && s_axil_wdata[1:0] == 2'b10;
            says_both_q   <= s_axil_wdata[1:0] == 2'b11;
        end
        if (write) b_resp_q <= writable_q && all_bytes_q && !refused ? OKAY : SLVERR;
    end

    always @(posedge clk) begin
        if (rst) begin
            aw_valid_q <= 1'b0;
            w_valid_q  <= 1'b0;
            b_valid_q  <= 1'b0;
        end else begin
            if (write) begin
                aw_valid_q <= 1'b0;
                w_valid_q  <= 1'b0;
                b_valid_q  <= 1'b1;
            end else begin
                if (s_axil_awvalid) aw_valid_q <= 1'b1;
                if (s_axil_wvalid) w_valid_q <= 1'b1;
                if (s_axil_bready) b_valid_q <= 1'b0;
            end
        end
    end

    // Descriptor registers and the queue.
    reg [255:0] desc_q;
    reg [255:0] queue_q[0:QUEUE-1];
    reg         queued_q;  // the registers' descriptor enters the queue
    reg [QUEUE_W-1:0] queue_wr_q;
    reg [QUEUE_W-1:0] queue_rd_q;
    reg [  QUEUE_W:0] waiting_q;
    reg [        7:0] layers_q;       // queued or running
    reg [       31:0] layers_done_q;

    wire desc_taken = desc_valid && desc_ready;

    assign queue_full  = waiting_q == QUEUE[QUEUE_W:0];
    assign desc_valid  = waiting_q != {QUEUE_W + 1{1'b0}};
    assign desc        = queue_q[queue_rd_q];
    assign more_queued = layers_q > 8'd1;

    always @(posedge clk) begin
        if (rst) desc_q <= 256'd0;
        else if (write && all_bytes_q && desc_hit_q) desc_q[{aw_index_q, 5'd0}+:32] <= w_data_q;
        if (queued_q) queue_q[queue_wr_q] <= desc_q;
    end

    // Errors.
    reg       halted_q;
    reg       resume_q;  // asked for while halted, waits until the results' pins are at rest
    reg [7:0] error_code_q;
    reg [7:0] error_detail_q;

    wire stream_error = act_error != 3'd0 || wgt_error != 3'd0;
    wire fatal = (setup_error || stream_error) && !halted_q;
    wire leave = resume_q && !closing;

    reg [7:0] stream_code;

    always @(*) begin
        if (act_error[0]) stream_code = ERROR_ACT_TLAST_EARLY;
        else if (act_error[1]) stream_code = ERROR_ACT_TLAST_LATE;
        else if (act_error[2]) stream_code = ERROR_ACT_TKEEP;
        else if (wgt_error[0]) stream_code = ERROR_WGT_TLAST_EARLY;
        else if (wgt_error[1]) stream_code = ERROR_WGT_TLAST_LATE;
        else stream_code = ERROR_WGT_TKEEP;
    end

    assign halted = halted_q;

    always @(posedge clk) begin
        if (rst) begin
            halted_q       <= 1'b0;
            resume_q       <= 1'b0;
            error_code_q   <= 8'd0;
            error_detail_q <= 8'd0;
        end else begin
            if (fatal) begin
                halted_q       <= 1'b1;
                error_code_q   <= setup_error ? setup_code : stream_code;
                error_detail_q <= setup_error ? setup_detail : 8'd0;
            end else if (halted_q ? leave : resume) begin
                halted_q       <= 1'b0;
                error_code_q   <= 8'd0;
                error_detail_q <= 8'd0;
            end else if (start && queue_full && error_code_q == 8'd0) begin
                error_code_q <= ERROR_QUEUE_FULL;
            end
            // What is written before the core has halted was not meant for the error that halts it.
            resume_q <= halted_q && !leave && (resume_q || resume);
        end
    end

    always @(posedge clk) begin
        if (rst || halted_q) begin
            queue_wr_q <= {QUEUE_W{1'b0}};
            queue_rd_q <= {QUEUE_W{1'b0}};
            waiting_q  <= {QUEUE_W + 1{1'b0}};
            layers_q   <= 8'd0;
            queued_q   <= 1'b0;
        end else begin
            queued_q <= start_taken;
            if (queued_q) queue_wr_q <= queue_wr_q + 1'b1;
            if (desc_taken) queue_rd_q <= queue_rd_q + 1'b1;
            if (queued_q && !desc_taken) waiting_q <= waiting_q + 1'b1;
            if (desc_taken && !queued_q) waiting_q <= waiting_q - 1'b1;
            if (queued_q && !layer_end) layers_q <= layers_q + 8'd1;
            if (layer_end && !queued_q) layers_q <= layers_q - 8'd1;
        end
    end

    // Interrupts: 0 layer done, 1 error.
    reg [1:0] irq_enable_q;
    reg [1:0] irq_status_q;

    wire [1:0] irq_clear = write && all_bytes_q && irq_status_hit_q ? w_data_q[1:0] : 2'b00;

    assign irq = (irq_enable_q & irq_status_q) != 2'b00;

    always @(posedge clk) begin
        if (rst) begin
            irq_enable_q  <= 2'b00;
            irq_status_q  <= 2'b00;
            layers_done_q <= 32'd0;
        end else begin
            if (write && all_bytes_q && irq_enable_hit_q) irq_enable_q <= w_data_q[1:0];
            irq_status_q <= (irq_status_q & ~irq_clear) | {fatal, layer_end};
            if (layer_end) layers_done_q <= layers_done_q + 32'd1;
        end
    end

    // Whose counters are read: [4] 0: the last finished layer's, 1: those of the layer [3:0].
    reg [4:0] counters_of_q;

    assign layer      = layers_done_q[3:0] + 4'd1;
    assign read_layer = counters_of_q[4] ? counters_of_q[3:0] : layers_done_q[3:0];

    always @(posedge clk) begin
        if (rst) counters_of_q <= 5'd0;
        else if (write && all_bytes_q && counters_of_hit_q) counters_of_q <= w_data_q[4:0];
    end

    // Read channel.
    reg        ar_valid_q;
    reg [ 7:0] ar_addr_q;
    reg        r_valid_q;
    reg [31:0] r_data_q;
    reg [ 1:0] r_resp_q;

    assign read_index     = ar_addr_q[4:2];
    assign s_axil_arready = !ar_valid_q && !r_valid_q;
    assign s_axil_rvalid  = r_valid_q;
    assign s_axil_rdata   = r_data_q;
    assign s_axil_rresp   = r_resp_q;

    reg [31:0] r_data;
    reg [ 1:0] r_resp;

    always @(*) begin
        r_resp = OKAY;
        r_data = 32'd0;
        case (ar_addr_q)
            AT_ID: r_data = ID_VALUE;
            AT_VERSION: r_data = VERSION_VALUE;
            AT_LANES: r_data = {7'd0, FLOAT_RULE[0], REQUANT_LANES[7:0], LANES_OUT[7:0], LANES_IN[7:0]};
            AT_ACT_BYTES: r_data = ACT_BYTES;
            AT_WGT_WORDS: r_data = WGT_WORDS;
            AT_CONST_WORDS: r_data = CONST_WORDS;
            AT_OUT_BYTES: r_data = OUT_BYTES;
            AT_STREAM_BYTES: r_data = {8'd0, OUT_STREAM_BYTES[7:0], WGT_STREAM_BYTES[7:0], ACT_STREAM_BYTES[7:0]};
            AT_STATUS: r_data = {16'd0, layers_q, 5'd0, queue_full, halted_q, layers_q != 8'd0};
            AT_ERROR: r_data = {16'd0, error_detail_q, error_code_q};
            AT_IRQ_ENABLE: r_data = {30'd0, irq_enable_q};
            AT_IRQ_STATUS: r_data = {30'd0, irq_status_q};
            AT_LAYERS_DONE: r_data = layers_done_q;
            AT_COUNTERS_OF: r_data = {27'd0, counters_of_q};
            AT_CYCLES, AT_ACTIVE, AT_STALL_ACT, AT_STALL_WGT, AT_STALL_OUT, AT_IDLE: r_data = figure;
            default:
            if (ar_addr_q >= AT_DESC_FIRST && ar_addr_q <= AT_DESC_LAST && ar_addr_q[1:0] == 2'b00)
                r_data = desc_q[{ar_addr_q[4:2], 5'd0}+:32];
            else r_resp = SLVERR;
        endcase
    end

    always @(posedge clk) begin
        if (s_axil_arready) ar_addr_q <= s_axil_araddr;
        if (ar_valid_q) begin
            r_data_q <= r_data;
            r_resp_q <= r_resp;
        end
    end

    always @(posedge clk) begin
        if (rst) begin
            ar_valid_q <= 1'b0;
            r_valid_q  <= 1'b0;
        end else begin
            ar_valid_q <= s_axil_arvalid && s_axil_arready;
            if (ar_valid_q) r_valid_q <= 1'b1;
            else if (s_axil_rready) r_valid_q <= 1'b0;
        end
    end

    wire unused = &{1'b0, s_axil_awprot, s_axil_arprot};

endmodule

`default_nettype wire
