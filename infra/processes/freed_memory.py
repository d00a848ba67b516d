"""Memory that is freed stays with the process for as long as a block lasts, where the C library is glibc."""

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's `mallopt`."""
LARGEST = 2**31 - 1
USUAL = {MMAP_THRESHOLD: 32 * 2**20, TRIM_THRESHOLD: 64 * 2**20}
"""Where glibc itself raises them to, in a process that frees large blocks."""


@contextmanager
def freed_memory_kept() -> Iterator[None]:
    """Keeps freed memory for what is allocated next; at the end, it goes back to the system.

    Work that repeats itself, as a training step does, frees what it allocates again a moment later. Where glibc gives
    that back each time, the system clears every page of it again: 5 % of the processor's time in a training of 64-pixel
    frames. The process never holds more than it did at its largest; elsewhere than on glibc this does nothing.
    """
    mallopt = _mallopt()
    if mallopt is None:
        yield
        return
    for parameter in USUAL:
        mallopt(parameter, LARGEST)
    try:
        yield
    finally:
        for parameter, value in USUAL.items():
            mallopt(parameter, value)
        ctypes.CDLL(None).malloc_trim(0)


def _mallopt() -> Callable[[int, int], int] | None:
    """Returns glibc's function; None with any other C library."""
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version  # noqa: B018 # other libraries know `mallopt`, and other parameters
    except (AttributeError, OSError, TypeError):
        return None
    mallopt: Callable[[int, int], int] = library.mallopt
    return mallopt
