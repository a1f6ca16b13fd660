// number: one number of a layer, kept two layers deep.
//
// layer_setup broadcasts the next layer's numbers while this one runs; `take` makes them those of the layer at hand.
// Does not: reset; what is not valid is not looked at.
//
// Latency: `value` changes the cycle after `take`.

`default_nettype none

module number #(
    parameter [5:0] INDEX = 6'd0,  // of layer_numbers.vh
    parameter       WIDTH = 16     // bits that are kept, 1 to 32
) (
    input  wire             clk,
    input  wire [     38:0] numbers,  // the broadcast: valid, index, value
    input  wire             take,
    output reg  [WIDTH-1:0] value
);

    reg [WIDTH-1:0] next_q;

    always @(posedge clk) begin
        if (numbers[38] && numbers[37:32] == INDEX) next_q <= numbers[WIDTH-1:0];
        if (take) value <= next_q;
    end

    wire unused = &{1'b0, numbers};

endmodule

`default_nettype wire
