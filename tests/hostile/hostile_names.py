"""Names that would be code, markup or paths wherever they were taken for more than text."""

from __future__ import annotations

from model_files import network
from onnx import ModelProto

MARK = "INJECTED"

NAMES: dict[str, str] = {
    "ends a C comment": f"*/ int {MARK}; /*",
    "ends it by a trigraph": f"*??/\n/ int {MARK}; /*",
    "opens a comment": f"/* {MARK}",
    "line comment": f"// {MARK} \\",
    "line ends": f"\n{MARK}\r\nint {MARK};\r",
    "line ends of Unicode": f"\u2028{MARK}\u2029\x85\x0b\x0c",
    "backslash at the end": f"{MARK}\\",
    "spliced line": f"\\\n{MARK}",
    "trigraphs": f"??/\n??={MARK}??<??>",
    "quotes": f'"; {MARK}(); "',
    "single quotes": f"'; import os; {MARK} #",
    "Python text": f'"""\n{MARK}\n"""',
    "directive of C": f"\n#include <{MARK}>\n#define int {MARK}\n",
    "directive of Verilog": f'\n`define {MARK} `include "/etc/passwd"',
    "module of Verilog": f"); endmodule module {MARK}; endmodule module x(",
    "task of Verilog": f'$display("{MARK}")',
    "pragma of a tool": f"synopsys translate_off {MARK}",
    "pragma of Verilator": f"verilator lint_off {MARK}",
    "attribute": f"(* keep *) {MARK}",
    "shell": f"$(touch {MARK})",
    "backticks": f"`touch {MARK}`",
    "semicolons": f"; touch {MARK};",
    "variable of make": f"$(shell touch {MARK}) ${{{MARK}}}",
    "Tcl": f"[exec touch {MARK}] {{",
    "JSON": f'", "{MARK}": "',
    "HTML": f"</code></pre><script>{MARK}</script><img src=x onerror={MARK}>",
    "link of Markdown": f"[{MARK}](javascript:{MARK})",
    "fence of Markdown": f"```\n{MARK}\n```",
    "cell of Markdown": f"| {MARK} | x |",
    "format": f"%n%s{{0}} {MARK}",
    "template": f"$name $$ {{{{{MARK}}}}}",
    "folding file": f'" {{ pe = 1 }} layer "{MARK}',
    "path up": f"../../{MARK}",
    "absolute path": f"/tmp/{MARK}",
    "path of Windows": f"C:\\{MARK}",
    "option": f"-o{MARK}",
    "NUL": f"\0{MARK}\0",
    "terminal": f"\x1b[2J\x1b]0;{MARK}\x07\x9b31m",
    "other direction": f"\u202e{MARK}\u2066\u200f",
    "invisible": f"\u200b{MARK}\ufeff\U000e0041",
    "other letters": f"é{MARK}漢字\U0001f600",
    "combining letters": f"{MARK}" + "\u0301" * 50,
    "word of C": "int",
    "word of Verilog": "module",
    "word of the tool": "main",
    "number": "0",
    "blank": " ",
    "underline": "_",
    "100 kB": MARK * 12_500,
}
"""A name by what it tries."""


def named(name: str) -> ModelProto:
    """The network, in which everything that has a name or a text has this one, told apart by a
    number behind it."""
    model = network()
    numbers: dict[str, str] = {}

    def text(old: str) -> str:
        return numbers.setdefault(old, f"{name}{len(numbers)}") if old else old

    model.producer_name = model.producer_version = model.domain = model.doc_string = name
    model.metadata_props.add(key=name, value=name)
    graph = model.graph
    graph.name = graph.doc_string = name
    for value in (*graph.input, *graph.output):
        value.name, value.doc_string = text(value.name), name
        value.type.tensor_type.shape.dim[0].dim_param = name
    for tensor in graph.initializer:
        tensor.name, tensor.doc_string = text(tensor.name), name
    for node in graph.node:
        node.name, node.doc_string = text(f"node {node.name}"), name
        node.input[:] = [text(each) for each in node.input]
        node.output[:] = [text(each) for each in node.output]
    return model
