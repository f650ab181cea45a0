"""Which layer each module of a synthesised design belongs to."""

from __future__ import annotations

from irc.backends.synth.yosys import Module, Usage
from irc.flow.synth import ModuleUsage, modules_by_layer


def test_modules_go_to_the_layers_that_name_them() -> None:
    rows = [
        {"name": "/a.b", "module": "net_a_b"},
        {"name": "pool", "module": None},
        {"name": "a/b", "module": "net_a_b_2"},
        {"name": "a_b_2", "module": "net_a_b"},
        {"name": "74", "module": "net_n74"},
    ]
    modules = [
        Module("net_n74", 1, Usage(luts=5)),
        Module("net_fifo_1x2", 3, Usage(luts=2)),
        Module("net_a_b_2", 1, Usage(luts=4)),
        Module("net_a_b", 2, Usage(luts=7)),
    ]
    assert modules_by_layer(modules, "net", {"layers": rows}) == [
        ModuleUsage("a_b", "/a.b", 2, Usage(luts=14)),
        ModuleUsage("a_b_2", "a/b", 1, Usage(luts=4)),
        ModuleUsage("n74", "74", 1, Usage(luts=5)),
        ModuleUsage("fifo_1x2", None, 3, Usage(luts=6)),
    ]
