"""The named pipelines: which passes lead from one level to the next, and why each is there.

`irc-opt --compile-to=LEVEL` strings them together, `irc-opt --list-pipelines` shows them, and
`-p NAME` runs one by its name, wherever a pass could stand.
"""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.dialects.builtin import ModuleOp

from irc.errors import IrcError, UsageError


@dataclass(frozen=True)
class Step:
    """A pass with its options as `irc-opt -p` takes them, and why the pipeline needs it."""

    spec: str
    why: str
    round: tuple[Step, ...] = ()
    """The passes that it repeats until none of them changes anything; it runs them itself."""


@dataclass(frozen=True)
class Pipeline:
    """The way from one level to another."""

    source: str
    result: str
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        """As the command line calls it."""
        return f"{self.source}-to-{self.result}"


ROUND = (
    Step("split-chains", "what leads to one reader can change without a thought for others"),
    Step("streamline-reshapes", "a reshape in a chain would hide its quantizer"),
    Step("streamline-pools", "the largest of some is found among integers"),
    Step("streamline-pads", "a border of exact values leaves the sums exact"),
    Step("streamline-branches", "joins, slices and upsampling move integers"),
    Step("fit-affine-chains", "preprocessing is often a scale and an offset in disguise"),
    Step("streamline-linear", "sums of exact values need the scales behind the sum"),
    Step("split-sums", "inputs of several scales need a sum for each"),
    Step("fold-residual-adds", "two branches are added as integers, then quantized"),
)
"""What `streamline` repeats: a sum, pool or join that no quantizer precedes is exact only when
what it reads is."""

PIPELINES = (
    Pipeline(
        "onnx",
        "bnn",
        (
            Step(
                "onnx-infer-shapes{batch=1}", "lifting needs every shape; a frame is a batch of 1"
            ),
            Step("onnx-fold-constants", "shape arithmetic and cast weights are noise to lifting"),
            Step("lift-onnx-to-bnn", "from here on a value is a frame, its type says what it is"),
            Step("declare-inputs", "a quantizer can be tabulated once its input is an integer"),
            Step("streamline-transposes", "ONNX keeps channels first, everything below last"),
            Step("streamline-shuffles", "weights in another order need no unit to reorder"),
            Step("recognize-quantizers", "some models write rounding and clipping themselves"),
            Step("streamline", "sums, pools, joins and moves are of integers", ROUND),
            Step("fold-thresholds", "what stands between sum and quantizer becomes integers"),
            Step("merge-equal-operations", "readers that had thresholds each share equal ones"),
            Step("merge-thresholds", "a quantizer right behind another is one, or none at all"),
            Step("integer-outputs", "a cast just before the return is the caller's business"),
            Step("remove-redundant-channels", "what nobody would miss costs weights and cycles"),
            Step("trim-thresholds", "a threshold that decides nothing costs a comparison"),
            Step("erase-unused-operations", "what nobody reads would become a layer of its own"),
            Step("narrow-accumulators", "after it, every width comes from the actual weights"),
        ),
    ),
    Pipeline(
        "bnn",
        "dataflow",
        (
            Step("make-reloadable", "hardware for other weights knows no more than their shape"),
            Step("convert-bnn-to-dataflow", "each layer becomes a unit, streams between them"),
            Step("fold-layers", "as many units of work a cycle as a small FPGA has room for"),
            Step("set-folding", "what a person asked for wins over what was chosen"),
            Step("pipeline-to-clock", "sums of many products outlast a cycle of a fast clock"),
            Step("insert-width-converters", "units folded differently speak different widths"),
            Step("insert-fifos", "a vector of slack lets neighbours run at once"),
        ),
    ),
    Pipeline(
        "dataflow",
        "hw",
        (
            Step("convert-dataflow-to-hw", "each unit becomes registers, wires and memories"),
            Step("erase-unused-operations", "units compute wires that not every folding reads"),
        ),
    ),
    Pipeline(
        "bnn",
        "packed",
        (
            Step("choose-interface", "bytes, bits or a class, as firmware has or wants them"),
            Step("convert-bnn-to-packed", "layouts and kernels are chosen per layer"),
            Step("choose-kernels", "straight code counts the bits of many words at once"),
            Step("choose-placement", "who owns the arena and where constants lie is the user's"),
            Step("plan-arena", "buffers that never live together share memory"),
        ),
    ),
)

LAST_STEP_OF_LIFTING = "recognize-quantizers"
"""Behind it a float network is as short as it gets: where it is quantized, if it has to be."""


MOVE_QUANTIZERS = Step(
    "streamline-transposes", "a quantizer at the entry stands in front of the first transpose"
)


def _halves(pipeline: Pipeline) -> tuple[Pipeline, Pipeline]:
    names = [step.spec.partition("{")[0] for step in pipeline.steps]
    middle = names.index(LAST_STEP_OF_LIFTING) + 1
    return (
        Pipeline(pipeline.source, "float-bnn", pipeline.steps[:middle]),
        Pipeline("float-bnn", pipeline.result, (MOVE_QUANTIZERS, *pipeline.steps[middle:])),
    )


LIFTING, STREAMLINING = HALVES = _halves(PIPELINES[0])
"""The way from the model to level `bnn` in two, for passes between them: `onnx-to-float-bnn` gives
the network in floats, `float-bnn-to-bnn` makes integers of what quantizers allow."""

LEVELS = ("onnx", "bnn", "dataflow", "hw", "packed")
"""Every level at which a module can be, from the model down to either machine."""

TARGET_LEVELS = {"verilog": "hw", "c": "packed"}
"""The level at which a target prints a module."""

# A module also holds what is not lowered yet or never is: the furthest dialect tells the level.
_DIALECT_LEVELS = {"hw": "hw", "packed": "packed", "dataflow": "dataflow", "bnn": "bnn"}


def pipeline_named(name: str) -> Pipeline | None:
    """The pipeline of that name, such as `onnx-to-bnn`."""
    return next((pipeline for pipeline in (*PIPELINES, *HALVES) if pipeline.name == name), None)


def pipeline_names() -> list[str]:
    """The names of all pipelines."""
    return [pipeline.name for pipeline in (*PIPELINES, *HALVES)]


def stages_of(name: str) -> list[str]:
    """The names of the passes that a pass of the pipelines runs in rounds; none for most."""
    return [
        repeated.spec.partition("{")[0]
        for pipeline in PIPELINES
        for step in pipeline.steps
        if step.spec.partition("{")[0] == name
        for repeated in step.round
    ]


def level_of(module: ModuleOp) -> str | None:
    """The level that a module is at; `None` where it holds nothing of ours."""
    dialects = {op.dialect_name() for op in module.walk()}
    for dialect, level in _DIALECT_LEVELS.items():
        if dialect in dialects:
            return level
    if "onnx" in dialects or any(name.startswith("onnx.") for name in module.attributes):
        return "onnx"
    return None


def route(source: str, result: str) -> list[Pipeline]:
    """The pipelines from one level to another, in order; raises `UsageError` if there is no way."""
    way: list[Pipeline] = []
    level = result
    while level != source:
        step = next((pipeline for pipeline in PIPELINES if pipeline.result == level), None)
        if step is None:
            raise UsageError(
                f"there is no way from level '{source}' to level '{result}'; "
                f"from '{source}' one gets to {', '.join(reachable(source)) or 'no other level'}"
            )
        way.insert(0, step)
        level = step.source
    return way


def reachable(source: str) -> list[str]:
    """The levels below `source`."""
    found: list[str] = []
    frontier = [source]
    while frontier:
        level = frontier.pop(0)
        results = [pipeline.result for pipeline in PIPELINES if pipeline.source == level]
        found += results
        frontier += results
    return found


def steps_to(module: ModuleOp, level: str, source: str | None = None) -> list[Step]:
    """The steps that bring `module` to `level`; none if it is there already.

    They start from where the module is, or from `source` where it holds something of that level
    too: lowering can begin once more for what was left there. Raises `UsageError` where there is
    no way, and `IrcError` where there is nothing to bring.
    """
    for name in (level, source):
        if name is not None and name not in LEVELS:
            raise UsageError(f"unknown level '{name}'; expected {', '.join(LEVELS)}")
    here = level_of(module)
    if here is None:
        raise IrcError(
            "the module holds no operation of the onnx, bnn, dataflow, hw or packed dialects, "
            f"so there is nothing to bring to level '{level}'"
        )
    if source is not None and source != here:
        if not any(op.dialect_name() == source for op in module.walk()):
            raise IrcError(
                f"the module is at level '{here}' and holds no operation of level '{source}' to "
                "start from"
            )
        here = source
    return [step for pipeline in route(here, level) for step in pipeline.steps]
