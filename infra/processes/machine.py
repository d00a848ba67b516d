"""How much memory and how many cores the machine has for us: a container may have fewer than its node."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

GROUPS, OWN_GROUP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
"""Where Linux keeps what the processes of a container may use (cgroup v2), and where it says which group is ours."""


def machine_bytes() -> int | None:
    """Returns the size of the memory that this process may use, None where the system does not say it."""
    try:
        held = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
    return min([held, *(int(limit) for (limit,) in _limits("memory.max"))])


def machine_cores() -> int:
    """Returns the number of cores that this process may use at once, a part of one counted as one."""
    held = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    shares = (int(quota) / int(period) for quota, period in _limits("cpu.max"))
    return max(1, min([held, *map(math.ceil, shares)]))


def _limits(name: str) -> Iterator[list[str]]:
    """Yields the words of a file of our group and of those that it is in, where they set a limit."""
    try:
        own = next(line[3:] for line in OWN_GROUP.read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        return
    folder = GROUPS / own.strip("/")
    while folder.is_relative_to(GROUPS):
        try:
            words = (folder / name).read_text().split()
        except OSError:
            words = []
        if words and all(word.isdecimal() for word in words):  # not "max"
            yield words
        folder = folder.parent
