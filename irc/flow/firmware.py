"""What firmware wants of generated C, as options of passes."""

from __future__ import annotations

from dataclasses import dataclass

from xdsl.utils.arg_spec import ParameterListType

from irc.flow.lowering import Options


@dataclass(frozen=True)
class FirmwareOptions:
    """How C fits into a program, beyond what it computes; the defaults suit every compiler."""

    arena: str = "both"
    """Who holds the working memory: `static`, `caller` or `both`, as the program likes."""
    section: str = ""
    """The linker section of weights and all other constants."""
    program_memory: bool = False
    """Whether constants stay in the program memory of AVR cores."""
    files: str = "one"
    """`one` C file, or one for each of the `layers`."""
    input: str = "model"
    """`uint8`, `int8` or `bits` instead of what the model takes."""
    output: str = "model"
    """`class` instead of what the model gives."""
    word: int = 32
    """Bits of the words that hold bits."""

    def passes(self) -> Options:
        """Options of the passes that carry this out; those that are the default are left out."""
        default = FirmwareOptions()
        found: dict[str, dict[str, ParameterListType]] = {}
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value != getattr(default, name):
                found.setdefault(_PASSES.get(name, "choose-placement"), {})[name] = (value,)
        return found


_PASSES = {
    "input": "choose-interface",
    "output": "choose-interface",
    "word": "convert-bnn-to-packed",
}

__all__ = ["FirmwareOptions"]
