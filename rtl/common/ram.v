// ram: memory with one write port and one read port, both synchronous.
//
// Does not: reset its contents, nor say what a read returns of a word written in the same cycle
// (no user of it here does that).
//
// Latency: without an output register, rd_data holds mem[rd_addr] one cycle after rd_en, and keeps it until the next
// rd_en. With one, it reads every cycle, whatever rd_en says, and rd_data comes two cycles after rd_addr: block
// memories are slow to answer, and have that register inside. Yosys doesn't find it for ECP5: CONV_ECP5 instantiates
// the block.
// Throughput: one write and one read a cycle.

`default_nettype none

module ram #(
    parameter WIDTH           = 8,    // bits of a word
    parameter DEPTH           = 512,  // words; a power of two
    parameter OUTPUT_REGISTER = 0,    // 0, 1: one cycle more, and a quick answer
    parameter ADDR_W          = $clog2(DEPTH)  // derived, leave it
) (
    input  wire                  clk,

    input  wire [ADDR_W+WIDTH:0] write,  // {valid, address, data}

    input  wire                  rd_en,
    input  wire [    ADDR_W-1:0] rd_addr,
    output wire [     WIDTH-1:0] rd_data
);

    wire wr_en;
    wire [ADDR_W-1:0] wr_addr;
    wire [WIDTH-1:0] wr_data;

    assign {wr_en, wr_addr, wr_data} = write;

`ifdef CONV_ECP5
    // Blocks of 1024 words of 18 bits up to 16384 of 1; what is smaller or larger is left to Yosys.
    localparam IN_BLOCKS = OUTPUT_REGISTER != 0 && DEPTH >= 1024 && DEPTH <= 16384;
    localparam SLICE = DEPTH == 1024 ? 18 : DEPTH == 2048 ? 9 : 16384 / DEPTH;  // bits of a block's word
`else
    localparam IN_BLOCKS = 0;
`endif

    generate
        if (IN_BLOCKS) begin : gen_blocks
`ifdef CONV_ECP5
            genvar i;
            localparam SLICES = (WIDTH + SLICE - 1) / SLICE;
            localparam PIN_W = 18;  // of a block's data
            localparam ADDR_PINS = 14;

            wire [SLICE*SLICES:0] to_write = {{SLICE * SLICES - WIDTH + 1{1'b0}}, wr_data};
            wire [SLICE*SLICES-1:0] words;

            // A word's address stands in the upper pins; the lowest two enable the bytes of an 18-bit word.
            wire [ADDR_PINS:0] bytes = SLICE == PIN_W ? 15'd6 : 15'd0;
            wire [ADDR_PINS:0] write_addr = {wr_addr, {ADDR_PINS - ADDR_W + 1{1'b0}}} | bytes;
            wire [ADDR_PINS:0] read_addr = {rd_addr, {ADDR_PINS - ADDR_W + 1{1'b0}}};

            assign rd_data = words[WIDTH-1:0];

            for (i = 0; i < SLICES; i = i + 1) begin : gen_slice
                wire [PIN_W:0] data_in = {{PIN_W - SLICE + 1{1'b0}}, to_write[SLICE*i+:SLICE]};
                wire [PIN_W-1:0] data_out;

                assign words[SLICE*i+:SLICE] = data_out[SLICE-1:0];

                // verilog_format: off
                DP16KD #(
                    .DATA_WIDTH_A(SLICE),
                    .DATA_WIDTH_B(SLICE),
                    .REGMODE_A   ("NOREG"),
                    .REGMODE_B   ("OUTREG"),
                    .RESETMODE   ("SYNC"),
                    .GSR         ("DISABLED")
                ) u_block (
                    .CLKA(clk), .CEA(1'b1), .OCEA(1'b1), .WEA(wr_en), .RSTA(1'b0),
                    .CSA0(1'b0), .CSA1(1'b0), .CSA2(1'b0),
                    .CLKB(clk), .CEB(1'b1), .OCEB(1'b1), .WEB(1'b0), .RSTB(1'b0),
                    .CSB0(1'b0), .CSB1(1'b0), .CSB2(1'b0),
                    .ADA0(write_addr[1]), .ADA1(write_addr[2]), .ADA2(write_addr[3]), .ADA3(write_addr[4]),
                    .ADA4(write_addr[5]), .ADA5(write_addr[6]), .ADA6(write_addr[7]), .ADA7(write_addr[8]),
                    .ADA8(write_addr[9]), .ADA9(write_addr[10]), .ADA10(write_addr[11]), .ADA11(write_addr[12]),
                    .ADA12(write_addr[13]), .ADA13(write_addr[14]),
                    .DIA0(data_in[0]), .DIA1(data_in[1]), .DIA2(data_in[2]), .DIA3(data_in[3]), .DIA4(data_in[4]),
                    .DIA5(data_in[5]), .DIA6(data_in[6]), .DIA7(data_in[7]), .DIA8(data_in[8]), .DIA9(data_in[9]),
                    .DIA10(data_in[10]), .DIA11(data_in[11]), .DIA12(data_in[12]), .DIA13(data_in[13]),
                    .DIA14(data_in[14]), .DIA15(data_in[15]), .DIA16(data_in[16]), .DIA17(data_in[17]),
                    .ADB0(read_addr[1]), .ADB1(read_addr[2]), .ADB2(read_addr[3]), .ADB3(read_addr[4]),
                    .ADB4(read_addr[5]), .ADB5(read_addr[6]), .ADB6(read_addr[7]), .ADB7(read_addr[8]),
                    .ADB8(read_addr[9]), .ADB9(read_addr[10]), .ADB10(read_addr[11]), .ADB11(read_addr[12]),
                    .ADB12(read_addr[13]), .ADB13(read_addr[14]),
                    .DOB0(data_out[0]), .DOB1(data_out[1]), .DOB2(data_out[2]), .DOB3(data_out[3]), .DOB4(data_out[4]),
                    .DOB5(data_out[5]), .DOB6(data_out[6]), .DOB7(data_out[7]), .DOB8(data_out[8]), .DOB9(data_out[9]),
                    .DOB10(data_out[10]), .DOB11(data_out[11]), .DOB12(data_out[12]), .DOB13(data_out[13]),
                    .DOB14(data_out[14]), .DOB15(data_out[15]), .DOB16(data_out[16]), .DOB17(data_out[17])
                );
                // verilog_format: on
            end
`endif
        end else begin : gen_memory
            (* no_rw_check *)
            // for Yosys: nobody reads a word while it is written, so there is nothing to bypass
            reg [WIDTH-1:0] mem[0:DEPTH-1];
            reg [WIDTH-1:0] word_q1;

            always @(posedge clk) begin
                if (wr_en) mem[wr_addr] <= wr_data;
                if (rd_en || OUTPUT_REGISTER != 0) word_q1 <= mem[rd_addr];
            end

            if (OUTPUT_REGISTER != 0) begin : gen_register
                reg [WIDTH-1:0] word_q2;

                always @(posedge clk) word_q2 <= word_q1;

                assign rd_data = word_q2;
            end else begin : gen_no_register
                assign rd_data = word_q1;
            end
        end
    endgenerate

endmodule

`default_nettype wire
