"""Verilog identifiers: legal, unique within a module, and not a word of any tool's language."""

from __future__ import annotations

import re

from irc.errors import IrcError

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

# Verilog-2005, SystemVerilog (Yosys -sv and vendor tools take the text as either) and the C++ words
# that Verilator warns of.
_WORDS = """
    always and assign automatic begin buf bufif0 bufif1 case casex casez cell cmos config deassign
    default defparam design disable edge else end endcase endconfig endfunction endgenerate
    endmodule endprimitive endspecify endtable endtask event for force forever fork function
    generate genvar highz0 highz1 if ifnone incdir include initial inout input instance integer
    join large liblist library localparam macromodule medium module nand negedge nmos nor
    noshowcancelled not notif0 notif1 or output parameter pmos posedge primitive pull0 pull1
    pulldown pullup pulsestyle_onevent pulsestyle_ondetect rcmos real realtime reg release repeat
    rnmos rpmos rtran rtranif0 rtranif1 scalared showcancelled signed small specify specparam
    strong0 strong1 supply0 supply1 table task time tran tranif0 tranif1 tri tri0 tri1 triand
    trior trireg unsigned use uwire vectored wait wand weak0 weak1 while wire wor xnor xor
    accept_on alias always_comb always_ff always_latch assert assume before bind bins binsof bit
    break byte chandle checker class clocking const constraint context continue cover covergroup
    coverpoint cross dist do endchecker endclass endclocking endgroup endinterface endpackage
    endprogram endproperty endsequence enum eventually expect export extends extern final
    first_match foreach forkjoin global iff ignore_bins illegal_bins implements implies import
    inside int interconnect interface intersect join_any join_none let local logic longint matches
    modport nettype new nexttime null package packed priority program property protected pure rand
    randc randcase randsequence ref reject_on restrict return s_always s_eventually s_nexttime
    s_until s_until_with sequence shortint shortreal soft solve static string strong struct super
    sync_accept_on sync_reject_on tagged this throughout timeprecision timeunit type typedef union
    unique unique0 until until_with untyped var virtual void wait_order weak wildcard with within
    alignas alignof asm auto bool catch char compl constexpr decltype delete double dynamic_cast
    explicit false float friend goto inline long mutable namespace noexcept nullptr operator
    private public register reinterpret_cast short sizeof static_assert static_cast switch
    template thread_local throw true try typeid typename using volatile wchar_t
"""

RESERVED = frozenset(_WORDS.split())


def is_identifier(name: str) -> bool:
    """Whether `name` can stand in Verilog text as it is."""
    return _IDENTIFIER.match(name) is not None and name not in RESERVED


def check_identifier(name: str, what: str) -> str:
    """`name`, where it must be kept as it is; raises `IrcError` if Verilog cannot spell it."""
    if not is_identifier(name):
        raise IrcError(
            f"{what} '{name}' is not a Verilog identifier: "
            "use letters, digits and _, and no word of Verilog, SystemVerilog or C++"
        )
    return name


def sanitise(name: str) -> str:
    """The nearest identifier to `name`."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", name)
    if not name or name[0].isdigit():
        name = f"n{name}"
    return f"{name}_" if name in RESERVED else name


class NameTable:
    """The identifiers of one module."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}

    def reserve(self, name: str, what: str) -> str:
        """Take exactly this name; raises `IrcError` where it is illegal or taken."""
        check_identifier(name, what)
        if name in self._taken:
            raise IrcError(f"{what} '{name}' occurs twice")
        self._taken.add(name)
        return name

    def fresh(self, suggestion: str, *, numbered: bool = False) -> str:
        """Take the suggested name, or `<name>_1`, `<name>_2`…; `numbered` starts at `<name>_0`."""
        base = sanitise(suggestion)
        index = self._next.get(base, 0)
        name = f"{base}_{index}" if index or numbered else base
        while name in self._taken:
            index += 1
            name = f"{base}_{index}"
        self._next[base] = index + 1
        self._taken.add(name)
        return name
