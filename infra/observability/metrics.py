"""Figures of a running job as Ray metrics, for Prometheus to scrape; in a process without Ray they go nowhere."""

import logging
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from infra.observability.metric_names import METRICS, Metric

log = logging.getLogger(__name__)


class Meter:
    """Gives one job's figures to Ray under the names of `METRICS`, for one dataset, model or run."""

    def __init__(self, prefix: str, subject: str) -> None:
        """Makes the listed metrics whose name starts with a prefix, unless this process is not connected to Ray.

        Args:
            prefix: e.g. `jepa_collect_`; what follows it in a listed name is how the methods call the metric.
            subject: value of their label, e.g. the name of the dataset.
        """
        listed = [metric for metric in METRICS if metric.name.startswith(prefix)]
        self._tags = {metric.name.removeprefix(prefix): {metric.label: subject} for metric in listed}
        self._made: dict[str, Any] = {}
        with _ending_no_job():
            if is_connected():
                self._made = {metric.name.removeprefix(prefix): _make(metric) for metric in listed}

    def count(self, name: str, value: float = 1) -> None:
        """Adds to a counter; Ray refuses to add nothing, so nothing is left out."""
        if value and name in self._made:
            with _ending_no_job():
                self._made[name].inc(value, tags=self._tags[name])

    def set(self, name: str, value: float) -> None:
        """Sets a gauge."""
        if name in self._made:
            with _ending_no_job():
                self._made[name].set(value, tags=self._tags[name])

    def observe(self, name: str, values: Iterable[float]) -> None:
        """Adds values to a histogram."""
        if name in self._made:
            with _ending_no_job():
                for value in values:
                    self._made[name].observe(value, tags=self._tags[name])

    def set_known(self, figures: dict[str, float]) -> None:
        """Sets each gauge that has a figure of its name; other figures are no metrics."""
        for name in self._tags.keys() & figures.keys():
            self.set(name, figures[name])


@contextmanager
def _ending_no_job() -> Iterator[None]:
    """Notes what goes wrong with a metric, such as a Ray that is leaving, and goes on."""
    try:
        yield
    except Exception as error:
        log.debug("a metric is left out: %s", error)


def is_connected() -> bool:
    """Returns whether this process is connected to Ray; nothing is imported to find out."""
    ray: Any = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


def _make(metric: Metric) -> Any:
    from ray.util.metrics import Counter, Gauge, Histogram

    tags = (metric.label,)
    if metric.kind == "histogram":
        return Histogram(metric.name, metric.meaning, list(metric.boundaries), tags)
    return (Counter if metric.kind == "counter" else Gauge)(metric.name, metric.meaning, tags)
