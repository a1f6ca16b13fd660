// halt: the error, and the halted state that it leads to.
//
// Halted, all but the registers and what stands at the pins is held in reset, and both input streams are swallowed.
// RESUME ends that in two steps, so that no rest of a packet is taken for the next layer's: first, once all results
// have been taken, `leaving` asks the input streams to close at the end of their packets (at once, if forced); then,
// when both are closed, the core goes on.
// Does not: look into a queue or a stream.
//
// Latency: the core is halted the cycle after an error.

`default_nettype none

module halt (
    input  wire       clk,
    input  wire       rst,

    // Errors, one cycle each. If several come at once the first in this order is reported.
    input  wire       setup_error,
    input  wire [7:0] setup_code,
    input  wire [7:0] setup_detail,
    input  wire [2:0] act_error,     // TLAST early, TLAST late, TKEEP
    input  wire [2:0] wgt_error,
    input  wire       queue_overrun, // a START for which there was no room: does not halt

    input  wire       resume,
    input  wire       force_resume,  // with it: no matter whether the packets have ended
    input  wire       results_open,  // results are yet to be taken
    input  wire [1:0] closed,        // the input streams

    output wire       halting,       // one cycle
    output wire       halted,
    output wire       leaving,
    output wire       forced,
    output wire [7:0] error_code,
    output wire [7:0] error_detail
);

    localparam [7:0] ERROR_QUEUE_FULL = 8'd6;
    localparam [7:0] ERROR_ACT_TLAST_EARLY = 8'd8;
    localparam [7:0] ERROR_ACT_TLAST_LATE = 8'd9;
    localparam [7:0] ERROR_ACT_TKEEP = 8'd10;
    localparam [7:0] ERROR_WGT_TLAST_EARLY = 8'd12;
    localparam [7:0] ERROR_WGT_TLAST_LATE = 8'd13;
    localparam [7:0] ERROR_WGT_TKEEP = 8'd14;

    reg       halted_q;
    reg       resume_q;  // asked for while halted
    reg       forced_q;
    reg [7:0] code_q;
    reg [7:0] detail_q;

    wire left = leaving && closed == 2'b11;

    reg [7:0] stream_code;

    always @(*) begin
        if (act_error[0]) stream_code = ERROR_ACT_TLAST_EARLY;
        else if (act_error[1]) stream_code = ERROR_ACT_TLAST_LATE;
        else if (act_error[2]) stream_code = ERROR_ACT_TKEEP;
        else if (wgt_error[0]) stream_code = ERROR_WGT_TLAST_EARLY;
        else if (wgt_error[1]) stream_code = ERROR_WGT_TLAST_LATE;
        else stream_code = ERROR_WGT_TKEEP;
    end

    assign halting      = (setup_error || act_error != 3'd0 || wgt_error != 3'd0) && !halted_q;
    assign halted       = halted_q;
    assign leaving      = resume_q && !results_open;
    assign forced       = forced_q;
    assign error_code   = code_q;
    assign error_detail = detail_q;

    always @(posedge clk) begin
        if (rst) begin
            halted_q <= 1'b0;
            resume_q <= 1'b0;
            forced_q <= 1'b0;
            code_q   <= 8'd0;
            detail_q <= 8'd0;
        end else begin
            if (halting) begin
                halted_q <= 1'b1;
                code_q   <= setup_error ? setup_code : stream_code;
                detail_q <= setup_error ? setup_detail : 8'd0;
            end else if (halted_q ? left : resume) begin
                halted_q <= 1'b0;
                code_q   <= 8'd0;
                detail_q <= 8'd0;
            end else if (queue_overrun && code_q == 8'd0) begin
                code_q <= ERROR_QUEUE_FULL;
            end
            // What is written before the core has halted was not meant for the error that halts it.
            resume_q <= halted_q && !left && (resume_q || resume);
            forced_q <= halted_q && !left && (forced_q || force_resume);
        end
    end

endmodule

`default_nettype wire
