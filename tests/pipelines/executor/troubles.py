"""Exceptions and results that are hard to carry from a worker to its driver."""

import contextlib
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infra.errors import InfraError
from jepa.core.errors import InputError
from pipelines.executor import beat


class TwoArgumentsError(Exception):
    """Pickles, and cannot be made again from its pickle."""

    def __init__(self, first: str, second: int) -> None:
        super().__init__(f"{first} and {second}")
        self.second = second


class OtherWordsError(Exception):
    """Comes back from its pickle with another message."""

    def __init__(self, row: object) -> None:
        super().__init__(f"row {row} is wrong")


class LockedError(Exception):
    """Does not pickle."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.lock = threading.Lock()


class MuteError(Exception):
    """Cannot even show itself."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


class FieldError(InputError):
    """A wrong input that cannot be made again from its pickle."""

    def __init__(self, field: str, value: int) -> None:
        super().__init__(f"{field} is {value}; take less")


class GoneError(InfraError):
    """An error of the surroundings that does not pickle."""

    def __init__(self) -> None:
        super().__init__("the store is gone")
        self.lock = threading.Lock()


class Unreadable:
    """Pickles, and breaks whoever reads it."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return fail_to_read, ("broken bytes",)


def fail_to_read(text: str) -> None:
    raise ValueError(text)


def recurse(depth: int = 0) -> None:
    recurse(depth + 1)


def trouble(unit: str) -> Any:
    """Fails, or returns something difficult, in the way that the unit names."""
    if unit == "exits":
        raise SystemExit(3)
    if unit == "too deep":
        recurse()
    if unit == "group":
        raise ExceptionGroup("several", [ValueError("one"), TwoArgumentsError("two", 3)])
    errors: dict[str, Callable[[], BaseException]] = {
        "two arguments": lambda: TwoArgumentsError("first", 2),
        "other words": lambda: OtherWordsError(7),
        "locked": lambda: LockedError("holds a lock"),
        "mute": MuteError,
        "gone": GoneError,
        "huge": lambda: ValueError("x" * 30_000_000),
        "lambda inside": lambda: ValueError("with", lambda: None),
    }
    if unit in errors:
        raise errors[unit]()
    results: dict[str, Callable[[], Any]] = {
        "result does not pickle": threading.Lock,
        "result is unreadable": Unreadable,
        "fine": lambda: "fine",
    }
    return results[unit]()


TROUBLES = {
    "two arguments": ("TwoArgumentsError", "first and 2"),
    "other words": ("OtherWordsError", "row 7 is wrong"),
    "locked": ("LockedError", "holds a lock"),
    "mute": ("MuteError", "<its message cannot be shown: RuntimeError>"),
    "gone": ("GoneError", "the store is gone"),
    "huge": ("ValueError", "characters left out"),
    "lambda inside": ("ValueError", "with"),
    "too deep": ("RecursionError", "maximum recursion depth exceeded"),
    "group": ("ExceptionGroup", "several (2 sub-exceptions)"),
    "exits": ("SystemExit", "3"),
    "result does not pickle": ("TypeError", "result cannot be sent to the driver"),
    "result is unreadable": ("TypeError", "result cannot be read by the driver (ValueError: broken bytes)"),
}
"""Type and a part of the message with which each arrives."""


def refuse_oddly(unit: int) -> int:
    raise FieldError("episodes", unit)


def die_while_sending(folder: Path, unit: int) -> Any:
    """Returns a large result and has the process killed while it is sent, the first time."""
    marker = folder / str(unit)
    if unit != 2 or marker.exists():
        return unit
    marker.touch()
    # More than a pipe holds: the driver reads the first part while we are killed.
    threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGKILL)).start()
    return SlowlyPickled()


class SlowlyPickled:
    """Takes so long to pickle that its process is killed before that ends."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[()]]:
        time.sleep(60)
        return dict, ()


def beat_from_threads(unit: int) -> int:
    """Beats from several threads while results are sent."""

    def beat_often() -> None:
        for _ in range(2000):
            beat()

    threads = [threading.Thread(target=beat_often) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return unit


def leave_a_child_and_die(folder: Path, unit: int) -> int:
    """Dies while a child of its own still holds the pipe to the driver, the first time."""
    marker = folder / str(unit)
    if unit == 1 and not marker.exists():
        marker.touch()
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
        os.kill(os.getpid(), signal.SIGKILL)
    return unit


def pickled(value: object) -> bytes | None:
    """Returns the pickle, or None where there is none."""
    with contextlib.suppress(Exception):
        return pickle.dumps(value)
    return None
