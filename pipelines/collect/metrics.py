"""The figures of a running collection: on the progress line and, on Ray, as metrics that Prometheus can scrape."""

import time

from infra.observability.metrics import Meter
from infra.progress import SECONDS_LEFT, Phase
from pipelines.store.datasets.manifest import ShardFacts


class Figures:
    """Counts what was made and tells it."""

    def __init__(self, phase: Phase, name: str, episodes: int) -> None:
        self._phase, self._left = phase, episodes
        self._started = time.monotonic()
        self._made = {"episodes": 0, "frames": 0, "bytes": 0, "retries": 0}
        self._meter = Meter("jepa_collect_", name)

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
            self._meter.count(name, value)
        self._meter.set("frames_per_second", self._frame_rate())

    def _frame_rate(self) -> float:
        return self._made["frames"] / max(time.monotonic() - self._started, 1e-9)

    def _shown(self) -> dict[str, float]:
        shown = {"frames/s": self._frame_rate(), "MB": self._made["bytes"] / 1e6, "retries": self._made["retries"]}
        if self._made["episodes"]:
            shown[SECONDS_LEFT] = self._left * (time.monotonic() - self._started) / self._made["episodes"]
        return shown
