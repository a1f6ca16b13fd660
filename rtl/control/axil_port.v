// axil_port: the handshakes of an AXI4-Lite slave. Every pin ends in a register here, or begins in one.
//
// An access is held until `*_done` says that it has been carried out; then it is answered, OKAY or SLVERR.
// In reset nothing is accepted: what is offered then is taken after it.
// Does not: know what an address means, nor look at AxPROT.
//
// Latency: an access is seen the cycle after it was accepted, answered the cycle after it is done.
// Throughput: one write and one read at a time, in each direction.

`default_nettype none

module axil_port #(
    parameter ADDR_W = 8  // bits of an address
) (
    input  wire              clk,
    input  wire              rst,

    input  wire [ADDR_W-1:0] s_axil_awaddr,
    input  wire [       2:0] s_axil_awprot,
    input  wire              s_axil_awvalid,
    output wire              s_axil_awready,
    input  wire [      31:0] s_axil_wdata,
    input  wire [       3:0] s_axil_wstrb,
    input  wire              s_axil_wvalid,
    output wire              s_axil_wready,
    output wire [       1:0] s_axil_bresp,
    output wire              s_axil_bvalid,
    input  wire              s_axil_bready,
    input  wire [ADDR_W-1:0] s_axil_araddr,
    input  wire [       2:0] s_axil_arprot,
    input  wire              s_axil_arvalid,
    output wire              s_axil_arready,
    output wire [      31:0] s_axil_rdata,
    output wire [       1:0] s_axil_rresp,
    output wire              s_axil_rvalid,
    input  wire              s_axil_rready,

    output wire              write,        // address and data are there, and the answer before has been taken
    output wire [ADDR_W-1:0] write_addr,
    output wire [      31:0] write_data,
    output wire              write_whole,  // all four bytes
    input  wire              write_done,
    input  wire              write_okay,

    output wire              read,
    output wire [ADDR_W-1:0] read_addr,
    input  wire              read_done,
    input  wire              read_okay,
    input  wire [      31:0] read_data
);

    reg              aw_ready_q;
    reg              aw_valid_q;
    reg [ADDR_W-1:0] aw_addr_q;
    reg              w_ready_q;
    reg              w_valid_q;
    reg [      31:0] w_data_q;
    reg [       3:0] w_strb_q;
    reg              b_valid_q;
    reg              b_error_q;
    reg              ar_ready_q;
    reg              ar_valid_q;
    reg [ADDR_W-1:0] ar_addr_q;
    reg              r_valid_q;
    reg              r_error_q;
    reg [      31:0] r_data_q;

    assign s_axil_awready = aw_ready_q;
    assign s_axil_wready  = w_ready_q;
    assign s_axil_bvalid  = b_valid_q;
    assign s_axil_bresp   = {b_error_q, 1'b0};  // SLVERR or OKAY
    assign s_axil_arready = ar_ready_q;
    assign s_axil_rvalid  = r_valid_q;
    assign s_axil_rresp   = {r_error_q, 1'b0};
    assign s_axil_rdata   = r_data_q;

    // Ready is a register of its own, so that it is low in reset.
    wire aw_valid_d = !write_done && (aw_valid_q || (aw_ready_q && s_axil_awvalid));
    wire w_valid_d = !write_done && (w_valid_q || (w_ready_q && s_axil_wvalid));
    wire ar_valid_d = !read_done && (ar_valid_q || (ar_ready_q && s_axil_arvalid));

    assign write       = aw_valid_q && w_valid_q && !b_valid_q;
    assign write_addr  = aw_addr_q;
    assign write_data  = w_data_q;
    assign write_whole = w_strb_q == 4'b1111;
    assign read        = ar_valid_q && !r_valid_q;
    assign read_addr   = ar_addr_q;

    always @(posedge clk) begin
        if (!aw_valid_q) aw_addr_q <= s_axil_awaddr;
        if (!w_valid_q) w_data_q <= s_axil_wdata;
        if (!w_valid_q) w_strb_q <= s_axil_wstrb;
        if (!ar_valid_q) ar_addr_q <= s_axil_araddr;
        if (write_done) b_error_q <= !write_okay;
        if (read_done) r_error_q <= !read_okay;
        if (read_done) r_data_q <= read_data;
    end

    always @(posedge clk) begin
        if (rst) begin
            aw_ready_q <= 1'b0;
            w_ready_q  <= 1'b0;
            ar_ready_q <= 1'b0;
            aw_valid_q <= 1'b0;
            w_valid_q  <= 1'b0;
            b_valid_q  <= 1'b0;
            ar_valid_q <= 1'b0;
            r_valid_q  <= 1'b0;
        end else begin
            aw_ready_q <= !aw_valid_d;
            w_ready_q  <= !w_valid_d;
            ar_ready_q <= !ar_valid_d;
            aw_valid_q <= aw_valid_d;
            w_valid_q  <= w_valid_d;
            b_valid_q  <= write_done || (b_valid_q && !s_axil_bready);
            ar_valid_q <= ar_valid_d;
            r_valid_q  <= read_done || (r_valid_q && !s_axil_rready);
        end
    end

    wire unused = &{1'b0, s_axil_awprot, s_axil_arprot};

endmodule

`default_nettype wire
