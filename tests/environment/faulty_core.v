`default_nettype none
// A core that is broken on purpose, at its pins: `conv_core` with one fault between it and the bench. The
// plusarg +fault=N says which; 0 is none, and then it is the core itself. Beats are counted from 0.
//
//   1  results: tvalid stuck at 0                   9  results: tvalid withdrawn at beat 6
//   2  results: nothing after the 8th beat         10  results: tlast a beat early
//   3  results: one beat too many                  11  results: tlast missing
//   4  results: X on byte 3 of beat 5              12  results: tkeep without byte 0 in beat 4
//   5  results: wrong bit 13 in beat 7             13  CYCLES reads one too many
//   6  results: channels 0 and 1 swapped           14  irq stuck at 0
//   7  results: tvalid X before beat 0             15  activations: the last beat is never taken
//   8  results: the payload of beat 6 changes      16  weights: tready stuck at 0
//
//  17  results: tvalid waits for tready            20  control: the core does not see START
//  18  results: the packet comes twice             21  control: no read is taken behind the 3rd result beat
//  19  irq X before the first result
//
// On the control port, the first time that it is possible:
//  22  X on rready's channel: rvalid               27  a write is answered when only its address is there
//  23  X on bit 3 of rdata                         28  a read is answered twice
//  24  bvalid withdrawn while bready is low        29  bresp EXOKAY
//  25  rvalid withdrawn while rready is low        30  rvalid waits for rready
//  26  rdata changes while rready is low           31  bvalid waits for bready
module faulty_core #(
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
    parameter OUT_STREAM_BYTES = 16
) (
    input  wire                          clk,
    input  wire                          rst,
    input  wire [7:0]                    s_axil_awaddr,
    input  wire [2:0]                    s_axil_awprot,
    input  wire                          s_axil_awvalid,
    output wire                          s_axil_awready,
    input  wire [31:0]                   s_axil_wdata,
    input  wire [3:0]                    s_axil_wstrb,
    input  wire                          s_axil_wvalid,
    output wire                          s_axil_wready,
    output reg  [1:0]                    s_axil_bresp,
    output reg                           s_axil_bvalid,
    input  wire                          s_axil_bready,
    input  wire [7:0]                    s_axil_araddr,
    input  wire [2:0]                    s_axil_arprot,
    input  wire                          s_axil_arvalid,
    output wire                          s_axil_arready,
    output reg  [31:0]                   s_axil_rdata,
    output wire [1:0]                    s_axil_rresp,
    output reg                           s_axil_rvalid,
    input  wire                          s_axil_rready,
    output reg                           irq,
    input  wire [8*ACT_STREAM_BYTES-1:0] s_axis_act_tdata,
    input  wire [ACT_STREAM_BYTES-1:0]   s_axis_act_tkeep,
    input  wire                          s_axis_act_tlast,
    input  wire                          s_axis_act_tvalid,
    output wire                          s_axis_act_tready,
    input  wire [8*WGT_STREAM_BYTES-1:0] s_axis_wgt_tdata,
    input  wire [WGT_STREAM_BYTES-1:0]   s_axis_wgt_tkeep,
    input  wire                          s_axis_wgt_tlast,
    input  wire                          s_axis_wgt_tvalid,
    output wire                          s_axis_wgt_tready,
    output reg  [8*OUT_STREAM_BYTES-1:0] m_axis_out_tdata,
    output reg  [OUT_STREAM_BYTES-1:0]   m_axis_out_tkeep,
    output reg                           m_axis_out_tlast,
    output reg                           m_axis_out_tvalid,
    input  wire                          m_axis_out_tready
);

    integer fault;
    initial if (!$value$plusargs("fault=%d", fault)) fault = 0;

    wire                          core_irq, act_tready, wgt_tready, out_tlast, out_tvalid;
    wire                          core_arready, core_bvalid, core_rvalid;
    reg                           core_bready, core_rready;
    wire [1:0]                    core_bresp;
    wire [31:0]                   core_rdata;
    wire [8*OUT_STREAM_BYTES-1:0] out_tdata;
    wire [OUT_STREAM_BYTES-1:0]   out_tkeep;
    reg                           out_tready;

    reg [31:0] beat;                // results the bench has accepted
    reg        extra, swallowed, stalled, cycles_asked;
    reg [8*OUT_STREAM_BYTES-1:0] last_data;
    reg [8*OUT_STREAM_BYTES-1:0] packet [0:255];
    reg [7:0]  again, beats;        // of the packet that comes twice

    reg        b_stalled, r_stalled, address_alone, answered_early, read_again;
    reg [31:0] last_rdata;
    wire       start_lost = fault == 20 && s_axil_awaddr == 8'h20;
    wire       deaf       = fault == 21 && beat >= 32'd3;

    always @(posedge clk) begin
        if (rst) begin
            beat      <= 32'd0;
            extra     <= 1'b0;
            swallowed <= 1'b0;
            stalled   <= 1'b0;
        end else begin
            if (m_axis_out_tvalid === 1'b1 && m_axis_out_tready) beat <= beat + 32'd1;
            stalled <= m_axis_out_tvalid === 1'b1 && !m_axis_out_tready;
            if (out_tvalid && out_tready) last_data <= out_tdata;
            if (out_tvalid && out_tready && out_tlast) extra <= 1'b1;
            else if (m_axis_out_tready) extra <= 1'b0;
            if (s_axis_act_tvalid && s_axis_act_tlast && act_tready) swallowed <= 1'b1;
        end
        if (s_axil_arvalid) cycles_asked <= s_axil_araddr == 8'h80;
        if (out_tvalid && out_tready) packet[beats] <= out_tdata;
        if (rst) begin
            again <= 8'd0;
            beats <= 8'd0;
        end else if (out_tvalid && out_tready) begin
            beats <= beats + 8'd1;
            if (out_tlast) again <= beats + 8'd1;
        end else if (again != 8'd0 && m_axis_out_tready) begin
            again <= again - 8'd1;
        end

        b_stalled <= !rst && s_axil_bvalid && !s_axil_bready;
        r_stalled <= !rst && s_axil_rvalid === 1'b1 && !s_axil_rready;
        if (rst) begin
            address_alone  <= 1'b0;
            answered_early <= 1'b0;
            read_again     <= 1'b0;
        end else begin
            if (s_axil_awvalid && !s_axil_wvalid) address_alone <= 1'b1;
            if (fault == 27 && s_axil_bvalid && s_axil_bready) begin
                address_alone  <= 1'b0;
                answered_early <= address_alone && !core_bvalid;
            end
            if (answered_early && core_bvalid) answered_early <= 1'b0;
            if (s_axil_rvalid === 1'b1 && s_axil_rready) begin
                read_again <= !read_again;
                last_rdata <= s_axil_rdata;
            end
        end
    end

    wire hide_last = fault == 15 && s_axis_act_tlast;
    assign s_axis_act_tready = act_tready && !hide_last;
    assign s_axis_wgt_tready = wgt_tready && fault != 16;
    assign s_axil_arready    = core_arready && !deaf;

    always @(*) begin
        irq           = core_irq && fault != 14;
        s_axil_bresp  = core_bresp;
        s_axil_bvalid = core_bvalid;
        core_bready   = s_axil_bready;
        s_axil_rdata  = core_rdata + {31'd0, fault == 13 && cycles_asked};
        s_axil_rvalid = core_rvalid;
        core_rready   = s_axil_rready;
        case (fault)
            19: if (beat == 32'd0) irq = 1'bx;
            22: if (!core_rvalid) s_axil_rvalid = 1'bx;
            23: s_axil_rdata[3] = 1'bx;
            24: if (b_stalled) begin
                s_axil_bvalid = 1'b0;
                core_bready   = 1'b0;
            end
            25: if (r_stalled) begin
                s_axil_rvalid = 1'b0;
                core_rready   = 1'b0;
            end
            26: if (r_stalled) s_axil_rdata[0] = !core_rdata[0];
            27: begin
                s_axil_bvalid = (core_bvalid || address_alone) && !answered_early;
                core_bready   = s_axil_bready || answered_early;
            end
            28: if (read_again) begin
                s_axil_rvalid = 1'b1;
                s_axil_rdata  = last_rdata;
                core_rready   = 1'b0;
            end
            29: s_axil_bresp = 2'b01;
            30: s_axil_rvalid = core_rvalid && s_axil_rready;
            31: s_axil_bvalid = core_bvalid && s_axil_bready;
            default: ;
        endcase
    end

    always @(*) begin
        m_axis_out_tvalid = out_tvalid;
        m_axis_out_tdata  = out_tdata;
        m_axis_out_tkeep  = out_tkeep;
        m_axis_out_tlast  = out_tlast;
        out_tready        = m_axis_out_tready;
        case (fault)
            1: m_axis_out_tvalid = 1'b0;
            2: if (beat >= 32'd8) begin
                m_axis_out_tvalid = 1'b0;
                out_tready        = 1'b1;
            end
            3: if (extra) begin
                m_axis_out_tvalid = 1'b1;
                m_axis_out_tdata  = last_data;
                m_axis_out_tkeep  = {OUT_STREAM_BYTES{1'b1}};
                m_axis_out_tlast  = 1'b1;
                out_tready        = 1'b0;
            end
            4: if (beat == 32'd5) m_axis_out_tdata[31:24] = 8'hxx;
            5: if (beat == 32'd7) m_axis_out_tdata[13] = !out_tdata[13];
            6: m_axis_out_tdata[15:0] = {out_tdata[7:0], out_tdata[15:8]};
            7: if (beat == 32'd0 && !out_tvalid) m_axis_out_tvalid = 1'bx;
            8: if (beat == 32'd6 && stalled) m_axis_out_tdata[0] = !out_tdata[0];
            9: if (beat == 32'd6 && stalled) begin
                m_axis_out_tvalid = 1'b0;
                out_tready        = 1'b0;
            end
            10: if (beat == 32'd8) m_axis_out_tlast = 1'b1;
            11: m_axis_out_tlast = 1'b0;
            12: if (beat == 32'd4) m_axis_out_tkeep[0] = 1'b0;
            17: m_axis_out_tvalid = out_tvalid && m_axis_out_tready;
            18: if (again != 8'd0) begin
                m_axis_out_tvalid = 1'b1;
                m_axis_out_tdata  = packet[beats-again];
                m_axis_out_tkeep  = {OUT_STREAM_BYTES{1'b1}};
                m_axis_out_tlast  = again == 8'd1;
                out_tready        = 1'b0;
            end
            default: ;
        endcase
    end

    conv_core #(
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
        .s_axil_awaddr    (s_axil_awaddr),
        .s_axil_awprot    (s_axil_awprot),
        .s_axil_awvalid   (s_axil_awvalid),
        .s_axil_awready   (s_axil_awready),
        .s_axil_wdata     (start_lost ? 32'd0 : s_axil_wdata),
        .s_axil_wstrb     (s_axil_wstrb),
        .s_axil_wvalid    (s_axil_wvalid),
        .s_axil_wready    (s_axil_wready),
        .s_axil_bresp     (core_bresp),
        .s_axil_bvalid    (core_bvalid),
        .s_axil_bready    (core_bready),
        .s_axil_araddr    (s_axil_araddr),
        .s_axil_arprot    (s_axil_arprot),
        .s_axil_arvalid   (s_axil_arvalid && !deaf),
        .s_axil_arready   (core_arready),
        .s_axil_rdata     (core_rdata),
        .s_axil_rresp     (s_axil_rresp),
        .s_axil_rvalid    (core_rvalid),
        .s_axil_rready    (core_rready),
        .irq              (core_irq),
        .s_axis_act_tdata (s_axis_act_tdata),
        .s_axis_act_tkeep (s_axis_act_tkeep),
        .s_axis_act_tlast (s_axis_act_tlast),
        .s_axis_act_tvalid(s_axis_act_tvalid && !(hide_last && swallowed)),
        .s_axis_act_tready(act_tready),
        .s_axis_wgt_tdata (s_axis_wgt_tdata),
        .s_axis_wgt_tkeep (s_axis_wgt_tkeep),
        .s_axis_wgt_tlast (s_axis_wgt_tlast),
        .s_axis_wgt_tvalid(s_axis_wgt_tvalid && fault != 16),
        .s_axis_wgt_tready(wgt_tready),
        .m_axis_out_tdata (out_tdata),
        .m_axis_out_tkeep (out_tkeep),
        .m_axis_out_tlast (out_tlast),
        .m_axis_out_tvalid(out_tvalid),
        .m_axis_out_tready(out_tready)
    );

endmodule
`default_nettype wire
