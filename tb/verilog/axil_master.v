`default_nettype none
// AXI4-Lite master that carries out a list of accesses, one after the other, and keeps the answers.
//
// A command is 48 bits: [31:0] data, [39:32] address, [43:40] strobes, [44] write. An answer is 48 bits:
// [31:0] data, [33:32] response, [47:34] zero.
module axil_master #(
    parameter COMMANDS = 32                     // longest list
) (
    input  wire                   clk,
    input  wire                   clear,        // forget everything
    input  wire                   flip,         // a change starts the list
    input  wire [COMMANDS*48-1:0] commands,
    input  wire [15:0]            count,
    output reg  [COMMANDS*48-1:0] answers,
    output wire                   busy,
    output reg  [15:0]            done,         // accesses answered so far

    output reg  [7:0]             m_axil_awaddr,
    output reg                    m_axil_awvalid,
    input  wire                   m_axil_awready,
    output reg  [31:0]            m_axil_wdata,
    output reg  [3:0]             m_axil_wstrb,
    output reg                    m_axil_wvalid,
    input  wire                   m_axil_wready,
    input  wire [1:0]             m_axil_bresp,
    input  wire                   m_axil_bvalid,
    output wire                   m_axil_bready,
    output reg  [7:0]             m_axil_araddr,
    output reg                    m_axil_arvalid,
    input  wire                   m_axil_arready,
    input  wire [31:0]            m_axil_rdata,
    input  wire [1:0]             m_axil_rresp,
    input  wire                   m_axil_rvalid,
    output wire                   m_axil_rready
);

    reg         seen_q, waiting_q;
    reg  [15:0] total_q;
    wire [47:0] command  = commands[done*48 +: 48];
    wire        answered = (m_axil_bvalid === 1'b1) || (m_axil_rvalid === 1'b1);

    assign busy          = (flip != seen_q) || (done != total_q);
    assign m_axil_bready = waiting_q;
    assign m_axil_rready = waiting_q;

    always @(posedge clk) begin
        if (clear) begin
            seen_q         <= flip;
            waiting_q      <= 1'b0;
            done           <= 16'd0;
            total_q        <= 16'd0;
            m_axil_awvalid <= 1'b0;
            m_axil_wvalid  <= 1'b0;
            m_axil_arvalid <= 1'b0;
        end else if (flip != seen_q) begin
            seen_q  <= flip;
            done    <= 16'd0;
            total_q <= count;
            answers <= {COMMANDS*48{1'b0}};
        end else if (waiting_q) begin
            if (m_axil_awready === 1'b1) m_axil_awvalid <= 1'b0;
            if (m_axil_wready === 1'b1)  m_axil_wvalid  <= 1'b0;
            if (m_axil_arready === 1'b1) m_axil_arvalid <= 1'b0;
            if (answered) begin
                waiting_q <= 1'b0;
                done      <= done + 16'd1;
                answers[done*48 +: 48] <= command[44] ? {14'd0, m_axil_bresp, 32'd0}
                                                      : {14'd0, m_axil_rresp, m_axil_rdata};
            end
        end else if (done != total_q) begin
            waiting_q      <= 1'b1;
            m_axil_awaddr  <= command[39:32];
            m_axil_araddr  <= command[39:32];
            m_axil_wdata   <= command[31:0];
            m_axil_wstrb   <= command[43:40];
            m_axil_awvalid <= command[44];
            m_axil_wvalid  <= command[44];
            m_axil_arvalid <= !command[44];
        end
    end

endmodule
`default_nettype wire
