// AXI4-Stream sink: takes `frames` frames of BEATS beats, with random stalls.
//
// With `compare` every beat is compared with a line of expected.hex; with `capture` every beat is
// written as a line of captured.hex. It also checks the protocol: TVALID never falls and TDATA and
// TLAST never change before the beat is taken; nothing comes after the last frame; nothing unknown
// comes at all. `finished` rises when all frames are there, or when no beat came for `patience`
// cycles. While `enable` is 0 it is idle. Verilog-2005.
`default_nettype none

module axis_sink #(
  parameter BITS = 8,
  parameter BEATS = 1
) (
  input  wire            aclk,
  input  wire            aresetn,
  input  wire            enable,
  input  wire            compare,
  input  wire            capture,
  input  wire [8:0]      stall,
  input  wire [31:0]     seed,
  input  wire [31:0]     frames,
  input  wire [31:0]     patience,
  input  wire [BITS-1:0] tdata,
  input  wire            tvalid,
  input  wire            tlast,
  output reg             tready,
  output reg             finished,
  output reg  [31:0]     frames_taken,
  output reg  [31:0]     mismatches,
  output reg  [31:0]     first_mismatch,
  output reg  [31:0]     violations,
  output reg  [31:0]     surplus,
  output reg  [31:0]     half_cycle,
  output reg  [31:0]     last_cycle
);

  integer expected_file;
  integer captured_file;
  integer found;
  reg open;
  reg waiting;
  reg held_last;
  reg [BITS-1:0] held;
  reg [BITS-1:0] expected;
  reg [31:0] beat;
  reg [31:0] beats_taken;
  reg [31:0] cycle;
  reg [31:0] idle;
  reg [31:0] lfsr;

  // xorshift32
  wire [31:0] mix_0 = lfsr ^ (lfsr << 13);
  wire [31:0] mix_1 = mix_0 ^ (mix_0 >> 17);
  wire [31:0] mix_2 = mix_1 ^ (mix_1 << 5);

  wire last_beat = beat == BEATS - 1;
  wire complete = frames_taken == frames;

  initial begin
    open = 1'b0;
    tready = 1'b0;
    finished = 1'b0;
  end

  always @(posedge aclk) begin
    if (!aresetn || !enable) begin
      if (open && compare) $fclose(expected_file);
      if (open && capture) $fclose(captured_file);
      open = 1'b0;
      tready <= 1'b0;
      finished <= 1'b0;
      waiting <= 1'b0;
      frames_taken <= 0;
      mismatches <= 0;
      first_mismatch <= 32'hffffffff;
      violations <= 0;
      surplus <= 0;
      half_cycle <= 0;
      last_cycle <= 0;
      beat <= 0;
      beats_taken <= 0;
      cycle <= 0;
      idle <= 0;
      lfsr <= seed | 1;
    end else begin
      if (!open) begin
        if (compare) expected_file = $fopen("expected.hex", "r");
        if (capture) captured_file = $fopen("captured.hex", "w");
        open = 1'b1;
      end
      cycle <= cycle + 1;
      lfsr <= mix_2;
      tready <= {1'b0, lfsr[15:8]} >= stall;
      idle <= idle + 1;

      if (tvalid !== 1'b0 && tvalid !== 1'b1) violations <= violations + 1;
      if (waiting && (tvalid !== 1'b1 || tdata !== held || tlast !== held_last))
        violations <= violations + 1;
      waiting <= tvalid && !tready;
      held <= tdata;
      held_last <= tlast;

      if (tvalid && tready && complete) surplus <= surplus + 1;
      if (tvalid && tready && !complete) begin
        idle <= 0;
        beats_taken <= beats_taken + 1;
        if (capture) $fdisplay(captured_file, "%h", tdata);
        if (compare) begin
          found = $fscanf(expected_file, "%h", expected);
          if (found != 1 || tdata !== expected || tlast !== last_beat) begin
            mismatches <= mismatches + 1;
            if (mismatches == 0) first_mismatch <= beats_taken;
          end
        end else if (tlast !== last_beat) begin
          violations <= violations + 1;
        end
        beat <= last_beat ? 0 : beat + 1;
        if (last_beat) begin
          frames_taken <= frames_taken + 1;
          if (frames_taken + 1 == frames >> 1) half_cycle <= cycle;
          if (frames_taken + 1 == frames) last_cycle <= cycle;
        end
      end
      // A few cycles more, so that a surplus beat is seen.
      if ((complete && idle == 16) || (!complete && idle == patience)) finished <= 1'b1;
    end
  end
endmodule

`default_nettype wire
