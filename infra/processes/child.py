"""Servers in processes of their own, which end with the block that started them, and never live longer than we do."""

import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from infra.errors import InfraError
from infra.processes.background import BackgroundThread

STOP_SECONDS = 5


@contextmanager
def child_server(module: str, name: str, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Runs a module that prints its address, once it serves, and calls `end_with_parent`.

    Args:
        module: run by this interpreter with -m.
        name: what it is called if it does not start.
        environment: variables on top of ours.

    Yields:
        The address.

    Raises:
        InfraError: the module ended before it printed one.
    """
    with tempfile.TemporaryFile("w+") as log:
        # A session of its own keeps a Ctrl-C from stopping the server before those who still need it.
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | dict(environment or {}),
            start_new_session=True,
        )
        assert process.stdin and process.stdout
        try:
            address = process.stdout.readline().strip()
            if not address:
                log.seek(0)
                raise InfraError(
                    f"{name} did not start ({_reason(log.read())}); is the environment complete? Run make setup"
                )
            yield address
        finally:
            _stop(process)


def _reason(text: str) -> str:
    """Returns the line that names the error, which is seldom the last: that one says that there was an error."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"^[\w.]*(Error|Exception)\b", line)]
    return (named or lines or ["it said nothing"])[-1]


def end_with_parent(stop: Callable[[], None] | None = None) -> None:
    """Ends this process when its parent closes our standard input or is gone: called by the module of a child server.

    Args:
        stop: asks the server to finish; it has a few seconds for that.
    """

    def watch() -> None:
        sys.stdin.read()
        if stop is not None:
            stop()
            threading.Event().wait(STOP_SECONDS - 1)
        os._exit(0)

    BackgroundThread(watch, "end-with-parent").start()


def _stop(process: subprocess.Popen[str]) -> None:
    assert process.stdin and process.stdout
    process.stdin.close()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    process.stdout.close()
