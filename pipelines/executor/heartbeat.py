"""How a unit at work shows that it makes progress: by a counter that its driver watches."""

from collections.abc import Callable

_listeners: list[Callable[[], None]] = []
_count = 0


def beat() -> None:
    """Says that this process's unit has made progress; where nobody watches it does nothing.

    A unit that may take longer than its run's `stall_seconds` calls it every so often.
    """
    global _count
    _count += 1
    for listener in _listeners:
        listener()


def count() -> int:
    """Returns how often this process has called `beat`."""
    return _count


def listen(listener: Callable[[], None]) -> None:
    """Has `listener` called at each beat of this process from now on."""
    _listeners.append(listener)
