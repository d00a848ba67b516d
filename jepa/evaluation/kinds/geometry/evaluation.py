"""Planning geometry: whether latents that are near each other show states that are near each other.

A planner that minimises the distance of latents goes where that shrinks, so it has to rank states as the way between
them does: the true distance, and round walls the geodesic one. Pairs are of one episode each, for between episodes
other things differ too, such as the height of a door. Intervals are the jackknife's over episodes.
"""

import time
from contextlib import closing

import numpy as np

from jepa.core.episodes import EpisodeSource
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed
from jepa.evaluation.evaluation import EVALUATIONS, Evaluation, EvaluationResult, Row, metric_row, present_splits
from jepa.evaluation.kinds.geometry.config import GeometryConfig
from jepa.evaluation.kinds.geometry.distances import EpisodeDistances, episode_distances
from jepa.evaluation.kinds.geometry.figures import CURVE, figures_of, joined, known
from jepa.evaluation.kinds.geometry.report import CURVES, HEADLINES, SECTION, TABLES
from jepa.evaluation.statistics import Estimate, Key, jackknifed
from jepa.models.encoding import encode_pixels
from jepa.models.world_model import WorldModel
from jepa.worlds.recordings import require_simulator
from jepa.worlds.registry import WORLDS
from jepa.worlds.world import make_world

COPIES = 64
"""Copies of the world in which true distances are measured."""
RANGES = {"distance_rank_correlation": (-1.0, 1.0), "monotone_share": (0.0, 1.0)}


@EVALUATIONS.register("geometry")
class GeometryEvaluation(Evaluation):
    """A unit is a split."""

    kind = "geometry"
    Config = GeometryConfig
    version = 1
    tables = TABLES
    headlines = HEADLINES
    section = SECTION
    needs_simulator = True

    def __init__(self, config: GeometryConfig, protocol: str) -> None:
        self.config = config
        self.protocol = protocol

    def units(self, source: EpisodeSource) -> list[str]:
        """Returns the held-out splits.

        Raises:
            InputError: there are none, or the recorded states cannot be simulated.
        """
        require_simulator(source, self.kind)
        splits = present_splits(source)
        if not splits:
            raise InputError(f"dataset has no held-out episodes, which {self.kind} needs; collect more episodes")
        return splits

    def run(self, unit: str, model: WorldModel, source: EpisodeSource, seed: int) -> EvaluationResult:
        """Returns rank correlations, monotone shares, the wall ratio where the world knows geodesics, and the curves.

        Raises:
            InputError: no episode has two frames.
        """
        started = time.perf_counter()
        episodes = self._measured(unit, model, source, seed)
        if not episodes:
            raise InputError(f"no {unit!r} episode has two frames; take longer ones")
        every = joined([one.pairs for one in episodes])
        farthest = {name: float(distance_N.max()) for name, distance_N in known(every).items()}
        found = jackknifed(episodes, figures_of(self.config, farthest), self.config.blocks, RANGES)
        labels: Row = {"split": unit, "protocol": self.protocol, "seed": seed}
        distance_unit = WORLDS.get(source.world).world_spec.distance_unit
        curves = _curve_rows(found, farthest, self.config.bins, {**labels, "unit": distance_unit})
        labels |= {"evaluation": self.kind, "seconds": time.perf_counter() - started}
        metrics = [
            metric_row(one, metric=metric, quantity=quantity, unit="1", **labels)
            for (metric, quantity), one in found.items()
            if metric != CURVE
        ]
        return EvaluationResult(metrics, {CURVES.name: curves})

    def _measured(self, split: str, model: WorldModel, source: EpisodeSource, seed: int) -> list[EpisodeDistances]:
        frameskip, drawn = model.config.frameskip, derive_seed(seed, "geometry")
        with closing(make_world(source.world, COPIES, **source.world_options)) as world:
            return [
                episode_distances(one, encode_pixels(model, one.pixels), world, frameskip, self.config, drawn)
                for one in source.episodes(split, limit=self.config.episodes)
                if len(one.drawn_steps) > 1
            ]


def _curve_rows(found: dict[Key, Estimate], farthest: dict[str, float], bins: int, labels: Row) -> list[Row]:
    rows = []
    for (metric, quantity), one in found.items():
        if metric != CURVE or quantity is None:
            continue
        against, pairs, index = quantity.split(":")
        middle = (int(index) + 0.5) * farthest[against] / bins
        # A bin that single episodes fill alone has an interval that says nothing, or none.
        ends = {"ci_low": one.low, "ci_high": one.high} if np.isfinite([one.low, one.high]).all() else {}
        own = {"against": against, "pairs": pairs, "distance": middle, "latent_distance": one.value}
        rows.append({**labels, **own, **ends})
    return rows
