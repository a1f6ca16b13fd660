`default_nettype none
// AXI4-Lite master that carries out a list of accesses, one after the other, and keeps the answers.
//
// A command is 48 bits: [31:0] data, [39:32] address, [43:40] strobes, [44] write. An answer is 48 bits:
// [31:0] data, [33:32] response, [47:34] zero.
//
// Address, data and the acceptance of the answer are each late by a random number of cycles of their own,
// up to `delay_mask`; at 0 all come as soon as they can.
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

    input  wire                   load,         // take the seed
    input  wire [31:0]            seed,         // not zero
    input  wire [3:0]             delay_mask,   // 2**n - 1
    input  wire                   after_valid,  // bready and rready only in answer to valid
    input  wire                   eager,        // both ahead of valid, at once

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

    reg         seen_q, waiting_q, answered_q;
    reg  [15:0] total_q;
    reg  [31:0] random_q;
    reg         address_due_q, data_due_q;      // still to be offered
    reg  [3:0]  address_late_q, data_late_q, answer_late_q;
    reg         eager_q, ready_q;               // ready ahead of valid; in answer to it

    // xorshift32 (Marsaglia, 2003)
    wire [31:0] shift_1  = random_q ^ (random_q << 13);
    wire [31:0] shift_2  = shift_1 ^ (shift_1 >> 17);
    wire [31:0] random_d = shift_2 ^ (shift_2 << 5);

    wire [3:0]  address_late = random_q[11:8] & delay_mask;
    wire [3:0]  data_late    = random_q[17:14] & delay_mask;
    wire [3:0]  answer_late  = random_q[23:20] & delay_mask;

    wire [47:0] command  = commands[done*48 +: 48];
    wire        offered  = (m_axil_bvalid === 1'b1) || (m_axil_rvalid === 1'b1);
    wire        ready    = waiting_q && !answered_q && (eager || eager_q || ready_q);
    wire        answered = offered && ready;
    wire        asking   = address_due_q || data_due_q || (m_axil_awvalid && m_axil_awready !== 1'b1)
                           || (m_axil_wvalid && m_axil_wready !== 1'b1) || (m_axil_arvalid && m_axil_arready !== 1'b1);

    assign busy          = (flip != seen_q) || (done != total_q);
    assign m_axil_bready = ready;
    assign m_axil_rready = ready;

    always @(posedge clk) begin
        if (load) random_q <= seed;
        if (clear) begin
            seen_q         <= flip;
            waiting_q      <= 1'b0;
            answered_q     <= 1'b0;
            done           <= 16'd0;
            total_q        <= 16'd0;
            address_due_q  <= 1'b0;
            data_due_q     <= 1'b0;
            m_axil_awvalid <= 1'b0;
            m_axil_wvalid  <= 1'b0;
            m_axil_arvalid <= 1'b0;
        end else if (flip != seen_q) begin
            seen_q  <= flip;
            done    <= 16'd0;
            total_q <= count;
            answers <= {COMMANDS*48{1'b0}};
        end else if (waiting_q) begin
            address_late_q <= address_late_q - 4'd1;
            data_late_q    <= data_late_q - 4'd1;
            if (m_axil_awready === 1'b1) m_axil_awvalid <= 1'b0;
            if (m_axil_wready === 1'b1)  m_axil_wvalid  <= 1'b0;
            if (m_axil_arready === 1'b1) m_axil_arvalid <= 1'b0;
            if (address_due_q && address_late_q == 4'd1) begin
                address_due_q  <= 1'b0;
                m_axil_awvalid <= command[44];
                m_axil_arvalid <= !command[44];
            end
            if (data_due_q && data_late_q == 4'd1) begin
                data_due_q    <= 1'b0;
                m_axil_wvalid <= 1'b1;
            end
            if (offered && !ready) begin
                ready_q       <= answer_late_q <= 4'd1;
                answer_late_q <= answer_late_q - 4'd1;
            end
            if (answered) begin
                answered_q <= 1'b1;
                ready_q    <= 1'b0;
                answers[done*48 +: 48] <= command[44] ? {14'd0, m_axil_bresp, 32'd0}
                                                      : {14'd0, m_axil_rresp, m_axil_rdata};
            end
            if ((answered || answered_q) && !asking) begin
                waiting_q  <= 1'b0;
                done       <= done + 16'd1;
            end
        end else if (done != total_q) begin
            random_q       <= random_d;
            waiting_q      <= 1'b1;
            answered_q     <= 1'b0;
            ready_q        <= 1'b0;
            eager_q        <= !after_valid && answer_late == 4'd0;
            answer_late_q  <= answer_late;
            address_late_q <= address_late;
            data_late_q    <= data_late;
            address_due_q  <= address_late != 4'd0;
            data_due_q     <= data_late != 4'd0 && command[44];
            m_axil_awaddr  <= command[39:32];
            m_axil_araddr  <= command[39:32];
            m_axil_wdata   <= command[31:0];
            m_axil_wstrb   <= command[43:40];
            m_axil_awvalid <= command[44] && address_late == 4'd0;
            m_axil_wvalid  <= command[44] && data_late == 4'd0;
            m_axil_arvalid <= !command[44] && address_late == 4'd0;
        end
    end

endmodule
`default_nettype wire
