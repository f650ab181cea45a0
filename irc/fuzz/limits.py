"""What a command may take of the machine before it counts as fallen."""

from __future__ import annotations

import resource
from dataclasses import dataclass

MIB = 2**20

DEFAULT_SECONDS = 20.0
DEFAULT_MIB = 2048

WALL_FACTOR = 30
"""A loaded machine may take so much longer than the seconds of processor time that are allowed."""

MAX_FILE_BYTES = 512 * MIB
"""What one output file may grow to."""


@dataclass(frozen=True)
class Limits:
    """`seconds` of processor time, and `mib` of memory beside what the tool takes by itself."""

    seconds: float = DEFAULT_SECONDS
    mib: int = DEFAULT_MIB

    @property
    def wall_seconds(self) -> float:
        """When a process that does nothing is given up."""
        return WALL_FACTOR * self.seconds


def apply(limits: Limits) -> None:
    """Limit this process for the rest of its life."""
    hard = int(limits.seconds) + 1
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_FILE_BYTES, MAX_FILE_BYTES))
    used = _processor_seconds()
    resource.setrlimit(resource.RLIMIT_CPU, (hard + used, hard + used + 5))
    most = _address_space() + limits.mib * MIB
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _processor_seconds() -> int:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return int(usage.ru_utime + usage.ru_stime)


def _address_space() -> int:
    """Bytes of address space that this process has: libraries reserve much and use little."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * resource.getpagesize()
    except OSError:
        # Where the system does not tell, what is resident is the best guess.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
