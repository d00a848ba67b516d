"""The figures of a running training: on the progress line and, on Ray, as metrics that Prometheus can scrape."""

import time

from infra.observability.metrics import Meter
from infra.progress import SECONDS_LEFT, Phase

SHOWN = ("loss", "prediction", "effective_rank")
"""Figures of the objective that are worth a place beside a progress bar."""


class ProgressFigures:
    """Shows the steps and figures that rank 0 reports; made in the process that shows the progress."""

    def __init__(self, phase: Phase, name: str) -> None:
        self._phase = phase
        self._first: tuple[int, float] | None = None
        self._meter = Meter("jepa_pretrain_", name)
        self._stepped = False

    @property
    def last_step(self) -> int:
        """The last step that was shown."""
        return self._phase.state.done

    def show(self, step: int, figures: dict[str, float]) -> None:
        """Shows the steps done, `clips/s`, the share of time spent waiting for data, and the seconds left."""
        shown = {name: figures[name] for name in SHOWN if name in figures}
        shown["clips/s"] = figures["clips_per_second"]
        shown["data wait %"] = 100 * figures["data_wait"]
        seconds = self._seconds_left(step)
        if seconds is not None:
            shown[SECONDS_LEFT] = seconds
        # After a restart the count goes back to the checkpoint's, as the run does.
        self._phase.advance(step - self._phase.state.done, **shown)
        self._stepped = True
        self._meter.set_known({"steps": float(step)} | figures)

    def attempt_begins(self) -> None:
        """Counts a restart if steps were shown before; each worker of the new attempt may say that it begins."""
        if self._stepped:
            self._meter.count("restarts")
        self._stepped = False

    def _seconds_left(self, step: int) -> float | None:
        """Returns the time left at the rate since the first step that was shown; what came before it is start-up."""
        if self._first is None or step <= self._first[0]:
            self._first = (step, time.monotonic())
            return None
        done, begun = self._first
        return ((self._phase.state.total or step) - step) * (time.monotonic() - begun) / (step - done)
