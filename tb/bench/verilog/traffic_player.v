`default_nettype none
// Repeats what traffic_recorder wrote: with +replay=FILE, `open` is in each cycle of a run what it was then; its last
// line holds on. Each `next` takes the next run of the file.
// Does not: wait for the design; what it does at other times than it did then, it finds open or held as it was.
module traffic_player (
    input  wire       clk,
    input  wire       next,     // a run comes
    input  wire       run,
    output reg        playing,  // there is a file
    output reg  [2:0] open
);

    localparam [31:0] RUN = 32'hffffffff;   // a line that begins one

    reg [8*512-1:0] path;
    integer         file, read;
    reg [31:0]      cycle, then;
    reg [2:0]       open_then;
    reg             found;

    task look_ahead;
        begin
            read  = $fscanf(file, "%d %b", then, open_then);
            found = read == 2;
        end
    endtask

    initial begin
        playing = 1'b0;
        found   = 1'b0;
        open    = 3'b111;
        if ($value$plusargs("replay=%s", path)) begin
            file    = $fopen(path, "r");
            playing = 1'b1;
            look_ahead;
        end
    end

    always @(posedge clk) begin
        if (playing && next) begin
            while (found && then != RUN) look_ahead;
            if (found) look_ahead;
            cycle = 32'd0;
            open  <= found && then == 32'd0 ? open_then : 3'b111;
            if (found && then == 32'd0) look_ahead;
        end else if (playing && run) begin
            cycle = cycle + 32'd1;
            if (found && then == cycle) begin
                open <= open_then;
                look_ahead;
            end
        end
    end

endmodule
`default_nettype wire
