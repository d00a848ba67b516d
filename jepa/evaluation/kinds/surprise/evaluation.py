"""Surprise: does the prediction error rise when something impossible happens?

Each held-out episode is replayed from its recorded start with its recorded actions; in the middle of it a perturbation
strikes, or nothing does. The two replays are twins: they are the same up to the event. Figures compare them at the
event's frame, over episodes:

- `auroc`, `pairwise_accuracy` (the struck twin is the more surprising one), `wilcoxon_p` and its `effect_size` (the
  matched-pairs rank-biserial correlation);
- by a threshold that validation episodes set for a stated rate of false alarms (`calibration.py`): `detection_rate`,
  `detected_in_episode`, `detection_delay` from the event's frame to the first alarm, and `half_noticed_strength`
  (`doses.py`); `false_alarm_rate` is that of the untouched replays.

Surprise is measured one block and several ahead (`blocks_ahead`), raw and normalised by what is usual at that frame
(`score`); see `scoring.py`. A recording whose world cannot be simulated has no replays: its own frames give their
one-step surprise and false alarms, and nothing more.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import groupby, islice

import numpy as np

from jepa.core.episodes import EpisodeSource
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed
from jepa.evaluation.evaluation import (
    EVALUATIONS,
    Evaluation,
    EvaluationResult,
    Row,
    metric_row,
    present_splits,
    require_episodes,
)
from jepa.evaluation.kinds.surprise.calibration import calibrate, untouched_episodes
from jepa.evaluation.kinds.surprise.config import SurpriseConfig
from jepa.evaluation.kinds.surprise.figures import Figures
from jepa.evaluation.kinds.surprise.paired import rate_over_episodes
from jepa.evaluation.kinds.surprise.report import HEADLINES, SECTION, TABLES
from jepa.evaluation.kinds.surprise.rows import step_rows
from jepa.evaluation.kinds.surprise.scoring import ONE_STEP
from jepa.evaluation.kinds.surprise.twins import Twins, twins
from jepa.evaluation.statistics import bootstrap_mean
from jepa.models.world_model import WorldModel
from jepa.worlds.perturbations import Perturbation
from jepa.worlds.recordings import simulator_problem
from jepa.worlds.registry import WORLDS

__all__ = ["SurpriseConfig", "SurpriseEvaluation"]

RECORDED = "recorded"
"""Stands in a unit's name where there is no simulator to perturb."""
FEWEST_FRAMES = 3
"""One before the event, the event's, and one after it."""


@EVALUATIONS.register("surprise")
class SurpriseEvaluation(Evaluation):
    """A unit is a split: all perturbations share its untouched replays."""

    kind = "surprise"
    version = 3
    Config = SurpriseConfig
    tables = TABLES
    headlines = HEADLINES
    section = SECTION

    def __init__(self, config: SurpriseConfig, protocol: str) -> None:
        self.config = config
        self.protocol = protocol

    def units(self, source: EpisodeSource) -> list[str]:
        """Returns the splits there are; `<split>/recorded` where nothing can be simulated.

        Raises:
            InputError: the world has no perturbations, or the source no test episodes.
        """
        require_episodes(source, self.kind, ["test"])
        if simulator_problem(source) is not None:
            return [f"{split}/{RECORDED}" for split in present_splits(source)]
        if not WORLDS.get(source.world).world_spec.perturbations:
            raise InputError(f"world {source.world!r} has no perturbations; leave out the evaluation 'surprise'")
        return present_splits(source)

    def run(self, unit: str, model: WorldModel, source: EpisodeSource, seed: int) -> EvaluationResult:
        """Returns figures of untouched episodes and of each perturbation, a row a frame, and one a strength.

        Of recorded frames it returns `surprise_recorded`, the mean of an episode's one-step surprises, with the
        threshold and the false alarms where there are enough validation episodes.

        Raises:
            InputError: the episodes are too short to have a frame before and after an event, or latents are not finite.
        """
        started = time.perf_counter()
        split, _, recorded = unit.partition("/")
        common: Row = {"evaluation": self.kind, "protocol": self.protocol, "split": split, "seed": seed}
        result = self._recorded(model, source, common) if recorded else self._simulated(model, source, common)
        for row in result.metrics:
            row["seconds"] = time.perf_counter() - started
        return result

    def _simulated(self, model: WorldModel, source: EpisodeSource, common: Row) -> EvaluationResult:
        perturbations = WORLDS.get(source.world).world_spec.perturbations
        found = list(self._twins(model, source, perturbations, common))
        if not found:
            raise InputError(
                f"no {common['split']!r} episode has {FEWEST_FRAMES} frames {model.config.frameskip} steps apart, "
                "which surprise needs; collect longer episodes"
            )
        calibration = calibrate(model, source, self.config)
        frameskip = model.config.frameskip
        figures = Figures(found, calibration, frameskip, self.config.alarm_frames, common)
        metrics = list(figures.of_untouched())
        doses: list[Row] = []
        steps: list[Row] = []
        for perturbation in perturbations:
            metrics += figures.of_perturbation(perturbation)
            doses += figures.doses(perturbation)
            steps += step_rows(found, perturbation, calibration, frameskip, common, self.config.curve_episodes)
        return EvaluationResult(metrics, {"steps": steps, "doses": doses})

    def _twins(
        self, model: WorldModel, source: EpisodeSource, perturbations: Sequence[Perturbation], common: Row
    ) -> Iterator[Twins]:
        # Neighbours of equal length are replayed side by side; episodes stay in their order and few are held at a time.
        seen, episodes = 0, source.episodes(common["split"], limit=self.config.episodes)
        for steps, alike in groupby(episodes, key=lambda one: one.steps):
            if steps // model.config.frameskip + 1 < FEWEST_FRAMES:
                continue
            while batch := list(islice(alike, self.config.batch)):
                shown = min(max(self.config.frames_shown - seen, 0), len(batch))
                yield twins(model, source, batch, perturbations, self.config, common["seed"], shown)
                seen += len(batch)

    def _recorded(self, model: WorldModel, source: EpisodeSource, common: Row) -> EvaluationResult:
        config, split = self.config, common["split"]
        found = list(untouched_episodes(model, source, split, config.episodes, config, simulated=False))
        if not found:
            raise InputError(
                f"no {split!r} episode has {model.config.frameskip} steps, which one-step surprise needs; take longer "
                "episodes"
            )
        means = [float(one[1].mean()) for one in found]
        estimate = bootstrap_mean(means, derive_seed(common["seed"], "recorded surprise intervals"))
        metrics = [metric_row(estimate, metric="surprise_recorded", unit="1", **common)]
        threshold = calibrate(model, source, config, simulated=False).thresholds.get(ONE_STEP)
        if threshold is not None:
            alarms = rate_over_episodes([np.asarray(one[1] > threshold.value) for one in found])
            labels = {**common, **ONE_STEP._asdict()}
            metrics.append(metric_row(alarms, metric="false_alarm_rate", unit="1", **labels))
        return EvaluationResult(metrics, {"steps": [], "doses": []})
