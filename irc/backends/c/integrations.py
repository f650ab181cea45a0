"""What build systems and libraries of boards want beside the sources: CMake, Arduino, Zephyr."""

from __future__ import annotations

from irc import __version__
from irc.backends.c.source import CSource
from irc.backends.c.text import fill

HOMEPAGE = "https://pypi.org/project/irc-bnn"

_CMAKE = """
# In a project of yours: add_subdirectory(this folder), then target_link_libraries(app $target).
# On its own: cmake -B build && cmake --build build && ctest --test-dir build

cmake_minimum_required(VERSION 3.13)
project($target C)

add_library($target STATIC
  $sources
)
target_include_directories($target PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
target_compile_features($target PUBLIC c_std_99)
$libraries

if(CMAKE_SOURCE_DIR STREQUAL CMAKE_CURRENT_SOURCE_DIR)
  enable_testing()
  add_executable(test_$name test/test_$name.c)
  target_link_libraries(test_$name $target)
  add_test(NAME $name COMMAND test_$name)
  add_executable(example_$name examples/main.c)
  target_link_libraries(example_$name $target)
endif()
"""

_LIBRARIES = """
if(UNIX)
  target_link_libraries($target PUBLIC m)
endif()
"""

_ARDUINO = """
name=$title
version=$version
author=irc
maintainer=irc <$home>
sentence=A neural network with weights of few bits.
paragraph=$flash bytes of constants, $ram bytes of working memory, $macs multiplications a frame.
category=Data Processing
url=$home
architectures=*
includes=$name.h
"""

_MODULE = """
# Makes this folder a Zephyr module: -DZEPHYR_EXTRA_MODULES=/path/to/it, or an entry in west.yml;
# then CONFIG_$option=y in prj.conf.
name: $name
build:
  cmake: zephyr
  kconfig: zephyr/Kconfig
"""

_ZEPHYR = """
if(CONFIG_$option)
  zephyr_include_directories(..)
  zephyr_library_named($name)
  zephyr_library_sources(
    $sources
  )
endif()
"""

_KCONFIG = """
config $option
\tbool "$name, a neural network"
\thelp
\t  $flash bytes of constants besides code, $ram bytes of working memory.
"""

_SAMPLE = """
# west build -b BOARD examples/zephyr

cmake_minimum_required(VERSION 3.20)
list(APPEND ZEPHYR_EXTRA_MODULES ${CMAKE_CURRENT_SOURCE_DIR}/../..)
find_package(Zephyr REQUIRED HINTS $ENV{ZEPHYR_BASE})
project(example_$name C)
target_sources(app PRIVATE ../main.c)
"""

_SETTINGS = """
CONFIG_$option=y
CONFIG_MAIN_STACK_SIZE=4096
"""


_RESERVED_TARGETS = {"all", "clean", "help", "install", "package", "preinstall", "test"}
"""Names that CMake keeps for targets of its own."""


def cmake_target(name: str) -> str:
    """The target of a network in CMake."""
    return f"net_{name}" if name in _RESERVED_TARGETS else name


def integration_files(source: CSource) -> dict[str, str]:
    """The texts by path. None names a source twice: all build the files that lie at the top."""
    files = source.c_files
    texts: dict[str, tuple[str, list[str]]] = {
        "CMakeLists.txt": (_CMAKE, files),
        "library.properties": (_ARDUINO, []),
        "zephyr/module.yml": (_MODULE, []),
        "zephyr/CMakeLists.txt": (_ZEPHYR, [f"../{file}" for file in files]),
        "zephyr/Kconfig": (_KCONFIG, []),
        "examples/zephyr/CMakeLists.txt": (_SAMPLE, []),
        "examples/zephyr/prj.conf": (_SETTINGS, []),
    }
    found = {path: _filled(source, *given) for path, given in texts.items()}
    return {**found, "keywords.txt": _keywords(source)}


def _filled(source: CSource, template: str, files: list[str]) -> str:
    # `$option` is a word of its own: names of models may be those of Zephyr's settings.
    named = template.replace("$option", f"IRC_{source.name.upper()}")
    libraries = _LIBRARIES if source.needs_math or not source.is_reproducible else ""
    named = named.replace("$libraries\n", libraries.lstrip("\n")).replace("$name", source.name)
    named = named.replace("$target", cmake_target(source.name))
    text = fill(
        named,
        sources="\n".join(files),
        # Arduino's names begin with a letter or a digit and have at most 63 characters.
        title=source.name[:63],
        version=__version__,
        home=HOMEPAGE,
        flash=str(source.flash_bytes),
        ram=str(source.arena_bytes),
        macs=str(source.macs),
    )
    return text + "\n"


def _keywords(source: CSource) -> str:
    """What Arduino's editor shows in colour; fields are parted by single tabs."""
    name, upper, owner = source.name, source.name.upper(), source.placement.arena
    words = [(f"{name}_arena", "KEYWORD1")] if owner != "static" else []
    words += [(f"{name}_run", "KEYWORD2")] if owner != "caller" else []
    words += [(f"{name}_run_arena", "KEYWORD2")] if owner != "static" else []
    words.append((f"{upper}_ARENA_BYTES", "LITERAL1"))
    return "".join(f"{word}\t{kind}\n" for word, kind in words)


__all__ = ["HOMEPAGE", "cmake_target", "integration_files"]
