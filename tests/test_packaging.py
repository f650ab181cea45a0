"""Wheel and source distribution hold the whole package once, and an installed wheel works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

NEEDED_SETUPTOOLS = 77

LINKS = ("backends", "dialects", "passes", "tools")
"""Links at the root into the package, for people: their content must not be packed twice."""

RESOURCES = (
    *(".py", ".typed", ".toml", ".lark", ".v", ".vh", ".cpp", ".mlir", ".fold"),
    *(".html", ".css", ".js"),
)
"""Kinds of files that the package needs at run time."""

pytestmark = pytest.mark.slow


def package_files() -> set[str]:
    """Every file of the package that must be in a distribution, as `irc/…`."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "irc").rglob("*")
        if path.is_file() and path.suffix in RESOURCES and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and an sdist, built from a copy that holds no leftovers."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "irc", source / "irc", ignore=ignore)
    for name in LINKS:
        (source / name).symlink_to(os.readlink(ROOT / name))
    output = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--outdir", str(output), str(source)]
    if int(version("setuptools").split(".")[0]) >= NEEDED_SETUPTOOLS:
        # Otherwise `build` fetches a newer one into an environment of its own.
        command.append("--no-isolation")
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return output


def wheel_of(dist: Path) -> Path:
    (wheel,) = dist.glob("irc_bnn-*.whl")
    return wheel


def test_wheel_holds_the_package_and_nothing_else(dist: Path) -> None:
    with zipfile.ZipFile(wheel_of(dist)) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/")]
    assert len(names) == len(set(names))
    assert {name.split("/")[0].split("-")[0] for name in names} == {"irc", "irc_bnn"}
    assert package_files() <= set(names)


def test_sdist_holds_the_package_once(dist: Path) -> None:
    (sdist,) = dist.glob("irc_bnn-*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = [member.name.split("/", 1)[-1] for member in archive if member.isfile()]
    assert len(names) == len(set(names))
    assert package_files() | {"pyproject.toml", "README.md", "LICENSE"} <= set(names)
    assert not [name for name in names if name.split("/")[0] in LINKS]


def test_installed_wheel_runs(dist: Path, tmp_path: Path) -> None:
    """The wheel alone, unpacked where no checkout is: both tools start, and irc-opt reads IR."""
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel_of(dist)) as archive:
        archive.extractall(site)
        metadata = "".join(
            archive.read(name).decode()
            for name in archive.namelist()
            if name.endswith("entry_points.txt")
        )
    assert "irc = irc.tools.irc:main" in metadata
    assert "irc-opt = irc.tools.irc_opt:main" in metadata
    assert "irc-reduce = irc.tools.irc_reduce:main" in metadata
    assert "irc = irc.universe:IRC_UNIVERSE" in metadata
    code = (
        "import sys, irc; from irc.tools.irc_opt import main; "
        f"assert irc.__file__.startswith({str(site)!r}), irc.__file__; sys.exit(main())"
    )
    for arguments, expected in (
        (["-p", "fold-thresholds"], "func.func @f(%x: tensor<2xui8>)"),
        # The example is part of the package; tests are not.
        (["--explain", "fold-thresholds"], "\nafter:\n  func.func @"),
    ):
        run = subprocess.run(
            [sys.executable, "-c", code, *arguments],
            input="func.func @f(%x: tensor<2xui8>) -> tensor<2xui8> {\n"
            "  func.return %x : tensor<2xui8>\n}\n",
            env={**os.environ, "PYTHONPATH": str(site)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert run.stderr == ""
        assert run.returncode == 0
        assert expected in run.stdout
