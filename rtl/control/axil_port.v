// axil_port: the handshakes of an AXI4-Lite slave. Every pin ends in a register here, or begins in one.
//
// An access is held until `*_done` says that it has been carried out; then it is answered, OKAY or SLVERR.
// In reset nothing is accepted: what is offered then is taken after it.
// Does not: know what an address means, nor look at AxPROT.
//
// Latency: an access is seen the cycle after it was accepted, answered the cycle after it is done.
// Throughput: one write and one read at a time, in each direction.

`default_nettype none

module axil_port (
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

    output wire [41:0] write,          // {valid, all four bytes, address, data}; when the answer before has been taken
    input  wire [ 1:0] write_answer,   // {done, okay}
    output wire [ 8:0] read,           // {valid, address}
    input  wire [33:0] read_answer     // {done, okay, data}
);

    reg        aw_valid_q;
    reg [ 7:0] aw_addr_q;
    reg        w_valid_q;
    reg [31:0] w_data_q;
    reg [ 3:0] w_strb_q;
    reg        ar_valid_q;
    reg [ 7:0] ar_addr_q;

    wire write_done;
    wire write_okay;
    wire read_done;
    wire read_okay;
    wire [31:0] read_data;

    assign {write_done, write_okay}           = write_answer;
    assign {read_done, read_okay, read_data} = read_answer;
    assign write = {aw_valid_q && w_valid_q && !s_axil_bvalid, w_strb_q == 4'b1111, aw_addr_q, w_data_q};
    assign read  = {ar_valid_q && !s_axil_rvalid, ar_addr_q};

    // Ready is a register of its own, so that it is low in reset.
    wire aw_valid_d = !write_done && (aw_valid_q || (s_axil_awready && s_axil_awvalid));
    wire w_valid_d = !write_done && (w_valid_q || (s_axil_wready && s_axil_wvalid));
    wire ar_valid_d = !read_done && (ar_valid_q || (s_axil_arready && s_axil_arvalid));

    always @(posedge clk) begin
        if (!aw_valid_q) aw_addr_q <= s_axil_awaddr;
        if (!w_valid_q) {w_strb_q, w_data_q} <= {s_axil_wstrb, s_axil_wdata};
        if (!ar_valid_q) ar_addr_q <= s_axil_araddr;
        if (write_done) s_axil_bresp <= {!write_okay, 1'b0};  // SLVERR or OKAY
        if (read_done) s_axil_rresp <= {!read_okay, 1'b0};
        if (read_done) s_axil_rdata <= read_data;
    end

    always @(posedge clk) begin
        if (rst) begin
            {aw_valid_q, w_valid_q, ar_valid_q}                <= 3'b000;
            {s_axil_awready, s_axil_wready, s_axil_arready} <= 3'b000;
            {s_axil_bvalid, s_axil_rvalid}                     <= 2'b00;
        end else begin
            {aw_valid_q, w_valid_q, ar_valid_q}                <= {aw_valid_d, w_valid_d, ar_valid_d};
            {s_axil_awready, s_axil_wready, s_axil_arready} <= ~{aw_valid_d, w_valid_d, ar_valid_d};
            s_axil_bvalid <= write_done || (s_axil_bvalid && !s_axil_bready);
            s_axil_rvalid <= read_done || (s_axil_rvalid && !s_axil_rready);
        end
    end

    wire unused = &{1'b0, s_axil_awprot, s_axil_arprot};

endmodule

`default_nettype wire
