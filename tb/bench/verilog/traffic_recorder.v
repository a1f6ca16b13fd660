`default_nettype none
// Writes down what the bench let through: with +record=FILE, a line `4294967295 000` at each `next`, then a line
// `cycle bits` for cycle 0 and for each change of `open`; cycles count from the first in which `run` is high.
// Does not: look at what the design makes of it.
module traffic_recorder (
    input  wire       clk,
    input  wire       next,     // a run comes
    input  wire       run,
    input  wire [2:0] open      // {activations may flow, weights may flow, tready of the results}
);

    reg [8*512-1:0] path;
    integer         file;
    reg [31:0]      cycle;
    reg [2:0]       open_q;

    initial begin
        file = 0;
        if ($value$plusargs("record=%s", path)) file = $fopen(path, "w");
    end

    // Blocking assignments: all of the state belongs to this one process.
    always @(posedge clk) begin
        if (next) begin
            cycle = 32'd0;
            if (file != 0) $fdisplay(file, "%0d 000", 32'hffffffff);
        end else if (run) begin
            if (file != 0 && (cycle == 32'd0 || open != open_q)) $fdisplay(file, "%0d %b", cycle, open);
            open_q = open;
            cycle  = cycle + 32'd1;
        end
    end

endmodule
`default_nettype wire
