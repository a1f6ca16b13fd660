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
    input  wire        clk,
    input  wire        rst,

    // Errors, one cycle each. If several come at once the first in this order is reported.
    input  wire [16:0] setup_error,    // {valid, detail, code}
    input  wire [ 2:0] act_error,      // TLAST early, TLAST late, TKEEP
    input  wire [ 2:0] wgt_error,
    input  wire        queue_overrun,  // a START for which there was no room: does not halt

    input  wire [ 1:0] resume,         // {no matter whether the packets have ended, resume}
    input  wire        results_open,   // results are yet to be taken
    input  wire [ 1:0] closed,         // the input streams

    output wire        halting,        // one cycle
    output reg         halted,
    output wire        leaving,
    output reg         forced,
    output reg  [15:0] error           // {detail, code}
);

    localparam [15:0] NO_ERROR = 16'd0;  // with its detail
    localparam [7:0] ERROR_QUEUE_FULL = 8'd6;
    localparam [7:0] ERROR_ACT_TLAST_EARLY = 8'd8;
    localparam [7:0] ERROR_ACT_TLAST_LATE = 8'd9;
    localparam [7:0] ERROR_ACT_TKEEP = 8'd10;
    localparam [7:0] ERROR_WGT_TLAST_EARLY = 8'd12;
    localparam [7:0] ERROR_WGT_TLAST_LATE = 8'd13;
    localparam [7:0] ERROR_WGT_TKEEP = 8'd14;

    reg resume_q;  // asked for while halted

    wire refused;
    wire [15:0] reason;
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

    assign {refused, reason} = setup_error;
    assign halting           = (refused || act_error != 3'd0 || wgt_error != 3'd0) && !halted;
    assign leaving           = resume_q && !results_open;

    always @(posedge clk) begin
        if (rst) begin
            halted   <= 1'b0;
            resume_q <= 1'b0;
            forced   <= 1'b0;
            error    <= NO_ERROR;
        end else begin
            if (halting) begin
                halted <= 1'b1;
                error  <= refused ? reason : {8'd0, stream_code};
            end else if (halted ? left : resume[0]) begin
                halted <= 1'b0;
                error  <= NO_ERROR;
            end else if (queue_overrun && error == NO_ERROR) begin
                error <= {8'd0, ERROR_QUEUE_FULL};
            end
            // What is written before the core has halted was not meant for the error that halts it.
            {forced, resume_q} <= {2{halted && !left}} & ({forced, resume_q} | resume);
        end
    end

endmodule

`default_nettype wire
