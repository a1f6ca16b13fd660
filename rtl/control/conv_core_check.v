// conv_core_check: stops simulators and synthesis tools alike when a parameter of conv_core is not legal.
//
// A parameter that is not legal instantiates a module that does not exist, whose name is the error: whatever elaborates
// the core refuses it with that name and the place of the instance, which $display and $finish would not bring about in
// a synthesis tool.
// Does not: become hardware.

`default_nettype none

module conv_core_check #(
    `include "parameters.vh"
) ();

    // The largest buffers that addresses and counts are made for: docs/driving-the-core.md, models/core_config.py.
    localparam MOST_ACT_BYTES = 1 << 22;
    localparam MOST_WGT_WORDS = 1 << 20;
    localparam MOST_CONST_WORDS = 1 << 20;
    localparam MOST_OUT_BYTES = 1 << 24;
    localparam LEAST_WORDS = 16;
    localparam LEAST_CONST_WORDS = CONST_PER_BLOCK > LEAST_WORDS ? CONST_PER_BLOCK : LEAST_WORDS;

    function illegal(input integer value, input integer least, input integer most);
        illegal = value < least || value > most || (value & (value - 1)) != 0;
    endfunction

    generate
        if (illegal(LANES_IN, 4, 32)) begin : gen_lanes_in
            LANES_IN_must_be_4_8_16_or_32 u_error ();
        end
        if (illegal(LANES_OUT, 4, 32)) begin : gen_lanes_out
            LANES_OUT_must_be_4_8_16_or_32 u_error ();
        end
        if (illegal(ACT_BYTES, 4 * LANES_IN, MOST_ACT_BYTES)) begin : gen_act_bytes
            ACT_BYTES_must_be_a_power_of_two_from_4_LANES_IN_to_4194304 u_error ();
        end
        if (illegal(WGT_WORDS, LEAST_WORDS, MOST_WGT_WORDS)) begin : gen_wgt_words
            WGT_WORDS_must_be_a_power_of_two_from_16_to_1048576 u_error ();
        end
        if (illegal(CONST_WORDS, LEAST_CONST_WORDS, MOST_CONST_WORDS)) begin : gen_const_words
            CONST_WORDS_must_be_a_power_of_two_from_16_and_the_words_of_a_block_to_1048576 u_error ();
        end
        if (illegal(OUT_BYTES, 16 * LANES_OUT, MOST_OUT_BYTES)) begin : gen_out_bytes
            OUT_BYTES_must_be_a_power_of_two_from_16_LANES_OUT_to_16777216 u_error ();
        end
        if (illegal(REQUANT_LANES, LANES_OUT / 4, LANES_OUT)) begin : gen_requant_lanes
            REQUANT_LANES_must_be_a_power_of_two_from_a_quarter_of_LANES_OUT_to_LANES_OUT u_error ();
        end
        if (FLOAT_RULE != 0 && FLOAT_RULE != 1) begin : gen_float_rule
            FLOAT_RULE_must_be_0_or_1 u_error ();
        end
        if (illegal(RESULT_QUEUE, 4, 32)) begin : gen_result_queue
            RESULT_QUEUE_must_be_4_8_16_or_32 u_error ();
        end
        if (illegal(ACT_STREAM_BYTES, 1, LANES_IN)) begin : gen_act_stream_bytes
            ACT_STREAM_BYTES_must_be_a_power_of_two_from_1_to_LANES_IN u_error ();
        end
        if (illegal(WGT_STREAM_BYTES, 1, LANES_IN)) begin : gen_wgt_stream_bytes
            WGT_STREAM_BYTES_must_be_a_power_of_two_from_1_to_LANES_IN u_error ();
        end
        if (illegal(OUT_STREAM_BYTES, 1, LANES_OUT)) begin : gen_out_stream_bytes
            OUT_STREAM_BYTES_must_be_a_power_of_two_from_1_to_LANES_OUT u_error ();
        end
    endgenerate

endmodule

`default_nettype wire
