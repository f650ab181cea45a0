"""What fuzzing found once falls no more: one folder for each, as `irc fuzz` writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from irc.fuzz.findings import folders_in, replay
from irc.fuzz.limits import Limits
from irc.tools.irc_fuzz import tools

FINDINGS = Path(__file__).resolve().parents[1] / "fuzz_findings"


@pytest.mark.parametrize("folder", list(folders_in(FINDINGS)), ids=lambda folder: folder.name)
def test_a_finding_ends_cleanly(folder: Path) -> None:
    assert replay(folder, tools(), Limits())["fall"] is None
