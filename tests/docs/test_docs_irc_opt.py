"""What the page about irc-opt tells its readers to type prints what it says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from page_runner import follow

from irc.tools import irc_opt

PAGE = Path(__file__).resolve().parents[2] / "docs" / "irc-opt.md"


@pytest.mark.slow
def test_the_page_about_irc_opt(tmp_path: Path) -> None:
    assert follow(PAGE, tmp_path) > 12


def test_the_page_knows_every_option_that_watches_passes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert irc_opt.main(["--help"]) == 0
    help_text = capsys.readouterr().out
    begin = help_text.index("printing IR between passes")
    options = set(re.findall(r"^  (--[a-z-]+)", help_text[begin:], re.MULTILINE))
    assert len(options) > 15
    page = PAGE.read_text(encoding="utf-8")
    # These say only how the others do it, or what there is.
    told_elsewhere = {"--check-frames", "--check-seed", "--version"}
    lists = {option for option in options if option.startswith("--list-")}
    assert {option for option in options - told_elsewhere - lists if option not in page} == set()
