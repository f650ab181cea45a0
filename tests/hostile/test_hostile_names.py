"""Names from a model stay names: nothing that is emitted takes them for code, markup or a path."""

from __future__ import annotations

import ast
import json
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from hostile_names import MARK, NAMES, named
from irc_runner import everything_in, run_irc

from irc.passes.layer_names import MAX_IDENTIFIER, verilog_identifier

DECLARED = ("--input", "uint8/255")

ENDS = {"c": (".c", ".h"), "verilog": (".v", ".vh")}

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[A-Za-z_$`][\w$]*|\d[\w.\']*|[^\s\w]')


def compiled(name: str, target: str) -> Path:
    """The folder of a network whose names are all alike."""
    Path("net.onnx").write_bytes(named(name).SerializeToString())
    result = run_irc("compile", "net.onnx", "--target", target, "-o", "out", *DECLARED)
    assert result.code == 0, result.text
    assert "\x1b" not in result.out + result.err
    return Path("out")


def shape_of(folder: Path, target: str) -> list[str]:
    """All tokens of the code, without comments, identifiers by the order of their appearance."""
    seen: dict[str, str] = {}
    tokens: list[str] = []
    manifest = json.loads((folder / "manifest.json").read_text())
    names = [*manifest["sources"], *(f"{manifest['name']}.h" for _ in "h" if target == "c")]
    for name in names:
        text = _COMMENT.sub(" ", (folder / name).read_text(encoding="utf-8"))
        for token in _TOKEN.findall(text):
            is_name = token[0].isalpha() or token[0] == "_"
            tokens.append(seen.setdefault(token, f"name{len(seen)}") if is_name else token)
    return tokens


def plain_shape(name: str, target: str) -> list[str]:
    """What becomes of names that are nothing but names, and as long as these as identifiers: the
    printer breaks expressions of long names."""
    length = len(verilog_identifier(f"{name}00")) - 2
    return _shape(max(1, length) if length < MAX_IDENTIFIER - 2 else len(name), target)


@cache
def _shape(length: int, target: str) -> list[str]:
    return shape_of(compiled("a" * length, target), target)


def check_texts(folder: Path) -> None:
    """What is no code in the folder holds no markup, nothing invisible, and parses."""
    for name, content in everything_in(folder).items():
        assert MARK not in Path(name).parts, name
        assert ".." not in name
        if content is None:
            continue
        text = content.decode("utf-8")
        odd = {letter for letter in text if not letter.isprintable()} - {"\n", "\t"}
        assert not odd, (name, odd)
        if name.endswith(".py"):
            ast.parse(text)
        if name.endswith(".json"):
            json.loads(text)
        if name.endswith(".md"):
            unquoted = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
            assert "<script" not in unquoted.replace("\\<", "")
            assert not re.search(r"(?<!\\)\]\(javascript", unquoted)
        if not name.endswith((".c", ".h", ".v", ".vh", ".md", ".json", "folding.txt")):
            assert MARK not in text, name


@pytest.mark.parametrize("name", list(NAMES))
def test_c_from_hostile_names(name: str) -> None:
    expected = plain_shape(NAMES[name], "c")
    folder = compiled(NAMES[name], "c")
    assert shape_of(folder, "c") == expected
    check_texts(folder)
    flags = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-fsyntax-only")
    done = subprocess.run(["cc", *flags, "net.c"], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


VERILOG = (
    *("ends a C comment", "line ends", "directive of Verilog", "folding file", "100 kB", "NUL"),
    *("module of Verilog", "pragma of a tool", "quotes", "HTML", "link of Markdown"),
    *("cell of Markdown", "path up", "other direction", "word of Verilog", "blank", "JSON"),
)
"""What could harm here, and does not in C in the same way."""

FAST = VERILOG[:5]


@pytest.mark.parametrize(
    "name", [n if n in FAST else pytest.param(n, marks=pytest.mark.slow) for n in VERILOG]
)
def test_verilog_from_hostile_names(name: str) -> None:
    expected = plain_shape(NAMES[name], "verilog")
    folder = compiled(NAMES[name], "verilog")
    assert shape_of(folder, "verilog") == expected
    check_texts(folder)
    again = run_irc(
        *("compile", "net.onnx", "--target", "verilog", *DECLARED),
        *("--fold", folder / "folding.txt", "-o", "again"),
    )
    assert again.code == 0, again.text
    assert shape_of(Path("again"), "verilog") == expected


@pytest.mark.slow
def test_verilator_takes_what_hostile_names_become(workplace: Path) -> None:
    from irc.backends.toolchain import verilator

    tool = verilator()
    for name in ("ends a C comment", "module of Verilog", "pragma of Verilator"):
        folder = compiled(NAMES[name], "verilog")
        sources = sorted(str(path.relative_to(folder)) for path in folder.glob("rtl/*.v"))
        command = [str(tool.executable), "--lint-only", "-Wall", "--top-module", "net", *sources]
        done = subprocess.run(
            command, cwd=folder, capture_output=True, check=False, env=tool.environment
        )
        assert done.returncode == 0, done.stderr.decode()


@pytest.mark.slow
def test_the_page_of_explore_takes_no_markup_from_names() -> None:
    plain, hostile = Path("plain.html"), Path("hostile.html")
    for path, name in ((plain, "layer"), (hostile, NAMES["HTML"])):
        Path("net.onnx").write_bytes(named(name).SerializeToString())
        result = run_irc("explore", "net.onnx", "-o", path, *DECLARED)
        assert result.code == 0, result.text
    tags = [re.findall(r"</?[a-zA-Z!]\w*", path.read_text()) for path in (plain, hostile)]
    assert tags[0] == tags[1]
    assert MARK in hostile.read_text()
