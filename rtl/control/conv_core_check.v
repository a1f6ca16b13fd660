// conv_core_check: stops the simulation or the synthesis, before anything runs, when a parameter of conv_core is not legal.
//
// Does not: become hardware.

`default_nettype none

module conv_core_check #(
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
) ();

`include "constants.vh"

    wire unused = &{1'b0, CONST_BIAS[0], CONST_MULT[0], CONST_SHIFT[0]};

    function power_of_two(input integer value);
        power_of_two = value > 0 && (value & (value - 1)) == 0;
    endfunction

    function bad_lanes(input integer value);
        bad_lanes = !power_of_two(value) || value < 4 || value > 32;
    endfunction

    function bad_stream(input integer value, input integer lanes);
        bad_stream = !power_of_two(value) || value > lanes;
    endfunction

    initial begin
        if (bad_lanes(LANES_IN)) begin
            $display("%m: LANES_IN is %0d; it must be 4, 8, 16 or 32", LANES_IN);
            $finish;
        end
        if (bad_lanes(LANES_OUT)) begin
            $display("%m: LANES_OUT is %0d; it must be 4, 8, 16 or 32", LANES_OUT);
            $finish;
        end
        if (!power_of_two(ACT_BYTES) || ACT_BYTES < 4 * LANES_IN || ACT_BYTES > 4194304) begin
            $display("%m: ACT_BYTES is %0d; it must be a power of two from 4 * LANES_IN to 4194304", ACT_BYTES);
            $finish;
        end
        if (!power_of_two(WGT_WORDS) || WGT_WORDS < 16 || WGT_WORDS > 1048576) begin
            $display("%m: WGT_WORDS is %0d; it must be a power of two from 16 to 1048576", WGT_WORDS);
            $finish;
        end
        if (!power_of_two(CONST_WORDS) || CONST_WORDS < 16 || CONST_WORDS < CONST_PER_BLOCK) begin
            $display("%m: CONST_WORDS is %0d; it must be a power of two, at least 16 and %0d", CONST_WORDS,
                     CONST_PER_BLOCK);
            $finish;
        end
        if (!power_of_two(OUT_BYTES) || OUT_BYTES < 16 * LANES_OUT || OUT_BYTES > 16777216) begin
            $display("%m: OUT_BYTES is %0d; it must be a power of two from 16 * LANES_OUT to 16777216", OUT_BYTES);
            $finish;
        end
        if (!power_of_two(REQUANT_LANES) || REQUANT_LANES < LANES_OUT / 4 || REQUANT_LANES > LANES_OUT) begin
            $display("%m: REQUANT_LANES is %0d; it must be a power of two from LANES_OUT / 4 to LANES_OUT", REQUANT_LANES);
            $finish;
        end
        if (FLOAT_RULE != 0 && FLOAT_RULE != 1) begin
            $display("%m: FLOAT_RULE is %0d; it must be 0 or 1", FLOAT_RULE);
            $finish;
        end
        if (!power_of_two(RESULT_QUEUE) || RESULT_QUEUE < 4 || RESULT_QUEUE > 32) begin
            $display("%m: RESULT_QUEUE is %0d; it must be 4, 8, 16 or 32", RESULT_QUEUE);
            $finish;
        end
        if (bad_stream(ACT_STREAM_BYTES, LANES_IN)) begin
            $display("%m: ACT_STREAM_BYTES is %0d; it must be a power of two from 1 to LANES_IN", ACT_STREAM_BYTES);
            $finish;
        end
        if (bad_stream(WGT_STREAM_BYTES, LANES_IN)) begin
            $display("%m: WGT_STREAM_BYTES is %0d; it must be a power of two from 1 to LANES_IN", WGT_STREAM_BYTES);
            $finish;
        end
        if (bad_stream(OUT_STREAM_BYTES, LANES_OUT)) begin
            $display("%m: OUT_STREAM_BYTES is %0d; it must be a power of two from 1 to LANES_OUT", OUT_STREAM_BYTES);
            $finish;
        end
    end

endmodule

`default_nettype wire
