"""CRC-16/CCITT in hardware, a byte at a time.

Polynomial 0x1021, first value 0xFFFF, most significant bit first, as Python's
`binascii.crc_hqx(data, 0xFFFF)`; behind it, high byte first, the CRC of data and CRC is 0.
"""

from __future__ import annotations

from xdsl.ir import SSAValue

from irc.passes.hardware.hw_builder import HwBuilder

CRC_POLYNOMIAL, CRC_FIRST, CRC_BYTES = 0x1021, 0xFFFF, 2


def crc_after(b: HwBuilder, crc: SSAValue, byte: SSAValue) -> SSAValue:
    """The CRC (16 bits) after one more byte.

    The update is linear over GF(2): every new bit is the exclusive or of the bits of `crc` and
    `byte` that eight single steps of the shift register bring there.
    """
    state: list[set[tuple[str, int]]] = [{("crc", index)} for index in range(16)]
    for index in reversed(range(8)):
        feedback = state[15] ^ {("byte", index)}
        state = [set[tuple[str, int]](), *state[:15]]
        for position in range(16):
            if CRC_POLYNOMIAL >> position & 1:
                state[position] = state[position] ^ feedback
    sources = {"crc": crc, "byte": byte}
    bits = [
        b.xor(*(b.bit(sources[name], index) for name, index in sorted(terms))) for terms in state
    ]
    return b.concat(*reversed(bits))
