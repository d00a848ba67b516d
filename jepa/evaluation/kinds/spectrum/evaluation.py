"""Spectrum: what of a model's latents can be predicted, and the bound on regret that follows, beside the regret itself.

A generalisation theory for JEPA (arXiv:2606.27014) bounds regret by 2 c₀ √R, where R = ‖M̄ - GᵀF‖² is at least the sum
of the squared singular values of M̄ beyond the latent's dimensions. Of a trained model, with its latents whitened on
both sides of the prediction,

    R = E‖ĝ - f⁺‖² - (k - Σ_{i≤k} σ_i²) + Σ_{i>k} σ_i²,

the prediction error less that of the best predictor of k functions, and the tail. Everything here is an **estimate**,
and the theorem's premises do not hold exactly: σ are canonical correlations of the next latent with affine functions of
latent, action block and the model's own prediction, thus from below; functions outside the latent are unseen, though
in a world without noise every one of them has the singular value 1; c₀ is taken as 1, as for uniform states; and the
planner searches several steps in latent distance, which the theorem for one step does not cover. So regret may well lie
above the bound that is shown, and a bound above 1 says nothing, for regret in success is 1 at most.
It works with D × D matrices, as the evaluation `latent` does.
Shapes: G episodes, T pairs of frames an action block apart, N pairs of all episodes, D latent, k whitened directions,
K actions of an action block, A action dimensions.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from jepa.core.clips import whole_clip
from jepa.core.episodes import EpisodeSource
from jepa.core.errors import InputError
from jepa.evaluation.evaluation import (
    EVALUATIONS,
    Evaluation,
    EvaluationResult,
    Row,
    metric_row,
    present_splits,
    require_episodes,
)
from jepa.evaluation.kinds.planning.config import REFERENCES
from jepa.evaluation.kinds.planning.evaluation import PlanningEvaluation
from jepa.evaluation.kinds.spectrum.canonical import CanonicalMap, correlations, fit_canonical, tails
from jepa.evaluation.kinds.spectrum.config import SpectrumConfig
from jepa.evaluation.kinds.spectrum.report import CURVES, HEADLINES, SECTION, TABLES
from jepa.evaluation.statistics import Estimate, Key, jackknifed
from jepa.models.encoding import encode_pixels
from jepa.models.world_model import WorldModel
from jepa.planning.heads.head import Head
from jepa.planning.problem_manifest import ProblemManifest
from jepa.worlds.recordings import simulator_problem

Floats = NDArray[np.float64]
RANGES = {"canonical_correlation": (0.0, 1.0)}
SETS = ("with_action", "latent_alone")
"""What precedes the next latent: latent, action block and what the model predicts of them, or the latent alone."""


@dataclass(frozen=True)
class Pairs:
    """Successive latents of an episode, the actions between them, and what the model predicted."""

    z_TD: Floats
    action_TX: Floats
    next_TD: Floats
    predicted_TD: Floats

    def before(self, which: str) -> Floats:
        """Returns what precedes in one of `SETS`."""
        if which == "latent_alone":
            return self.z_TD
        return np.concatenate([self.z_TD, self.action_TX, self.predicted_TD], axis=1)


@dataclass(frozen=True)
class Seen:
    """An episode along the fitted directions: variates of both sides by set, and the whitened prediction error."""

    variates: dict[str, tuple[Floats, Floats]]
    error_T: Floats


@EVALUATIONS.register("spectrum")
class SpectrumEvaluation(Evaluation):
    """A unit is a split."""

    kind = "spectrum"
    Config = SpectrumConfig
    version = 1
    tables = TABLES
    headlines = HEADLINES
    section = SECTION
    solves_problems = True

    def __init__(self, config: SpectrumConfig, protocol: str) -> None:
        self.config = config
        self.protocol = protocol
        self._planning = PlanningEvaluation(config.planning, protocol)
        self._has_problems = False

    def draw_problems(self, source: EpisodeSource, seed: int) -> ProblemManifest | None:
        """Returns the problems whose regret is measured; None where nothing can be simulated, or episodes are short."""
        if simulator_problem(source) is not None:
            return None
        long_enough = any(self._planning.units_of(source, split) for split in present_splits(source))
        return self._planning.draw_problems(source, seed) if long_enough else None

    def use_problems(self, problems: ProblemManifest) -> None:
        """Takes the problems to be solved."""
        self._planning.use_problems(problems)
        self._has_problems = True

    def needs_heads(self) -> tuple[str, ...]:
        """Returns the kinds of heads that its planners ask for."""
        return self._planning.needs_heads()

    def farthest_goal(self) -> int:
        """Returns how many environment steps its farthest goal is ahead."""
        return self._planning.farthest_goal()

    def use_heads(self, heads: Mapping[str, Head]) -> None:
        """Takes the heads that its planners plan with."""
        self._planning.use_heads(heads)

    def check(self, model: WorldModel, source: EpisodeSource) -> None:
        """Passes where planners fit the model, if regret is measured at all; see `Evaluation.check`."""
        if self._has_problems:
            self._planning.check(model, source)

    def units(self, source: EpisodeSource) -> list[str]:
        """Returns the held-out splits.

        Raises:
            InputError: there are no training or test episodes.
        """
        require_episodes(source, f"{self.kind!r}")
        return present_splits(source)

    def run(self, unit: str, model: WorldModel, source: EpisodeSource, seed: int) -> EvaluationResult:
        """Returns correlations, risk, bound and measured regret, and the curves by rank.

        Raises:
            InputError: no episode is as long as an action block, or the configured plans do not fit the model.
        """
        started = time.perf_counter()
        maps = self._fit(model, source)
        labels: Row = {"evaluation": self.kind, "protocol": self.protocol, "split": unit, "seed": seed}
        seen = [_seen(pairs, maps) for pairs in _pairs(model, source, unit, self.config.episodes)] if maps else []
        if maps and not seen:
            raise InputError(f"no {unit!r} episode has {model.config.frameskip} steps; take longer ones")
        found = jackknifed(seen, figures, self.config.blocks, RANGES) if seen else {}
        regrets = self._regrets(unit, model, source, seed)
        result = EvaluationResult(tables={CURVES.name: _curves(found, regrets, labels)})
        labels["seconds"] = time.perf_counter() - started
        scalars = {key: one for key, one in found.items() if not _is_curve(key)}
        result.metrics = [
            metric_row(one, metric=metric, quantity=quantity, unit="1", **labels)
            for (metric, quantity), one in scalars.items()
        ]
        result.metrics += [
            metric_row(
                _estimate(row),
                metric="measured_regret",
                unit="1",
                planner=planner,
                **{name: row[name] for name in ("goal", "offset", "success_kind", "privileged")},
                **labels,
            )
            for planner, row in regrets
        ]
        return result

    def _fit(self, model: WorldModel, source: EpisodeSource) -> dict[str, CanonicalMap]:
        """Returns the directions of both sets; none where all latents are alike."""
        train = list(_pairs(model, source, "train", self.config.train_episodes))
        if not train:
            raise InputError(f"no 'train' episode has {model.config.frameskip} steps; take longer ones")
        following = np.concatenate([pairs.next_TD for pairs in train])
        fitted = {
            which: fit_canonical(
                np.concatenate([pairs.before(which) for pairs in train]), following, self.config.ridge, self.config.cut
            )
            for which in SETS
        }
        return {which: one for which, one in fitted.items() if one is not None} if all(fitted.values()) else {}

    def _regrets(self, unit: str, model: WorldModel, source: EpisodeSource, seed: int) -> list[tuple[str, Row]]:
        """Returns the rows of regret in success of planners that use the model; none where nothing can be simulated."""
        if not self._has_problems:
            drawn = self.draw_problems(source, seed)
            if drawn is None:
                return []
            self.use_problems(drawn)
        rows: list[Row] = []
        for part in self._planning.units(source):
            if part.startswith(f"{unit}/"):
                rows += self._planning.run(part, model, source, seed).metrics
        wanted = [row for row in rows if row["metric"] == "regret" and row["quantity"] == "success"]
        return [(row["planner"], row) for row in wanted if row["planner"] not in REFERENCES]


def figures(episodes: Sequence[Seen]) -> dict[Key, float]:
    """Returns what is measured of held-out episodes.

    - `canonical_correlation` by set and rank, and `predictable_dimensions`, the sum of their squares, by set.
    - `whitened_error`: `model` is E‖ĝ - f⁺‖² of whitened latents, `best` k less the predictable dimensions.
    - `risk`: the first less the second, or 0; an estimate of R where no function lies outside the latent.
    - `regret_bound`: 2√risk, and by rank 2√(risk + Σ_{i>k} σ_i²), what a latent of so many dimensions would allow.
    """
    found: dict[Key, float] = {}
    for which in SETS:
        sides = [np.concatenate([one.variates[which][side] for one in episodes]) for side in (0, 1)]
        correlation_K = correlations(sides[0], sides[1])
        found |= {
            ("canonical_correlation", f"{which}:{rank}"): float(value) for rank, value in enumerate(correlation_K, 1)
        }
        tail_K = tails(correlation_K)
        found["predictable_dimensions", which] = float(tail_K[0])
        if which == "with_action":
            error = float(np.concatenate([one.error_T for one in episodes]).mean())
            least = len(correlation_K) - float(tail_K[0])
            risk = max(0.0, error - least)
            found |= {("whitened_error", "model"): error, ("whitened_error", "best"): least}
            found |= {("risk", None): risk, ("regret_bound", None): 2 * risk**0.5}
            found |= {
                ("regret_bound_of_rank", f"bound:{rank}"): float(2 * (risk + tail) ** 0.5)
                for rank, tail in enumerate(tail_K[1:], 1)
            }
    return found


@torch.inference_mode()
def _pairs(model: WorldModel, source: EpisodeSource, split: str, limit: int) -> Iterator[Pairs]:
    frameskip, device = model.config.frameskip, next(model.parameters()).device
    for episode in source.episodes(split, limit=limit):
        if episode.steps < frameskip:
            continue
        clip = whole_clip(episode, frameskip)
        z_TD = encode_pixels(model, clip.pixels_BTHWC[0].numpy())
        context = torch.from_numpy(z_TD[None, :-1]).to(device)
        predicted_TD = model.predict(context, clip.action_BTKA.to(device))[0].cpu().numpy()
        action_TX = clip.action_BTKA[0].flatten(1).numpy()
        z, action, predicted = (one.astype(np.float64) for one in (z_TD, action_TX, predicted_TD))
        yield Pairs(z[:-1], action, z[1:], predicted)


def _seen(pairs: Pairs, maps: dict[str, CanonicalMap]) -> Seen:
    variates = {which: one.variates(pairs.before(which), pairs.next_TD) for which, one in maps.items()}
    after = maps["with_action"].after
    error_T = ((after(pairs.predicted_TD) - after(pairs.next_TD)) ** 2).sum(1)
    return Seen(variates, error_T)


def _is_curve(key: Key) -> bool:
    return key[1] is not None and ":" in key[1]


def _curves(found: dict[Key, Estimate], regrets: Sequence[tuple[str, Row]], labels: Row) -> list[Row]:
    """Returns the rows of the table by rank; the measured regret is the same at every rank, for there is one model."""
    rows: list[Row] = []
    several = len({row["offset"] for _, row in regrets}) > 1
    for (metric, quantity), one in found.items():
        if quantity is None or ":" not in quantity:
            continue
        curve, rank = quantity.split(":")
        figure = "correlation" if metric == "canonical_correlation" else "regret"
        rows.append(_curve_row(labels, figure, curve, int(rank), one))
        if figure == "regret":
            rows += [
                _curve_row(labels, figure, _measured(planner, row, several), int(rank), _estimate(row))
                for planner, row in regrets
            ]
    return rows


def _measured(planner: str, row: Row, several: bool) -> str:
    """Returns the name of a measured curve, with the steps to the goal where there are several offsets."""
    return f"measured, {row['goal']}, {planner}" + (f", {row['offset']} ahead" if several else "")


def _curve_row(labels: Row, figure: str, curve: str, rank: int, one: Estimate) -> Row:
    own = {name: labels[name] for name in ("split", "protocol", "seed")}
    return {
        **own,
        "figure": figure,
        "curve": curve,
        "rank": rank,
        "value": one.value,
        "ci_low": one.low,
        "ci_high": one.high,
    }


def _estimate(row: Row) -> Estimate:
    return Estimate(row["value"], row["ci_low"], row["ci_high"], row["n"])
