"""The site builds without a warning, and its reference names all that there is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from irc import api
from irc.universe import DIALECTS, IRC_UNIVERSE, PASSES, TARGETS

DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built from scratch; a warning of Sphinx is an error."""
    folder = tmp_path_factory.mktemp("site")
    options = ("-W", "--keep-going", "-q", "-d", str(folder / "cache"))
    run = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, str(DOCS), str(folder / "html")],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return folder / "html"


@pytest.mark.slow
def test_every_page_is_built_and_in_the_contents(site: Path) -> None:
    contents = (site / "index.html").read_text(encoding="utf-8")
    pages = [path for path in DOCS.rglob("*.md") if path.name != "index.md"]
    assert len(pages) > 12
    for path in pages:
        page = path.relative_to(DOCS).with_suffix(".html").as_posix()
        assert (site / page).is_file()
        if not page.startswith("reference/"):
            assert f'href="{page}"' in contents, f"{page} is not in the contents"


@pytest.mark.slow
def test_the_reference_names_everything(site: Path) -> None:
    def page(name: str) -> str:
        return (site / "reference" / f"{name}.html").read_text(encoding="utf-8")

    for name in PASSES:
        assert f'id="{name}"' in page("passes")
    for name in TARGETS:
        assert f'id="{name}"' in page("targets")
    operations = [
        op.name
        for dialect in DIALECTS
        if dialect != "onnx"
        for op in IRC_UNIVERSE.all_dialects[dialect]().operations
    ]
    assert len(operations) > 50
    for name in operations:
        assert f'id="{name.replace(".", "-").replace("_", "-")}"' in page("dialects"), name
    for name in api.__all__:
        assert f">{name}</span>" in page("api"), name
    for command in ("compile", "verify", "synth"):
        assert f"usage: irc {command}" in page("commands")
    assert "usage: irc-opt" in page("commands")
