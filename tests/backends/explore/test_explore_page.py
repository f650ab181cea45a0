"""The page as a text: whole in itself, and safe whatever a model calls its nodes."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from html.parser import HTMLParser
from importlib import resources
from typing import Any

from irc.backends.explore.page import SCRIPTS, page_text

HOSTILE = (
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<!--<script>",
    "$data $script ]]> &lt; \u2028 \ud800",
    "'\"`${alert(1)}\\u003cscript",
)


class Reader(HTMLParser):
    """Elements with their attributes, and the text of scripts and styles."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside in ("script", "style", "title"):
            self.texts.setdefault(self.inside, []).append(data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    return reader


def test_hostile_names_stay_data() -> None:
    data: dict[str, Any] = {"names": list(HOSTILE), HOSTILE[0]: 1}
    reader = read(page_text(HOSTILE[0], data))
    plain = read(page_text("", {}))
    assert [tag for tag, _ in reader.elements] == [tag for tag, _ in plain.elements]
    assert reader.texts["title"] == [HOSTILE[0]]
    found = json.loads(reader.texts["script"][0])
    assert found["names"][:3] == list(HOSTILE[:3])
    assert found["names"][3] == HOSTILE[3].replace("\ud800", "?")
    assert found["names"][4] == HOSTILE[4]
    assert reader.texts["script"][1:] == plain.texts["script"][1:]


def test_the_policy_allows_what_is_there_and_nothing_else() -> None:
    text = page_text("net", {"a": 1})
    reader = read(text)
    (policy,) = [
        attributes["content"]
        for tag, attributes in reader.elements
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    assert "http" not in policy
    for kind, content in (
        ("style", reader.texts["style"][0]),
        ("script", reader.texts["script"][1]),
    ):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in html.unescape(policy)


def test_nothing_comes_from_elsewhere() -> None:
    reader = read(page_text("net", {}))
    for tag, attributes in reader.elements:
        assert not (tag == "script" and "src" in attributes)
        for name in ("src", "href"):
            assert (attributes.get(name) or "#").startswith(("#", "data:,"))
    assert "url(" not in reader.texts["style"][0]
    assert "@import" not in reader.texts["style"][0]


def test_scripts_never_make_markup_of_text() -> None:
    """Whatever is in the data reaches the page as text."""
    for name in SCRIPTS:
        script = (resources.files("irc.backends.explore") / "script" / name).read_text("utf-8")
        for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert way not in script, name
        assert not re.search(r"\b(?:fetch|XMLHttpRequest|WebSocket|import)\b\s*\(", script), name


def test_all_scripts_are_in_the_page() -> None:
    folder = resources.files("irc.backends.explore") / "script"
    assert {entry.name for entry in folder.iterdir() if entry.name.endswith(".js")} == set(SCRIPTS)


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_texts_can_be_read_in_light_and_dark() -> None:
    """4.5 to 1 or more, which WCAG 2 asks for at level AA."""
    style = (resources.files("irc.backends.explore") / "style.css").read_text("utf-8")
    blocks = re.findall(r":root \{(.*?)\n\s*\}", style, re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
        inks = ["ink", *(name for name in colours if name.startswith("t-"))]
        for ground in ("paper", "hit", "add", "del"):
            for ink in inks:
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
        for ink in ("soft", "accent", "bad", "good"):
            for ground in ("paper", "ground", "raised"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
        assert contrast(colours["soft"], colours["hit"]) >= 4.5
        assert contrast(colours["accent"], colours["accent-soft"]) >= 4.5
        for mark in ("add-mark", "del-mark"):
            assert contrast(colours["ink"], colours[mark]) >= 4.5
