"""The figures of surprise: of untouched episodes, of each perturbation, and of each of its strengths.

Shapes: G episodes of all batches; F frames from the event on, of which W are those in which an alarm counts; S
strengths, the first of them 0.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa.core.seeds import derive_seed
from jepa.evaluation.evaluation import Row, metric_row
from jepa.evaluation.kinds.surprise.calibration import Calibration
from jepa.evaluation.kinds.surprise.doses import half_noticed
from jepa.evaluation.kinds.surprise.paired import (
    pairwise_accuracy,
    rank_biserial,
    rate_over_episodes,
    wilcoxon_p,
)
from jepa.evaluation.kinds.surprise.scoring import ONE_STEP, Floats, Measure
from jepa.evaluation.kinds.surprise.twins import Struck, Twins
from jepa.evaluation.statistics import Estimate, bootstrap_mean, paired_auroc, score_interval, without_interval
from jepa.worlds.perturbations import Perturbation

Named = tuple[str, str, Estimate]
"""Metric, unit and figure."""
ENVIRONMENT_STEPS = "environment steps"


@dataclass(frozen=True)
class Figures:
    """Makes the rows of a split; `common` are the columns that all of them have."""

    found: Sequence[Twins]
    calibration: Calibration
    frameskip: int
    alarm_frames: int
    common: Row

    @property
    def seed(self) -> int:
        """Returns the seed of the intervals."""
        return derive_seed(self.common["seed"], "surprise intervals")

    def measures(self) -> list[Measure]:
        """Returns the ways of measuring surprise that some episode is long enough for."""
        horizons = [ahead for ahead in self.found[0].untouched if any(ahead <= one.event for one in self.found)]
        return self.calibration.measures(horizons)

    def of_untouched(self) -> Iterator[Row]:
        """Yields the thresholds and how often they raise an alarm where nothing happens."""
        for measure in self.measures():
            threshold = self.calibration.thresholds.get(measure)
            if threshold is None:
                continue
            scores = [
                one for twins in self.found for one in self._score(measure, twins.untouched[measure.blocks_ahead])
            ]
            alarms = [own[np.isfinite(own)] > threshold.value for own in scores if np.isfinite(own).any()]
            labels = {**self.common, **measure._asdict()}
            set_on = without_interval(threshold.value, threshold.episodes)
            yield metric_row(set_on, metric="threshold", unit="1", **labels)
            yield metric_row(rate_over_episodes(alarms), metric="false_alarm_rate", unit="1", **labels)

    def of_perturbation(self, perturbation: Perturbation) -> Iterator[Row]:
        """Yields the figures of a perturbation at its full strength; none where it struck no episode."""
        labels = {**self.common, **_labels(perturbation), "strength": perturbation.strength}
        for measure in self.measures():
            own = self._pooled(perturbation, None, measure)
            if own is None:
                continue
            for metric, unit, estimate in self._paired(own):
                yield metric_row(estimate, metric=metric, unit=unit, **labels, **measure._asdict())
            if measure.blocks_ahead == 1:
                for metric, unit, estimate in self._delay(perturbation, measure):
                    yield metric_row(estimate, metric=metric, unit=unit, **labels, **measure._asdict())
            half = self._half(perturbation, measure)
            if half is not None:
                row = metric_row(half, metric="half_noticed_strength", unit=perturbation.unit, **labels)
                yield row | measure._asdict()
        for metric, estimate in self._means(perturbation):
            yield metric_row(estimate, metric=metric, unit="1", **labels, **ONE_STEP._asdict())

    def doses(self, perturbation: Perturbation) -> Iterator[Row]:
        """Yields a row for each strength, and one for strength 0, which are the untouched episodes."""
        shared = {name: self.common[name] for name in ("split", "protocol", "seed")} | _labels(perturbation)
        shared |= {"strength_unit": perturbation.unit, "alarm_frames": self.alarm_frames}
        strengths = perturbation.doses
        for measure in self.measures():
            for strength in (0.0, *strengths):
                own = self._pooled(perturbation, strength or strengths[0], measure)
                if own is None:
                    continue
                positive, alarms = (own.at, own.alarms) if strength else (own.control, own.control_alarms)
                area = paired_auroc(positive, own.control)
                row = {**shared, **measure._asdict(), "strength": strength, "n": len(positive)}
                row |= {"auroc": area.value, "auroc_low": area.low, "auroc_high": area.high}
                if alarms is not None:
                    rate = score_interval(float(alarms.mean()), len(alarms), len(alarms))
                    row |= {"detection_rate": rate.value, "detection_low": rate.low, "detection_high": rate.high}
                yield row

    def _score(self, measure: Measure, surprise: Floats, first: int = 0) -> Floats:
        return self.calibration.score(measure, surprise, first)

    def _pooled(self, perturbation: Perturbation, strength: float | None, measure: Measure) -> "_Pooled | None":
        """Returns the twins of all batches that were struck; None where there are none."""
        parts = [self._events(twins, perturbation, strength, measure) for twins in self.found]
        held = [part for part in parts if part is not None and part.struck.any()]
        if not held:
            return None
        struck = np.concatenate([part.struck for part in held])
        at, control = (np.concatenate([getattr(part, name) for part in held])[struck] for name in ("at", "control"))
        threshold = self.calibration.thresholds.get(measure)
        if threshold is None:
            return _Pooled(at, control)
        loudest, control_loudest = (
            np.concatenate([getattr(part, name) for part in held])[struck] for name in ("loudest", "control_loudest")
        )
        return _Pooled(at, control, loudest > threshold.value, control_loudest > threshold.value)

    def _events(
        self, twins: Twins, perturbation: Perturbation, strength: float | None, measure: Measure
    ) -> "_Events | None":
        """Returns the scores at a batch's events; None where the event comes too early to be predicted so far ahead."""
        ahead, at = measure.blocks_ahead, twins.at
        if ahead > twins.event:
            return None
        struck = twins.struck[perturbation.name][strength]
        # Further ahead than one block only the event's own frame was predicted from what came before the event.
        window = min(self.alarm_frames, struck.surprise_NF.shape[1]) if ahead == 1 else 1
        own = struck.surprise_NF[:, :window] if ahead == 1 else struck.at_event[ahead][:, None]
        score = self._score(measure, own, at)
        control = self._score(measure, twins.untouched[ahead][:, at : at + window], at)
        return _Events(struck.struck_N, score[:, 0], control[:, 0], score.max(1), control.max(1))

    def _paired(self, own: "_Pooled") -> Iterator[Named]:
        yield "auroc", "1", paired_auroc(own.at, own.control)
        yield "pairwise_accuracy", "1", pairwise_accuracy(own.at, own.control)
        yield "wilcoxon_p", "1", wilcoxon_p(own.at, own.control)
        yield "effect_size", "1", rank_biserial(own.at, own.control)
        if own.alarms is not None:
            yield "detection_rate", "1", score_interval(float(own.alarms.mean()), len(own.alarms), len(own.alarms))

    def _delay(self, perturbation: Perturbation, measure: Measure) -> Iterator[Named]:
        """Yields the share of events with an alarm by the episode's end, and how long the first of them takes."""
        threshold = self.calibration.thresholds.get(measure)
        if threshold is None:
            return
        delays: list[float] = []
        for twins in self.found:
            struck = twins.struck[perturbation.name][None]
            alarms_NF = self._score(measure, struck.surprise_NF, twins.at) > threshold.value
            first_N = np.where(alarms_NF.any(1), alarms_NF.argmax(1) * self.frameskip, np.inf)
            delays += first_N[struck.struck_N].tolist()
        noticed = [one for one in delays if np.isfinite(one)]
        yield "detected_in_episode", "1", score_interval(len(noticed) / len(delays), len(delays), len(delays))
        if noticed:
            yield "detection_delay", ENVIRONMENT_STEPS, bootstrap_mean(noticed, self.seed)

    def _half(self, perturbation: Perturbation, measure: Measure) -> Estimate | None:
        threshold = self.calibration.thresholds.get(measure)
        strengths = perturbation.doses
        if threshold is None or len(strengths) < 2:
            return None
        loudest_GS, struck_GS = [], []
        for twins in self.found:
            events = [self._events(twins, perturbation, strength, measure) for strength in strengths]
            held = [one for one in events if one is not None]
            if held:
                loudest_GS.append(np.stack([held[0].control_loudest, *(one.loudest for one in held)], axis=1))
                struck_GS.append(np.stack([held[0].struck | True, *(one.struck for one in held)], axis=1))
        noticed_GS = np.concatenate(loudest_GS) > threshold.value
        return half_noticed((0.0, *strengths), noticed_GS, np.concatenate(struck_GS), self.seed)

    def _means(self, perturbation: Perturbation) -> Iterator[tuple[str, Estimate]]:
        """Yields mean one-step surprises: before, at and after the event, and the untouched twin's at it."""
        values: dict[str, list[float]] = {
            name: [] for name in ("surprise_before", "surprise_at", "surprise_after", "surprise_control")
        }
        for twins in self.found:
            struck: Struck = twins.struck[perturbation.name][None]
            held, untouched = struck.struck_N, twins.untouched[1][struck.struck_N]
            if twins.at > 0:
                values["surprise_before"] += untouched[:, : twins.at].mean(1).tolist()
            values["surprise_at"] += struck.surprise_NF[held, 0].tolist()
            values["surprise_control"] += untouched[:, twins.at].tolist()
            if struck.surprise_NF.shape[1] > 1:
                values["surprise_after"] += struck.surprise_NF[held, 1:].mean(1).tolist()
        for name, own in values.items():
            if own:
                yield name, bootstrap_mean(own, self.seed)


@dataclass(frozen=True)
class _Events:
    """Scores (N,) at the events of a batch: at the event's frame, and the greatest in which an alarm counts."""

    struck: NDArray[np.bool_]
    at: Floats
    control: Floats
    loudest: Floats
    control_loudest: Floats


@dataclass(frozen=True)
class _Pooled:
    """Scores (G,) at the event's frame of the episodes that were struck, and where there was an alarm."""

    at: Floats
    control: Floats
    alarms: NDArray[np.bool_] | None = None
    control_alarms: NDArray[np.bool_] | None = None


def _labels(perturbation: Perturbation) -> Row:
    return {"shift": perturbation.name, "principle": perturbation.principle, "physical": perturbation.physical}
