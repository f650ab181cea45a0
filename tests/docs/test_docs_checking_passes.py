"""What the page about finding mistakes tells its readers to type prints what it says."""

from __future__ import annotations

from pathlib import Path

import pytest
from page_runner import follow

PAGE = Path(__file__).resolve().parents[2] / "docs" / "checking-passes.md"


@pytest.mark.slow
def test_the_page_about_checking_passes(tmp_path: Path) -> None:
    assert follow(PAGE, tmp_path) == 5
