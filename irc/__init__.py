"""irc: from binary and low-bit neural networks in ONNX to verified Verilog and portable C.

`import irc` gives everything of `irc.api`, imported when it is first used:

    module = irc.compile_to(irc.load("net.onnx"), "bnn", inputs=["0=uint8/255"])
    print(irc.print_ir(module, elide=True))
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from irc.api import *  # noqa: F403


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("irc-bnn")
        except PackageNotFoundError:
            return "0+checkout"
    # `from irc import errors` asks here before it looks for the submodule.
    if not name.startswith("_") and find_spec(f"irc.{name}") is None:
        api = import_module("irc.api")
        if name in api.__all__:
            return getattr(api, name)
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


def __dir__() -> list[str]:
    from irc import api

    return sorted({*globals(), *api.__all__, "__version__"})
