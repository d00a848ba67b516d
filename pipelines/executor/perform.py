"""One attempt at a unit of work, wherever it is done: here, in a process or in a Ray actor."""

import os
import pickle
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infra.work_log import utc_now
from jepa.core.errors import InputError
from pipelines.executor.failure import Failure
from pipelines.executor.unit_log import UnitLog, recorded

CARRIED_LINES = 20
"""Messages that travel to the driver; the unit's log has more."""


@dataclass(frozen=True)
class Task:
    """What a worker is given: a unit of work, and where its log is."""

    unit: Any
    log: UnitLog | None = None


@dataclass(frozen=True)
class Place:
    """The machine and the process of a worker."""

    host: str
    pid: int

    @classmethod
    def here(cls) -> "Place":
        """Returns those of this process."""
        return cls(socket.gethostname(), os.getpid())


@dataclass(frozen=True)
class Done:
    """The result of a unit."""

    result: Any
    messages: tuple[str, ...] = ()
    """the first of what a worker said meanwhile: its warnings and log records"""


Answer = Done | Failure


def perform(function: Callable[[Any], Any], task: Task) -> Done:
    """Runs a unit in this process, which its exceptions leave as they are."""
    with recorded(task.log):
        return Done(function(task.unit))


def perform_in_worker(function: Callable[[Any], Any], data: bytes, dumps: Callable[[Any], bytes]) -> bytes:
    """Runs a pickled task and returns the pickled answer; a failure of any kind is an answer, too.

    Only Ctrl-C is raised, for it ends the worker.
    """
    started = utc_now()
    try:
        task: Task = pickle.loads(data)
        with recorded(task.log, in_worker=True) as messages:
            result = function(task.unit)
            return _dumped(Done(result, tuple(messages.lines[:CARRIED_LINES])), dumps)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return dumps(Failure.of(error, started))


def read_answer(data: bytes) -> Answer:
    """Returns a worker's answer.

    Raises:
        TypeError: the unit's result cannot be made again in this process.
    """
    try:
        answer: Answer = pickle.loads(data)
    except Exception as error:
        raise TypeError(f"the unit's result cannot be read by the driver ({type(error).__name__}: {error})") from error
    return answer


def dumped_function(function: Callable[[Any], Any], dumps: Callable[[Any], bytes]) -> bytes:
    """Returns the pickle of the function that workers run.

    Raises:
        InputError: it cannot be sent to another process.
    """
    try:
        return dumps(function)
    except Exception as error:
        raise InputError(
            f"{function!r} cannot be sent to worker processes ({error}); define what it refers to in a module, "
            "or do the work in this process: executor 'local' and one worker"
        ) from error


def _dumped(done: Done, dumps: Callable[[Any], bytes]) -> bytes:
    try:
        return dumps(done)
    except Exception as error:
        raise TypeError(f"the unit's result cannot be sent to the driver ({type(error).__name__}: {error})") from error
