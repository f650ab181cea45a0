"""One HTML file with everything in it: template, style, scripts and the data that they draw.

Nothing in it comes from or goes to a network. The data stand in a block that browsers do not run,
in which no `<` occurs, and reach the page as text, never as markup; the content security policy
lets run what is here by its hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib import resources
from typing import Any

_FOLDER = "irc.backends.explore"

SCRIPTS = (
    "data.js",
    "dom.js",
    "highlight.js",
    "selection.js",
    "code.js",
    "nodes.js",
    "shapes.js",
    "graph.js",
    "costs.js",
    "arena.js",
    "network.js",
    "passes.js",
    "threshold_plot.js",
    "thresholds.js",
    "outputs.js",
    "main.js",
)
"""In the order in which they follow each other, in one function."""


def page_text(title: str, data: dict[str, Any]) -> str:
    """The page, to be written as UTF-8."""
    style = _read("style.css")
    pieces = "\n".join(_read(f"script/{name}") for name in SCRIPTS)
    script = f'"use strict";\n(function () {{\n{pieces}}})();\n'
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    parts = {
        "policy": escape(policy),
        "title": escape(title),
        "style": style,
        "data": _json(data),
        "script": script,
    }
    template = _read("template.html")
    # From one piece to the next, so that nothing in a value is taken for a place.
    text: list[str] = []
    for index, piece in enumerate(template.split("$")):
        if not index:
            text.append(piece)
            continue
        name = next(name for name in parts if piece.startswith(name))
        text += [parts[name], piece.removeprefix(name)]
    return "".join(text)


def _json(data: dict[str, Any]) -> str:
    """JSON that can stand in a script element: without `<`, `>`, `&` and line ends of its own."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    # A lone half of a surrogate pair, as hostile names may have, has no UTF-8.
    return text.encode("utf-8", "replace").decode("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _read(name: str) -> str:
    return (resources.files(_FOLDER) / name).read_text("utf-8")
