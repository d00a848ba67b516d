"""What a command prints on, whatever it is: a terminal, a pipe that nobody reads any more, a full disk, nothing."""

import atexit
import logging
import os
import sys
from functools import cache
from typing import Any, TextIO

from infra.errors import InfraError
from infra.observability.event_log import logs_json

log = logging.getLogger(__name__)

STREAMS = {"stdin": 0, "stdout": 1, "stderr": 2}


class AnswerError(InfraError):
    """An answer that could not be printed; what the command did stays done."""


def prepare() -> None:
    """Makes standard output and error usable.

    One that is closed leads nowhere from now on: the next file that is opened would get its number, and whatever
    prints there would end in that file. What an encoding cannot say is printed as an escape.
    """
    for name, number in STREAMS.items():
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", closefd=False))
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    _at_the_very_end()


def answer(text: str) -> None:
    """Prints the answer of a command on standard output; that a reader has seen enough of it, as `head` has, is well.

    Raises:
        AnswerError: it cannot be written.
    """
    try:
        print(text, file=sys.stdout, flush=True)
    except BrokenPipeError:
        _silence(sys.stdout)
    except (OSError, ValueError) as error:
        _silence(sys.stdout)
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise AnswerError(
            f"the answer cannot be written to standard output ({reason}); what was done stays: run the same command "
            "again with its output elsewhere"
        ) from error


def say(sentence: str) -> None:
    """Prints a sentence on standard error, if anybody is there; where lines are JSON, as one of them."""
    if logs_json():
        log.error(sentence)
        return
    try:
        print(sentence, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        _silence(sys.stderr)


def pass_on(text: str) -> None:
    """Prints what somebody else has said on standard error, lines and all as they come."""
    try:
        print(text, end="", file=sys.stderr, flush=True)
    except (OSError, ValueError):
        _silence(sys.stderr)


@cache
def _at_the_very_end() -> None:
    # Registered before all others and so called after them: what they could not print must not change the exit status.
    atexit.register(_flush)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _silence(stream)


def _silence(stream: TextIO) -> None:
    """Leads a stream nowhere, with what it still holds: Python would fail at its end over what it cannot flush."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        return  # a stream without a file
