"""A frame around a core that needs four pins: streams are wider than most packages.

Shift registers feed the core's inputs and read its outputs, so that nothing of the core can be
optimised away and its paths end at registers, as they do in a real system.
"""

from __future__ import annotations

from collections.abc import Sequence

TOP = "irc_pins"
PORTS = ("aclk", "aresetn", "shift_in", "shift_out")
CONSTRAINTS = f"{TOP}.cst"

_TEXT = """\
// Frame for place and route of {core} alone: inputs are shifted in, outputs shifted out.
module {top} (
    input wire aclk,
    input wire aresetn,
    input wire shift_in,
    output wire shift_out
);
    reg reset_n;
    reg [{inputs_high}:0] inputs;
    wire [{outputs_high}:0] outputs;
    reg [{outputs_high}:0] captured;
    always @(posedge aclk) begin
        reset_n <= aresetn;
        inputs <= {{inputs[{inputs_high_less}:0], shift_in}};
        captured <= inputs[0] ? outputs : {{1'b0, captured[{outputs_high}:1]}};
    end
    assign shift_out = captured[0];
    {core} core (
        .aclk(aclk),
        .aresetn(reset_n),
        .s_axis_tdata(inputs[{in_bits_high}:0]),
        .s_axis_tvalid(inputs[{in_bits}]),
        .s_axis_tlast(inputs[{in_last}]),
        .m_axis_tready(inputs[{in_ready}]),
        .s_axis_tready(outputs[{out_ready}]),
        .m_axis_tdata(outputs[{out_bits_high}:0]),
        .m_axis_tvalid(outputs[{out_bits}]),
        .m_axis_tlast(outputs[{out_last}]){configuration}
    );
endmodule
"""


_CONFIGURATION = """,
        .s_axis_cfg_tdata(inputs[{in_first}+:8]),
        .s_axis_cfg_tvalid(inputs[{in_first} + 8]),
        .s_axis_cfg_tlast(inputs[{in_first} + 9]),
        .s_axis_cfg_tready(outputs[{out_first}]),
        .cfg_busy(outputs[{out_first} + 1]),
        .cfg_error(outputs[{out_first} + 2])"""
"""The ports of a core whose weights are loaded at run time: ten bits of input, three of output."""


def frame_constraints(pins: Sequence[str]) -> str:
    """The places of the `PORTS` of a frame, in the language of nextpnr for Gowin."""
    lines = [f'IO_LOC "{port}" {pin};' for port, pin in zip(PORTS, pins, strict=True)]
    return "\n".join([*lines, ""])


def pin_frame(core: str, input_bits: int, output_bits: int, *, reloadable: bool = False) -> str:
    """Verilog of a module `TOP` around `core`, whose streams have so many bits of TDATA; a
    `reloadable` one has a configuration stream too."""
    inputs, outputs = input_bits + 3, output_bits + 3
    configuration = ""
    if reloadable:
        configuration = _CONFIGURATION.format(in_first=inputs, out_first=outputs)
        inputs, outputs = inputs + 10, outputs + 3
    return _TEXT.format(
        core=core,
        top=TOP,
        configuration=configuration,
        inputs_high=inputs - 1,
        inputs_high_less=inputs - 2,
        outputs_high=outputs - 1,
        in_bits=input_bits,
        in_bits_high=input_bits - 1,
        in_last=input_bits + 1,
        in_ready=input_bits + 2,
        out_bits=output_bits,
        out_bits_high=output_bits - 1,
        out_last=output_bits + 1,
        out_ready=output_bits + 2,
    )
