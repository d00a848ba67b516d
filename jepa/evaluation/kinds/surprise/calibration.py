"""Thresholds by which surprise raises an alarm: a split-conformal quantile of untouched validation episodes.

A frame's alarm is a surprise over the threshold. Of n validation frames the threshold is the ⌈(n + 1)(1 - α)⌉-th
smallest surprise, which a new frame exceeds with probability α at most, if it can be exchanged with them. Frames of one
episode hang together: over validation sets the rate is right, in one of them it varies more than n frames say.
"""

import logging
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice

import numpy as np

from jepa.core.clips import whole_clip
from jepa.core.episodes import Episode, EpisodeSource, world_options_of
from jepa.evaluation.kinds.surprise.config import SurpriseConfig
from jepa.evaluation.kinds.surprise.replays import replaying
from jepa.evaluation.kinds.surprise.scoring import (
    FEWEST_USUAL,
    NORMALISED,
    ONE_STEP,
    RAW,
    Floats,
    Measure,
    Usual,
    latents,
    surprises,
)
from jepa.models.world_model import WorldModel

log = logging.getLogger(__name__)
SPLIT = "validation"
ROUNDING = 1e-9


@dataclass(frozen=True)
class Threshold:
    """What a surprise has to exceed."""

    value: float
    episodes: int
    """Validation episodes that it was set on."""


@dataclass(frozen=True)
class Calibration:
    """What is usual, and the thresholds, as validation episodes show them; empty where there are too few."""

    usual: Mapping[int, Usual] = field(default_factory=dict)
    """By blocks ahead."""
    thresholds: Mapping[Measure, Threshold] = field(default_factory=dict)

    def score(self, measure: Measure, surprise: Floats, first: int = 0) -> Floats:
        """Returns surprises (..., F) of frames `first` + 1 … as a measure has them."""
        if measure.score == RAW:
            return surprise
        return self.usual[measure.blocks_ahead].normalised(surprise, first)

    def measures(self, horizons: Sequence[int]) -> list[Measure]:
        """Returns the ways of measuring surprise; a normalised one where it is known what is usual."""
        raw = [Measure(RAW, ahead) for ahead in horizons]
        return raw + [Measure(NORMALISED, ahead) for ahead in horizons if ahead in self.usual]


def calibrate(model: WorldModel, source: EpisodeSource, config: SurpriseConfig, simulated: bool = True) -> Calibration:
    """Returns thresholds for the stated rate of false alarms, set on the validation split.

    Args:
        model: to be judged.
        source: of the episodes.
        config: the rate, and how far ahead frames are predicted.
        simulated: whether episodes are replayed, as those that are judged; else their recorded frames count.
    """
    found = list(untouched_episodes(model, source, SPLIT, config.validation_episodes, config, simulated))
    usual: dict[int, Usual] = {}
    thresholds: dict[Measure, Threshold] = {}
    for ahead in config.horizons:
        held = [own for one in found if np.isfinite(own := one[ahead]).any()]
        if len(held) < FEWEST_USUAL:
            continue
        usual[ahead] = Usual(held)
        scores = {RAW: np.concatenate(held), NORMALISED: usual[ahead].of_themselves().ravel()}
        for score, values in scores.items():
            value = conformal_threshold(values[np.isfinite(values)], config.false_alarm_rate)
            if value is not None:
                thresholds[Measure(score, ahead)] = Threshold(value, len(held))
    if ONE_STEP not in thresholds:
        log.warning(
            "surprise raises no alarms: a false_alarm_rate of %g needs %d frames of untouched validation episodes, and "
            "there are %d; collect more episodes, or state a higher rate",
            config.false_alarm_rate,
            fewest_frames(config.false_alarm_rate),
            sum(int(np.isfinite(one[1]).sum()) for one in found),
        )
    return Calibration(usual, thresholds)


def conformal_threshold(scores_N: Floats, rate: float) -> float | None:
    """Returns the ⌈(n + 1)(1 - α)⌉-th smallest of n scores; None where n is too small for the rate α."""
    rank = math.ceil((len(scores_N) + 1) * (1 - rate) - ROUNDING)
    return None if rank > len(scores_N) else float(np.partition(scores_N, rank - 1)[rank - 1])


def fewest_frames(rate: float) -> int:
    """Returns the frames that a threshold for this rate of false alarms takes."""
    return math.ceil(1 / rate - ROUNDING) - 1


def untouched_episodes(
    model: WorldModel, source: EpisodeSource, split: str, limit: int, config: SurpriseConfig, simulated: bool
) -> Iterator[dict[int, Floats]]:
    """Yields the surprise (T-1) of each episode's frames by blocks ahead; those without two frames are left out."""
    frameskip = model.config.frameskip
    for steps, alike in groupby(source.episodes(split, limit=limit), key=lambda one: one.steps):
        if steps < frameskip:
            continue
        while batch := list(islice(alike, config.batch)):
            found = _untouched(model, source, split, batch, config.horizons, simulated)
            for n in range(len(batch)):
                yield {ahead: surprise_NF[n] for ahead, surprise_NF in found.items()}


def _untouched(
    model: WorldModel,
    source: EpisodeSource,
    split: str,
    episodes: Sequence[Episode],
    horizons: Sequence[int],
    simulated: bool,
) -> dict[int, Floats]:
    frameskip = model.config.frameskip
    if simulated:
        options = world_options_of(source, split)
        with replaying(episodes, source.world, options, frameskip, event=1) as replays:
            replay = replays.untouched()
        pixels_NTHWC, action_NTKA = replay.pixels_NTHWC, replay.action_NTKA
    else:
        clips = [whole_clip(episode, frameskip) for episode in episodes]
        pixels_NTHWC = np.concatenate([clip.pixels_BTHWC.numpy() for clip in clips])
        action_NTKA = np.concatenate([clip.action_BTKA.numpy() for clip in clips])
    z_NTD = latents(model, pixels_NTHWC)
    return {ahead: surprises(model, z_NTD, action_NTKA, ahead) for ahead in horizons}
