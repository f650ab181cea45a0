"""Target host: a library that loads, a folder that works without irc, and clear failures."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from c_networks import tiny

import irc
from irc.backends.c.host import compile_host, write_host_project
from irc.errors import IrcError

FRAMES = np.random.default_rng(3).integers(0, 256, (50, 2, 5))


def test_results_are_those_of_the_interpreter() -> None:
    module = tiny(("mul", 0.5))
    assert np.array_equal(compile_host(module).run_frames(FRAMES), irc.evaluate(module, FRAMES)[0])
    assert 'popcount = "swar"' in irc.print_ir(module)


def test_frames_that_do_not_fit_are_refused() -> None:
    model = compile_host(tiny())
    with pytest.raises(IrcError, match="input 'in' must be N x 2 x 5, not 4 x 5"):
        model.run_frames(np.zeros((4, 5)))
    with pytest.raises(IrcError, match="input 'in' has values that ui8 lacks"):
        model.run_frames(np.full((4, 2, 5), 0.5))
    with pytest.raises(IrcError, match="1 input arrays are needed, 2 given"):
        model.run_frames(FRAMES, FRAMES)
    assert model.run_frames(FRAMES[:0]).shape == (0, 3)


def test_the_folder_works_without_irc(tmp_path: Path) -> None:
    module = tiny(("mul", 0.5))
    write_host_project(module, tmp_path / "out", name="net")
    np.save(tmp_path / "frames.npy", FRAMES)
    program = (
        "import sys, numpy, net\n"
        f"numpy.save(r'{tmp_path}/got.npy', net.run_frames(numpy.load(r'{tmp_path}/frames.npy')))\n"
        "assert not any(name.startswith(('irc', 'xdsl')) for name in sys.modules)\n"
        "for wrong in (numpy.zeros((1, 3)), numpy.full((1, 2, 5), 256)):\n"
        "    try:\n"
        "        net.run_frames(wrong)\n"
        "    except ValueError as error:\n"
        "        print(error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path / "out",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "frames must be [N, 2, 5], not (1, 3)",
        "an input has values that uint8 lacks",
    ]
    assert np.array_equal(np.load(tmp_path / "got.npy"), irc.evaluate(module, FRAMES)[0])


def test_no_compiler_is_one_clear_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(IrcError, match="no C compiler was found on PATH"):
        compile_host(tiny())
    monkeypatch.setenv("CC", "my-cc -O1")
    with pytest.raises(IrcError, match=r"'my-cc -O1'.*the environment variable CC"):
        compile_host(tiny())
    with pytest.raises(IrcError, match="'other-cc' was not found"):
        write_host_project(tiny(), tmp_path / "out", compiler="other-cc")
    assert list(tmp_path.iterdir()) == []


def test_a_failing_compiler_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "broken-cc"
    broken.write_text(
        "#!/bin/sh\nfor i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do\necho line $i >&2; done\nexit 3\n"
    )
    broken.chmod(0o755)
    with pytest.raises(IrcError) as error:
        compile_host(tiny(), compiler=str(broken))
    assert "failed with exit code 3:\nline 1\n" in error.value.message
    assert error.value.message.endswith("line 12\n… and 2 more lines")
