"""Progress of long phases: bars on a terminal, plain lines elsewhere, and any further sink."""

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol, TextIO

from infra.observability.event_log import event, logs_json

log = logging.getLogger(__name__)

LINE_SECONDS = 5.0
"""Least time between two plain lines of one phase."""


SECONDS_LEFT = "s left"
"""Name of the figure that is shown as a time in words."""


def time_words(seconds: float) -> str:
    """Returns a time as somebody who waits says it: `48 s`, `31 min`, `5.2 h`, `3.4 days`."""
    for unit, size, most in (("s", 1, 90), ("min", 60, 90 * 60), ("h", 3600, 48 * 3600)):
        if seconds < most:
            return f"{seconds / size:.{1 if unit == 'h' else 0}f} {unit}"
    return f"{seconds / 86400:.1f} days"


def figure_text(name: str, value: float) -> str:
    """Returns a figure as it is shown beside a phase."""
    return f"{time_words(value)} left" if name == SECONDS_LEFT else f"{name} {value:.4g}"


@dataclass
class PhaseState:
    """How far one phase is; `figures` are the latest values to show beside it, e.g. its loss."""

    name: str
    total: int | None
    unit: str
    done: int = 0
    figures: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Returns the time since the phase began."""
        return time.monotonic() - self.started

    def text(self) -> str:
        """Returns the state in words, e.g. `collect: 40/80 shards (50 %), 12 s, loss 0.31`."""
        share = f"/{self.total} {self.unit} ({100 * self.done // self.total} %)" if self.total else f" {self.unit}"
        figures = "".join(f", {figure_text(name, value)}" for name, value in self.figures.items())
        return f"{self.name}: {self.done}{share}, {self.seconds:.0f} s{figures}"


class Sink(Protocol):
    """A place that shows phases; it decides itself how often."""

    def begin(self, phase: PhaseState) -> None:
        """Is called once, before any work."""
        ...

    def update(self, phase: PhaseState) -> None:
        """Is called at each advance."""
        ...

    def end(self, phase: PhaseState, failed: bool) -> None:
        """Is called once, also when the work failed or was interrupted."""
        ...


class Phase:
    """The handle of a running phase."""

    def __init__(self, state: PhaseState, sinks: tuple[Sink, ...]) -> None:
        self.state = state
        self._sinks = sinks

    def advance(self, n: int = 1, **figures: float) -> None:
        """Counts `n` more units as done and shows the figures beside them."""
        self.state.done += n
        self.state.figures.update(figures)
        for sink in self._sinks:
            _show(sink.update, self.state)


class Progress:
    """Opens phases and shows them in all its sinks; without a sink it is silent."""

    def __init__(self, *sinks: Sink) -> None:
        self._sinks = sinks

    @contextmanager
    def phase(self, name: str, total: int | None, unit: str) -> Iterator[Phase]:
        """Runs one phase.

        Args:
            name: shown to people, e.g. `collect d0`.
            total: units of the whole phase; None where it is not known.
            unit: plural noun of what is counted, e.g. `episodes`.
        """
        phase = Phase(PhaseState(name, total, unit), self._sinks)
        for sink in self._sinks:
            _show(sink.begin, phase.state)
        failed = True
        try:
            yield phase
            failed = False
        finally:
            for sink in self._sinks:
                _show(sink.end, phase.state, failed)

    def with_sink(self, sink: Sink) -> "Progress":
        """Returns a progress that shows its phases in one more place."""
        return Progress(*self._sinks, sink)


def announce(sentence: str) -> None:
    """Says on stderr what begins now and takes a while."""
    log.info(sentence)
    if logs_json():
        return
    with suppress(OSError):
        print(sentence, file=sys.stderr, flush=True)


def _show(show: Callable[..., None], *what: object) -> None:
    """Calls a sink, whose failure never stops the work: a terminal or a worker's pipe may be gone."""
    try:
        show(*what)
    except Exception as error:
        log.debug("progress could not be shown: %s", error)


class LineSink:
    """Plain lines, the first and the last of each phase and at most one every few seconds between."""

    def __init__(self, stream: TextIO | None = None, interval: float = LINE_SECONDS) -> None:
        self._stream = stream
        self._interval = interval
        self._last = 0.0

    def begin(self, phase: PhaseState) -> None:
        self._print(phase.text())

    def update(self, phase: PhaseState) -> None:
        if time.monotonic() - self._last >= self._interval:
            self._print(phase.text())

    def end(self, phase: PhaseState, failed: bool) -> None:
        self._print(phase.text() + (", stopped" if failed else ", done"))

    def _seen(self) -> None:
        self._last = time.monotonic()

    def _print(self, text: str) -> None:
        self._seen()
        # Looked up late: who redirects stderr wants the lines there.
        print(text, file=self._stream or sys.stderr, flush=True)


class EventSink(LineSink):
    """The same as events, with the figures as fields."""

    def begin(self, phase: PhaseState) -> None:
        self._say("begun", phase)

    def update(self, phase: PhaseState) -> None:
        if time.monotonic() - self._last >= self._interval:
            self._say("progress", phase)

    def end(self, phase: PhaseState, failed: bool) -> None:
        self._say("stopped" if failed else "done", phase)

    def _say(self, what: str, phase: PhaseState) -> None:
        self._seen()
        counts = {"done": phase.done, "total": phase.total, "of": phase.unit, "seconds": round(phase.seconds, 1)}
        event(f"{phase.name}: {what}", **counts, **phase.figures)


class TerminalSink:
    """Rich's bars on stderr, one line for each phase."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars
        from rich.table import Column

        # The figures get what is left over, and are cut: a training has many, which squeezed the bar.
        self._bars = Bars(
            TextColumn("{task.description:<24}"),
            BarColumn(table_column=Column(ratio=2, max_width=40), bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("[dim]{task.fields[figures]}", table_column=Column(ratio=3, no_wrap=True, overflow="ellipsis")),
            expand=True,
            console=Console(stderr=True),
        )
        self._tasks: dict[int, tuple[PhaseState, int]] = {}

    def begin(self, phase: PhaseState) -> None:
        if not self._tasks:
            self._bars.start()
        task = self._bars.add_task(phase.name, total=phase.total, unit=phase.unit, figures="")
        self._tasks[id(phase)] = (phase, task)

    def update(self, phase: PhaseState) -> None:
        figures = "  ".join(figure_text(name, value) for name, value in phase.figures.items())
        self._bars.update(self._tasks[id(phase)][1], completed=phase.done, figures=figures)  # type: ignore[arg-type]

    def end(self, phase: PhaseState, failed: bool) -> None:
        self.update(phase)
        self._bars.stop_task(self._tasks[id(phase)][1])  # type: ignore[arg-type]
        del self._tasks[id(phase)]
        if not self._tasks:
            self._bars.stop()


def console_progress() -> Progress:
    """Returns bars where stderr is a terminal, events where lines are JSON, and else plain lines."""
    if logs_json():
        return Progress(EventSink())
    return Progress(TerminalSink() if sys.stderr.isatty() else LineSink())
