"""The figures of a running training: on the progress line and, on Ray, as metrics that Prometheus can scrape."""

import time
from typing import Any

from infra.progress import Phase

SHOWN = ("loss", "prediction", "effective_rank")
"""Figures of the objective that are worth a place beside a progress bar."""


class ProgressFigures:
    """Shows the steps and figures that rank 0 reports; made in the process that shows the progress."""

    def __init__(self, phase: Phase, name: str, on_ray: bool = False) -> None:
        self._phase = phase
        self._first: tuple[int, float] | None = None
        self._metrics = RayMetrics(name) if on_ray else None

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
            shown["s left"] = seconds
        # After a restart the count goes back to the checkpoint's, as the run does.
        self._phase.advance(step - self._phase.state.done, **shown)
        if self._metrics is not None:
            self._metrics.set(step, figures)

    def _seconds_left(self, step: int) -> float | None:
        """Returns the time left at the rate since the first step that was shown; what came before it is start-up."""
        if self._first is None or step <= self._first[0]:
            self._first = (step, time.monotonic())
            return None
        done, begun = self._first
        return ((self._phase.state.total or step) - step) * (time.monotonic() - begun) / (step - done)


class RayMetrics:
    """Gauges `jepa_pretrain_<figure>`, by model, and the counter `jepa_pretrain_restarts`."""

    FIGURES = ("loss", "clips_per_second", "data_wait", "checkpoint_seconds", "checkpoint_failures", "workers")

    def __init__(self, model: str) -> None:
        from ray.util.metrics import Counter, Gauge

        self._tags = {"model": model}
        self._steps: Any = Gauge("jepa_pretrain_steps", "optimiser steps that are done", ("model",))
        self._gauges: dict[str, Any] = {
            name: Gauge(f"jepa_pretrain_{name}", f"{name} of the last logged step", ("model",)) for name in self.FIGURES
        }
        self._restarts: Any = Counter(
            "jepa_pretrain_restarts", "times a training went back to a checkpoint", ("model",)
        )
        self._last = 0

    def set(self, step: int, figures: dict[str, float]) -> None:
        """Takes the figures of a logged step."""
        if step <= self._last:
            self._restarts.inc(1, tags=self._tags)
        self._last = step
        self._steps.set(step, tags=self._tags)
        for name, gauge in self._gauges.items():
            if name in figures:
                gauge.set(figures[name], tags=self._tags)
