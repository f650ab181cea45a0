"""The folder of target c builds at once where users have it: CMake, Arduino, Zephyr, plain make."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from c_networks import tiny
from xdsl.context import Context

from irc.backends.c.compiler import find_compiler, run_compiler
from irc.backends.c.project import write_c_project
from irc.passes.software.choose_placement import ChoosePlacement

# Neither states its types.
kconfiglib: Any = import_module("kconfiglib")
yaml: Any = import_module("yaml")

LAYOUTS = [ChoosePlacement(), ChoosePlacement(files="layers", arena="caller")]
every_layout = pytest.mark.parametrize("placement", LAYOUTS, ids=["plain", "layers"])

ARDUINO_FIELDS = [
    "name",
    "version",
    "author",
    "maintainer",
    "sentence",
    "paragraph",
    "category",
    "url",
    "architectures",
]
"""Those that the specification of libraries for Arduino (revision 2.2) wants."""
ARDUINO_CATEGORIES = (
    "Display",
    "Communication",
    "Signal Input/Output",
    "Sensors",
    "Device Control",
    "Timing",
    "Data Storage",
    "Data Processing",
    "Other",
)

ARDUINO_H = """
#include <cstddef>
#include <cstdio>
#include <cstdlib>
struct Printer {
  void begin(long) {}
  void print(const char *text) { std::printf("%s", text); }
  template <typename Number> void print(Number n) { std::printf("%g", (double)n); }
  template <typename Number> void println(Number n) { std::printf("%g\\n", (double)n); }
};
static Printer Serial;
static unsigned long micros() { return 0; }
static void delay(unsigned long) { std::exit(0); }
"""
"""As much of Arduino's core as sketches use; it is C++, as sketches are."""


def need(tool: str) -> None:
    """Skip where a tool is not installed, but fail in CI, where it must be."""
    if shutil.which(tool) is None:
        if os.environ.get("CI"):
            pytest.fail(f"CI is set, but {tool} is not installed")
        pytest.skip(f"{tool} is not installed")


def write(folder: Path, placement: ChoosePlacement, name: str = "net") -> Path:
    """The folder of a small network whose output is a float."""
    module = tiny(("mul", 0.1))
    placement.apply(Context(), module)
    write_c_project(module, folder, name=name)
    return folder


def run(*command: str | Path, folder: Path) -> str:
    """What a command prints; it must succeed."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in done.stderr
    return done.stdout


@every_layout
def test_make(tmp_path: Path, placement: ChoosePlacement) -> None:
    folder = write(tmp_path / "out", placement)
    assert "net: 16 of 16 frames agree" in run("make", "test", folder=folder)
    assert "net: as expected" in run("make", "example", folder=folder)
    run("make", "lib", folder=folder)
    symbols = run("nm", "-g", "libnet.a", folder=folder)
    assert ("net_run" in symbols.split()) == (placement.arena != "caller")
    assert "net_run_arena" in symbols.split()
    run("make", "clean", folder=folder)
    assert not [path for path in folder.rglob("*") if path.suffix in (".o", ".a")]


@every_layout
def test_cmake(tmp_path: Path, placement: ChoosePlacement) -> None:
    need("cmake")
    folder = write(tmp_path / "out", placement)
    run("cmake", "-B", "build", folder=folder)
    run("cmake", "--build", "build", folder=folder)
    assert "100% tests passed" in run("ctest", "--test-dir", "build", folder=folder)
    assert "net: as expected" in run(folder / "build" / "example_net", folder=folder)


def test_cmake_has_names_of_its_own(tmp_path: Path) -> None:
    need("cmake")
    folder = write(tmp_path / "out", LAYOUTS[0], name="test")
    run("cmake", "-B", "build", folder=folder)
    run("cmake", "--build", "build", folder=folder)
    assert "test: as expected" in run(folder / "build" / "example_test", folder=folder)


def test_cmake_in_a_project_of_somebody(tmp_path: Path) -> None:
    need("cmake")
    write(tmp_path / "net", LAYOUTS[0])
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.13)\nproject(app C)\nadd_subdirectory(net)\n"
        "add_executable(app app.c)\ntarget_link_libraries(app net)\n"
    )
    (tmp_path / "app.c").write_text(
        '#include "net.h"\nint main(void) { uint8_t in[NET_INPUT_SIZE] = {0};\n'
        "float out[NET_OUTPUT_SIZE]; return net_run(in, out); }\n"
    )
    run("cmake", "-B", "build", folder=tmp_path)
    run("cmake", "--build", "build", folder=tmp_path)
    run(tmp_path / "build" / "app", folder=tmp_path)


@every_layout
def test_arduino(tmp_path: Path, placement: ChoosePlacement) -> None:
    """As Arduino does it: C files of the top as C, the sketch as C++ that sees the library."""
    folder = write(tmp_path / "out", placement)
    lines = (folder / "library.properties").read_text().splitlines()
    fields = dict(line.split("=", 1) for line in lines)
    assert set(ARDUINO_FIELDS) <= fields.keys()
    assert all(fields.values())
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_ .-]{0,62}", fields["name"])
    assert re.fullmatch(r"\d+\.\d+\.\d+", fields["version"])
    assert fields["category"] in ARDUINO_CATEGORIES
    assert (folder / fields["includes"]).is_file()
    assert not (folder / "src").exists(), "with it, the files at the top would not be compiled"
    for line in (folder / "keywords.txt").read_text().splitlines():
        assert re.fullmatch(r"\w+\t(KEYWORD1|KEYWORD2|LITERAL1)", line)
    sketch = folder / "examples" / "net" / "net.ino"
    (folder / "Arduino.h").write_text(ARDUINO_H)
    program = "int main() { setup(); for (;;) { loop(); } }\n"
    (folder / "sketch.cpp").write_text(f'#include "Arduino.h"\n#include "{sketch}"\n{program}')
    at_the_top = sorted(path.name for path in folder.glob("*.c"))
    assert not [name for name in at_the_top if "main(" in (folder / name).read_text()]
    for name in at_the_top:
        run_compiler([*find_compiler(), "-std=gnu11", "-Wall", "-Werror", "-c", name], folder)
    objects = [name.replace(".c", ".o") for name in at_the_top]
    warnings = ["-Wall", "-Wextra", "-Werror"]
    run("g++", *warnings, "-I.", "sketch.cpp", *objects, "-o", "sketch", folder=folder)
    assert "as expected, microseconds: 0" in run(folder / "sketch", folder=folder)


@every_layout
def test_zephyr(tmp_path: Path, placement: ChoosePlacement) -> None:
    """Its metadata, read as Zephyr reads them; CMake with what Zephyr would define."""
    need("cmake")
    folder = write(tmp_path / "out", placement)
    module: Any = yaml.safe_load((folder / "zephyr" / "module.yml").read_text())
    assert module == {"name": "net", "build": {"cmake": "zephyr", "kconfig": "zephyr/Kconfig"}}
    kconfig = kconfiglib.Kconfig(str(folder / "zephyr" / "Kconfig"), warn_to_stderr=False)
    assert not kconfig.warnings
    option = kconfig.syms["IRC_NET"]
    assert option.orig_type == kconfiglib.BOOL
    assert option.str_value == "n"
    assert "CONFIG_IRC_NET=y" in (folder / "examples" / "zephyr" / "prj.conf").read_text()
    (tmp_path / "CMakeLists.txt").write_text(ZEPHYR.replace("FOLDER", str(folder)))
    run("cmake", "-B", "build", folder=tmp_path)
    run("cmake", "--build", "build", folder=tmp_path)
    assert "net: as expected" in run(tmp_path / "build" / "app", folder=tmp_path)


ZEPHYR = """
cmake_minimum_required(VERSION 3.20)
project(zephyr_stand_in C)
function(zephyr_include_directories)
  foreach(path ${ARGV})
    include_directories(${CMAKE_CURRENT_SOURCE_DIR}/${path})
  endforeach()
endfunction()
macro(zephyr_library_named name)
  add_library(${name} STATIC)
  set(current ${name})
endmacro()
macro(zephyr_library_sources)
  target_sources(${current} PRIVATE ${ARGV})
endmacro()
set(CONFIG_IRC_NET y)
add_subdirectory(FOLDER/zephyr zephyr)
add_executable(app FOLDER/examples/main.c)
target_link_libraries(app net)
"""
"""What Zephyr's build defines, as far as a module uses it."""


def test_the_same_twice_is_the_same_to_the_byte(tmp_path: Path) -> None:
    one, two = (write(tmp_path / name, LAYOUTS[1]) for name in ("one", "two"))
    for path in sorted(one.rglob("*")):
        if path.is_file():
            assert path.read_bytes() == (two / path.relative_to(one)).read_bytes()


def test_an_example_notices_a_wrong_result(tmp_path: Path) -> None:
    folder = write(tmp_path / "out", LAYOUTS[0])
    frame = folder / "examples" / "net" / "frame.h"
    text = frame.read_text()
    inputs = re.search(r"frame_in\[10\] = \{([^}]*)\}", text)
    assert inputs is not None
    values = np.array(inputs[1].split(","), np.int64)
    other = ", ".join(str(255 - value) for value in values)
    frame.write_text(text.replace(inputs[1], f" {other} "))
    done = subprocess.run(["make", "example"], cwd=folder, capture_output=True, text=True)
    assert done.returncode != 0
    assert "net: not as expected" in done.stdout
