"""Units of work that the executor's tests run here, in processes and on Ray, and the ways to run them."""

import os
import signal
import time
from pathlib import Path

import pytest

from jepa.core.errors import InputError

WAYS = [
    pytest.param("local", 1, id="here"),
    pytest.param("local", 2, id="processes", marks=pytest.mark.slow),
    pytest.param("ray", 2, id="ray", marks=pytest.mark.ray),
]
WORKERS = WAYS[1:]
"""Those that run units in other processes than this one."""


def square(unit: int) -> int:
    return unit * unit


def count_tries(folder: Path, unit: int) -> int:
    """Returns how often this unit has been tried, this time included."""
    with (folder / str(unit)).open("a") as file:
        file.write("x")
    return (folder / str(unit)).stat().st_size


def fail_at_first(folder: Path, unit: int) -> int:
    if count_tries(folder, unit) < 2:
        raise OSError("once")
    return unit


def fail_at_three(unit: int) -> int:
    if unit == 3:
        raise ValueError("three is no good\nsecond line")
    return unit


def refuse(folder: Path, unit: int) -> int:
    count_tries(folder, unit)
    raise InputError("the field is wrong; correct it")


def die_at_first(folder: Path, unit: int) -> int:
    if unit == 2 and count_tries(folder, unit) < 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return unit


def hang_at_first(folder: Path, unit: int) -> int:
    if unit == 2 and count_tries(folder, unit) < 2:
        time.sleep(3600)
    return unit


def stop_at_first(folder: Path, unit: int) -> int:
    if unit == 2 and count_tries(folder, unit) < 2:
        os.kill(os.getpid(), signal.SIGSTOP)  # not even its threads answer
    return unit


def hang(unit: int) -> int:
    time.sleep(3600 if unit == 1 else 0)
    return unit
