"""What the tutorials ask of their readers works as they say."""

from __future__ import annotations

from pathlib import Path

import pytest
from page_runner import FileBlock, follow, steps_of

ROOT = Path(__file__).resolve().parents[2]
TUTORIALS = ROOT / "docs" / "tutorials"
TEMPLATE = ROOT / "examples" / "custom_pass"


@pytest.mark.slow
def test_the_tutorial_of_a_pass(tmp_path: Path) -> None:
    page = TUTORIALS / "prune-dead-channels.md"
    assert follow(page, tmp_path, {"PYTHONPATH": str(tmp_path / "site")}) > 5


def test_the_tutorial_ends_with_the_template_package() -> None:
    page = (TUTORIALS / "prune-dead-channels.md").read_text(encoding="utf-8")
    files = {step.name: step.text for step in steps_of(page) if isinstance(step, FileBlock)}
    in_package = [
        path
        for path in TEMPLATE.rglob("*")
        if path.suffix in (".py", ".toml", ".mlir") and path.name != "lit.cfg.py"
    ]
    assert len(in_package) >= 6
    for path in in_package:
        assert files[path.relative_to(TEMPLATE).as_posix()] == path.read_text(encoding="utf-8")
