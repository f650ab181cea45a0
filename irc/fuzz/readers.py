"""Everything that reads a file: which valid ones are damaged how, and which commands read them."""

from __future__ import annotations

from collections.abc import Callable

from irc.fuzz.corpus import Corpus
from irc.fuzz.job import Job
from irc.fuzz.mutate.bytes import mutate_bytes
from irc.fuzz.mutate.onnx import mutate_onnx
from irc.fuzz.mutate.text import mutate_text
from irc.fuzz.networks.choices import Choices

_ONNX_COMMANDS = (
    ("irc", "check"),
    ("irc-opt",),
    ("irc", "check"),
    ("irc", "run", "--data", "data.npz"),
    ("irc", "compile", "--target", "c", "-o", "out"),
    ("irc", "compile", "--target", "verilog", "-o", "out"),
    ("irc-opt", "--compile-to=packed"),
    ("irc", "quantize", "--uncalibrated", "-o", "out.mlir"),
)

_TEXT_COMMANDS = (
    ("irc-opt",),
    ("irc-opt",),
    ("irc-opt", "-p", "canonicalize"),
    ("irc", "run", "--data", "data.npz"),
    ("irc", "check"),
    ("irc-opt", "--compile-to=packed"),
    ("irc-opt", "--compile-to=hw"),
    ("irc", "compile", "--target", "c", "-o", "out"),
    ("irc", "compile", "--target", "verilog", "-o", "out"),
)

_DECLARING = ("check", "run", "compile", "quantize")


def onnx_job(choices: Choices, corpus: Corpus) -> Job:
    """A damaged model in a command that reads models."""
    sample = choices.pick(corpus.having("model"))
    tool, *rest = choices.pick(_ONNX_COMMANDS)
    command, options = (rest[:1], rest[1:]) if tool == "irc" else ([], rest)
    # Those that print the level of the file alone take no declarations.
    declared = sample.arguments if tool == "irc" or options else ()
    others = {"data.npz": sample.archive} if "data.npz" in options else {}
    return Job(
        "onnx",
        tool,
        (*command, "case.onnx", *declared, *options),
        "case.onnx",
        mutate_onnx(choices, sample.model),
        others,
    )


def mlir_job(choices: Choices, corpus: Corpus) -> Job:
    """Damaged text of some level in a command that reads texts."""
    sample = choices.pick(corpus.having("texts"))
    level = choices.pick(sorted(sample.texts))
    tool, *rest = choices.pick(_TEXT_COMMANDS)
    command, options = (rest[:1], rest[1:]) if tool == "irc" else ([], rest)
    declared = sample.arguments if level == "onnx" and (tool == "irc" or options) else ()
    if options[:1] == ["-p"]:
        declared = ()
    others = {"data.npz": sample.archive} if "data.npz" in options else {}
    text = mutate_text(choices, sample.texts[level], list(sample.texts.values()))
    return Job(
        "mlir",
        tool,
        (*command, "case.mlir", *declared, *options),
        "case.mlir",
        text.encode("utf-8", "surrogatepass"),
        others,
    )


def data_job(choices: Choices, corpus: Corpus) -> Job:
    """Damaged test data for a good network."""
    sample = choices.pick([s for s in corpus.having("archive") if "bnn" in s.texts])
    name = choices.pick(("case.npz", "case.npy"))
    content = mutate_bytes(choices, sample.archive if name == "case.npz" else sample.array)
    command = choices.pick((("run",), ("verify", "--levels", "bnn")))
    return Job(
        "data",
        "irc",
        (command[0], "net.mlir", "--data", name, *command[1:]),
        name,
        content,
        {"net.mlir": sample.texts["bnn"].encode()},
    )


def fold_job(choices: Choices, corpus: Corpus) -> Job:
    """A damaged folding file for a good network."""
    sample = choices.pick([s for s in corpus.having("folding") if "bnn" in s.texts])
    return Job(
        "fold",
        "irc",
        ("compile", "net.mlir", "--target", "verilog", "--fold", "case.txt", "-o", "out"),
        "case.txt",
        mutate_text(choices, sample.folding).encode("utf-8", "surrogatepass"),
        {"net.mlir": sample.texts["bnn"].encode()},
    )


def board_job(choices: Choices, corpus: Corpus) -> Job:
    """A damaged board file for a good network."""
    sample = choices.pick([s for s in corpus.having("folding") if "bnn" in s.texts])
    text = corpus.boards[choices.pick(sorted(corpus.boards))]
    return Job(
        "board",
        "irc",
        ("compile", "net.mlir", "--target", "verilog", "--board", "case.toml", "-o", "out"),
        "case.toml",
        mutate_text(choices, text).encode("utf-8", "surrogatepass"),
        {"net.mlir": sample.texts["bnn"].encode()},
    )


READERS: dict[str, Callable[[Choices, Corpus], Job]] = {
    "onnx": onnx_job,
    "mlir": mlir_job,
    "data": data_job,
    "fold": fold_job,
    "board": board_job,
}
"""What is damaged, by the name that the command line gives it."""

WEIGHTS = {"onnx": 8, "mlir": 8, "data": 2, "fold": 1, "board": 1}
"""How often each is drawn: what a model or a text can say is far more than the rest."""


def reader_job(choices: Choices, corpus: Corpus, readers: tuple[str, ...]) -> Job:
    """A job of one of these readers."""
    drawn = [name for name in readers for _ in range(WEIGHTS[name])]
    return READERS[choices.pick(drawn)](choices, corpus)
