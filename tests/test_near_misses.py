"""A misspelt name is met by the one that was probably meant, or by two, or by none."""

from __future__ import annotations

import pytest

from irc.near_misses import did_you_mean

KNOWN = ("fold-thresholds", "merge-thresholds", "cse", "onnx-to-bnn")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("fold-treshold", "; did you mean 'fold-thresholds'?"),
        ("Fold_Thresholds", "; did you mean 'fold-thresholds'?"),
        ("old-thresholds", "; did you mean 'fold-thresholds'?"),
        ("e-thresholds", "; did you mean 'merge-thresholds' or 'fold-thresholds'?"),
        ("onnx-to-bn", "; did you mean 'onnx-to-bnn'?"),
        ("xyz", ""),
        ("", ""),
    ],
)
def test_hint(name: str, hint: str) -> None:
    assert did_you_mean(name, KNOWN) == hint
