`default_nettype none
// When a stream is to be held back. Flow and hold phases follow each other; the length of each is
// drawn from a 32-bit shift register. The pattern counts cycles and does not look at the stream, so
// one seed gives one pattern, whatever the design does and whichever simulator runs it.
//
// Does not know whether a hold is allowed: a source that offers a beat has to go on offering it.
//
// flow lasts flow_least + (random & flow_mask) cycles, hold likewise; hold_mask and hold_least at zero
// mean that nothing is ever held. The first phase is a hold.
module stall_generator (
    input  wire        clk,
    input  wire        load,          // take the seed, start over with a hold
    input  wire [31:0] seed,          // not zero
    input  wire [15:0] flow_least,
    input  wire [15:0] flow_mask,
    input  wire [15:0] hold_least,
    input  wire [15:0] hold_mask,
    output wire        hold
);

    reg [31:0] random_q;
    reg [15:0] left_q;
    reg        hold_q;

    // xorshift32 (Marsaglia, 2003)
    wire [31:0] shift_1 = random_q ^ (random_q << 13);
    wire [31:0] shift_2 = shift_1 ^ (shift_1 >> 17);
    wire [31:0] random_d = shift_2 ^ (shift_2 << 5);

    wire        never = (hold_least == 16'd0) && (hold_mask == 16'd0);
    wire [15:0] hold_length = hold_least + (random_q[31:16] & hold_mask);
    wire [15:0] flow_length = flow_least + (random_q[31:16] & flow_mask);

    assign hold = hold_q && !never;

    always @(posedge clk) begin
        random_q <= random_d;
        if (load) begin
            random_q <= seed;
            left_q   <= hold_least + (seed[31:16] & hold_mask);
            hold_q   <= 1'b1;
        end else if (left_q > 16'd1) begin
            left_q <= left_q - 16'd1;
        end else begin
            left_q <= hold_q ? flow_length : hold_length;
            hold_q <= !hold_q;
        end
    end

endmodule
`default_nettype wire
