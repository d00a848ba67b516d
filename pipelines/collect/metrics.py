"""The figures of a running collection: on the progress line and, on Ray, as metrics that Prometheus can scrape."""

import time

from infra.progress import Phase
from pipelines.store.datasets.manifest import ShardFacts


class Figures:
    """Counts what was made and tells it."""

    def __init__(self, phase: Phase, name: str, episodes: int, on_ray: bool) -> None:
        self._phase, self._left = phase, episodes
        self._started = time.monotonic()
        self._made = {"episodes": 0, "frames": 0, "bytes": 0, "retries": 0}
        self._metrics = RayMetrics(name) if on_ray else None

    def shard_done(self, facts: ShardFacts, made: bool) -> None:
        """Counts a shard; one that was found done counts as progress but not as work."""
        self._left -= facts.episodes
        if made:
            self._count(episodes=facts.episodes, frames=facts.frames, bytes=facts.bytes)
        self._phase.advance(facts.episodes, **self._shown())

    def retried(self) -> None:
        """Counts a shard that is made again."""
        self._count(retries=1)
        self._phase.advance(0, **self._shown())

    def _count(self, **figures: int) -> None:
        for name, value in figures.items():
            self._made[name] += value
        if self._metrics is not None:
            self._metrics.add(figures, self._frame_rate())

    def _frame_rate(self) -> float:
        return self._made["frames"] / max(time.monotonic() - self._started, 1e-9)

    def _shown(self) -> dict[str, float]:
        shown = {"frames/s": self._frame_rate(), "MB": self._made["bytes"] / 1e6, "retries": self._made["retries"]}
        if self._made["episodes"]:
            shown["s left"] = self._left * (time.monotonic() - self._started) / self._made["episodes"]
        return shown


class RayMetrics:
    """`jepa_collect_episodes`, `…_frames`, `…_bytes` and `…_retries` counted, and `…_frames_per_second`, by dataset."""

    def __init__(self, dataset: str) -> None:
        from ray.util.metrics import Counter, Gauge

        self._tags = {"dataset": dataset}
        self._counters = {
            name: Counter(f"jepa_collect_{name}", f"{name} of datasets that were collected", ("dataset",))
            for name in ("episodes", "frames", "bytes", "retries")
        }
        self._rate = Gauge("jepa_collect_frames_per_second", "frames stored a second since the start", ("dataset",))

    def add(self, figures: dict[str, int], frames_per_second: float) -> None:
        """Adds to the counters."""
        for name, value in figures.items():
            if value:
                self._counters[name].inc(value, tags=self._tags)
        self._rate.set(frames_per_second, tags=self._tags)
