// AXI4-Stream source: plays stimulus.hex, one beat a line, with random gaps.
//
// While `enable` is 0 it is idle and rewinds. `stall` is the chance of a gap in each cycle, in
// 1/256; `seed` starts the generator of gaps. TLAST marks every BEATS-th beat; after `frames` frames
// of BEATS beats it stops. Verilog-2005.
`default_nettype none

module axis_source #(
  parameter BITS = 8,
  parameter BEATS = 1
) (
  input  wire            aclk,
  input  wire            aresetn,
  input  wire            enable,
  input  wire [8:0]      stall,
  input  wire [31:0]     seed,
  input  wire [31:0]     frames,
  output reg  [BITS-1:0] tdata,
  output reg             tvalid,
  output reg             tlast,
  input  wire            tready
);

  integer file;
  integer found;
  reg open;
  reg [BITS-1:0] word;
  reg [31:0] beat;
  reg [31:0] frames_sent;
  reg [31:0] lfsr;

  // xorshift32
  wire [31:0] mix_0 = lfsr ^ (lfsr << 13);
  wire [31:0] mix_1 = mix_0 ^ (mix_0 >> 17);
  wire [31:0] mix_2 = mix_1 ^ (mix_1 << 5);

  initial begin
    open = 1'b0;
    tvalid = 1'b0;
  end

  always @(posedge aclk) begin
    if (!aresetn || !enable) begin
      if (open) $fclose(file);
      open = 1'b0;
      tdata <= 0;
      tvalid <= 1'b0;
      tlast <= 1'b0;
      beat <= 0;
      frames_sent <= 0;
      lfsr <= seed | 1;
    end else begin
      lfsr <= mix_2;
      if (!open) begin
        file = $fopen("stimulus.hex", "r");
        open = 1'b1;
        found = $fscanf(file, "%h", word);
      end else if (!tvalid || tready) begin
        tvalid <= 1'b0;
        if (found == 1 && frames_sent != frames && {1'b0, lfsr[15:8]} >= stall) begin
          tdata <= word;
          tvalid <= 1'b1;
          tlast <= beat == BEATS - 1;
          beat <= beat == BEATS - 1 ? 0 : beat + 1;
          if (beat == BEATS - 1) frames_sent <= frames_sent + 1;
          found = $fscanf(file, "%h", word);
        end
      end
    end
  end
endmodule

`default_nettype wire
