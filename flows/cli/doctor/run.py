"""Runs checks side by side, each in a process of its own; one that hangs is ended, one that crashes is reported."""

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import IO

from flows.cli.doctor.checks import CHECKS
from flows.cli.doctor.findings import Asked, Finding, Status

GRACE_SECONDS = 3.0
"""How long a check that is ended has to remove what it has put into the store."""
START = "start"
"""The step before a check has named one: Python and the imports."""


def run_checks(names: Sequence[str], asked: Asked, at_once: int, ended: Callable[[], None]) -> list[Finding]:
    """Returns what the checks found, in their order.

    Args:
        names: keys of `CHECKS`.
        asked: what to look at; a step that takes longer than its `seconds` ends its check.
        at_once: processes that run at the same time.
        ended: is called as each check ends.
    """
    waiting, running, findings = list(names), list[_Child](), dict[str, list[Finding]]()
    try:
        with selectors.DefaultSelector() as selector:
            while waiting or running:
                while waiting and len(running) < at_once:
                    child = _Child(waiting.pop(0), asked)
                    running.append(child)
                    selector.register(child.output, selectors.EVENT_READ, child.read)
                    selector.register(child.errors, selectors.EVENT_READ, child.read_errors)
                for key, _ in selector.select(max(0.0, min(child.left for child in running))):
                    key.data()
                for child in [child for child in running if child.closed or child.left <= 0]:
                    selector.unregister(child.output)
                    selector.unregister(child.errors)
                    running.remove(child)
                    findings[child.name] = child.end()
                    ended()
    finally:
        for child in running:
            child.end()
    return [finding for name in names for finding in findings[name]]


class _Child:
    """The process of one check, and what it has said so far."""

    def __init__(self, name: str, asked: Asked) -> None:
        self.name, self._seconds = name, asked.seconds * CHECKS[name].times
        self.closed = False
        self._step: str | None = START
        self._findings: list[Finding] = []
        self._buffer = b""
        self._said = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "flows.cli.doctor.child", f"{CHECKS[name].room}.{name}", json.dumps(asdict(asked))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,  # and no file: there may be no room for one
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # a Ctrl-C reaches us, and we end it in order
        )
        assert self._process.stdout and self._process.stderr
        self.output: IO[bytes] = self._process.stdout
        self.errors: IO[bytes] = self._process.stderr
        os.set_blocking(self.errors.fileno(), False)
        self._last = time.monotonic()

    @property
    def left(self) -> float:
        """Returns the seconds that the step has left."""
        return self._last + self._seconds - time.monotonic()

    def read(self) -> None:
        """Takes what the process has said."""
        data = os.read(self.output.fileno(), 65536)
        self.closed = not data
        self._last = time.monotonic()
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            message = json.loads(line)
            self._step = message.get("begins")
            if self._step is None:
                self._findings.append(Finding(**message | {"status": Status(message["status"])}))

    def read_errors(self) -> None:
        """Takes what libraries have printed, of which the end is kept."""
        with suppress(BlockingIOError):
            while data := os.read(self.errors.fileno(), 65536):
                self._said = (self._said + data)[-2000:]

    def end(self) -> list[Finding]:
        """Ends the process, if it still runs, and returns its findings, with one for a step that is cut off."""
        hangs = not self.closed
        if hangs:
            self._process.terminate()
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        assert self._process.stdin
        self._process.stdin.close()
        self.read_errors()
        self.output.close()
        self.errors.close()
        status = self._process.returncode
        if hangs:
            found = f"did not end within {self._seconds:g} s, and was ended"
            self._cut_off(found, f"{CHECKS[self.name].hangs}; a busy machine needs longer: --seconds 60")
        elif status:
            self._cut_off(f"the process of the check {_ending(status)}{self._last_words()}", REINSTALL)
        return self._findings

    def _cut_off(self, found: str, remedy: str) -> None:
        self._findings.append(Finding(self.name, self._step or "end", Status.FAILED, found, remedy))

    def _last_words(self) -> str:
        lines = self._said.decode(errors="replace").splitlines()
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f": {last[:200]}" if last else ""


REINSTALL = "a library or a driver is broken: compare `jepa version` with requirements.lock, and run `make setup` again"


def _ending(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
