"""The UART as the byte port of a bridge."""

from __future__ import annotations

from irc.passes.hardware.bridge.bridge import BytePort
from irc.passes.hardware.bridge.uart import Divider, uart_receiver, uart_transmitter
from irc.passes.hardware.hw_builder import Port


def uart_port(bridge: str, divider: Divider) -> BytePort:
    """Pins `rx` and `tx`."""
    return BytePort(
        [uart_receiver(f"{bridge}_rx", divider), uart_transmitter(f"{bridge}_tx", divider)],
        [Port.input("rx", 1), Port.output("tx", 1)],
    )
