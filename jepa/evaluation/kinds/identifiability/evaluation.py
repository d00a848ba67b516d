"""Identifiability: how near a model's latents are to a rotation of the world's own state, and whether they had to be.

Theorems 5.1 and 5.3 of arXiv:2605.26379 are about latents with as many dimensions as the state, of a stationary
Gaussian world. A model of ours has more, and no recorded world is that one: rotations are looked for in the subspace
that `readout.py` finds, and `premises.py` measures how far the data are from what the theorem assumes. Where they are
far, the bound is a number and no guarantee.
The state is what the world's first kind of goal scores, in units of its spread. Maps and subspace are fitted to
training frames; all figures are of held-out episodes, frames an action block apart, with intervals over episodes.
It works with D × D matrices, as the evaluation `latent` does.
Shapes: G episodes, T frames of an episode, N frames, D latent, Q dimensions of the state.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from jepa.core.config import Config
from jepa.core.episodes import EpisodeSource, State
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed
from jepa.evaluation.evaluation import (
    EVALUATIONS,
    Evaluation,
    EvaluationResult,
    metric_row,
    present_splits,
    require_episodes,
)
from jepa.evaluation.kinds.identifiability.metrics import approximate_bound, orthogonality_error, procrustes_error
from jepa.evaluation.kinds.identifiability.premises import RANGES, premises, rate, start_and_end
from jepa.evaluation.kinds.identifiability.readout import Readout, fit_readout
from jepa.evaluation.kinds.identifiability.report import HEADLINES, SECTION, TABLES
from jepa.evaluation.kinds.probing.targets import probed_quantities
from jepa.evaluation.latents import encode_split
from jepa.evaluation.statistics import (
    Estimate,
    Key,
    bootstrap_weights,
    jackknifed,
    percentile_interval,
    without_interval,
)
from jepa.models.encoding import encode_pixels
from jepa.models.world_model import WorldModel
from jepa.worlds.registry import WORLDS

Floats = NDArray[np.float64]


class IdentifiabilityConfig(Config):
    """How much is looked at, and what the state is."""

    train_frames: PositiveInt = 16_000
    """frames of the training split that maps are fitted to"""
    episodes: PositiveInt = 200
    """episodes of each held-out split"""
    quantities: tuple[str, ...] = ()
    """quantities that make the state; by default those that the world's first kind of goal scores"""
    blocks: PositiveInt = 20
    """most blocks of episodes that are left out in turn for an interval"""


@dataclass(frozen=True)
class Sequences:
    """One held-out episode: latents (T, D) and standardised states (T, Q)."""

    h_TD: Floats
    z_TQ: Floats


def state_quantities(source: EpisodeSource, wanted: Sequence[str] = ()) -> list[str]:
    """Returns the quantities that make the state.

    Raises:
        InputError: the source does not hold one that is wanted, or holds none at all.
    """
    for name in wanted:
        if name not in source.quantities:
            known = ", ".join(source.quantities) or "none"
            raise InputError(f"identifiability.quantities names {name!r}; the dataset holds: {known}")
    scored = WORLDS.get(source.world).world_spec.goal_kinds[0].quantities if source.world in WORLDS else ()
    found = list(wanted) or [name for name in scored if name in source.quantities]
    found = found or [quantity.name for quantity in probed_quantities(source)]
    if not found:
        raise InputError("the dataset holds no quantity; leave out the evaluation 'identifiability'")
    return found


@EVALUATIONS.register("identifiability")
class IdentifiabilityEvaluation(Evaluation):
    """A unit is a split."""

    kind = "identifiability"
    Config = IdentifiabilityConfig
    version = 1
    tables = TABLES
    headlines = HEADLINES
    section = SECTION

    def __init__(self, config: IdentifiabilityConfig, protocol: str) -> None:
        self.config = config
        self.protocol = protocol

    def units(self, source: EpisodeSource) -> list[str]:
        """Returns the held-out splits.

        Raises:
            InputError: there is no state to look for, or there are no training or test episodes.
        """
        state_quantities(source, self.config.quantities)
        require_episodes(source, self.kind)
        return present_splits(source)

    def run(self, unit: str, model: WorldModel, source: EpisodeSource, seed: int) -> EvaluationResult:
        """Returns R² both ways, the distance from a rotation with its bound, and the premises by dimension.

        Raises:
            InputError: no episode of the split has two frames an action block apart.
        """
        started = time.perf_counter()
        quantities = state_quantities(source, self.config.quantities)
        train = encode_split(model, source, "train", self.config.train_frames, seed)
        readout = fit_readout(train.z_ND.astype(np.float64), _values(train.state, quantities))
        episodes = self._sequences(unit, model, source, readout, quantities)
        if not episodes:
            raise InputError(
                f"no {unit!r} episode has {model.config.frameskip} steps, which identifiability needs; take longer ones"
            )
        names = _dimension_names(source, quantities)
        states = [one.z_TQ for one in episodes]
        figures: dict[Key, Estimate] = _both_ways(episodes, readout, derive_seed(seed, "identifiability", unit))
        figures |= jackknifed(episodes, lambda some: rotation_figures(some, readout), self.config.blocks)
        figures |= jackknifed(states, lambda some: premises(some, names), self.config.blocks, RANGES)
        gaps = start_and_end(states, names)
        figures |= {key: without_interval(value, len(states)) for key, value in gaps.items()}
        labels = {"evaluation": self.kind, "protocol": self.protocol, "split": unit, "seed": seed}
        labels["seconds"] = time.perf_counter() - started
        return EvaluationResult(
            [metric_row(one, metric=key[0], quantity=key[1], unit="1", **labels) for key, one in figures.items()]
        )

    def _sequences(
        self, unit: str, model: WorldModel, source: EpisodeSource, readout: Readout, quantities: Sequence[str]
    ) -> list[Sequences]:
        frameskip, found = model.config.frameskip, []
        for episode in source.episodes(unit, limit=self.config.episodes):
            if episode.steps < frameskip:
                continue
            rows = episode.every(frameskip)
            h_TD = encode_pixels(model, episode.frames_at(rows)).astype(np.float64)
            found.append(Sequences(h_TD, readout.scaling(_values(episode.state, quantities)[rows])))
        return found


def rotation_figures(episodes: Sequence[Sequences], readout: Readout) -> dict[Key, float]:
    """Returns how far the latents are from a rotation of the state, and Theorem 5.3's terms, summed over dimensions.

    - `orthogonality_error`: ‖AᵀA - I‖_F/√Q of h ≈ A z + b, divided by one factor; 0 for a rotation of any size.
    - `rotation_error`: `measured` is min_Q E‖h - Qz‖² in the subspace, both centred; E‖z‖² is Q itself.
      `bound` is D + (ε + D)², with the mean ρ of the dimensions, where that lies inside (0, 1).
    - `epsilon`, `delta`: ε, the distance of the covariance from the identity, and δ, the loss above a rotation's.
    """
    h_ND, z_NQ = (np.concatenate(held) for held in zip(*((one.h_TD, one.z_TQ) for one in episodes), strict=True))
    found: dict[Key, float] = {("orthogonality_error", None): orthogonality_error(z_NQ, h_ND, rescale=True)}
    if readout.basis_DQ is None:
        return found
    projected = [readout.project(one.h_TD) for one in episodes]
    found["rotation_error", "measured"] = procrustes_error(z_NQ, np.concatenate(projected))
    rho = rate([one.z_TQ for one in episodes])
    if 0 < rho < 1:
        before, after = (np.concatenate([p_TQ[rows] for p_TQ in projected]) for rows in (slice(-1), slice(1, None)))
        terms = approximate_bound(before, after, rho)
        found |= {("rotation_error", "bound"): terms.bound, ("epsilon", None): terms.epsilon}
        found["delta", None] = terms.delta
    return found


def _both_ways(episodes: Sequence[Sequences], readout: Readout, seed: int) -> dict[Key, Estimate]:
    """Returns the pooled R² of the maps of the training frames, with bootstrap intervals over episodes."""
    ways = {
        "state_from_latent": [(one.z_TQ, readout.to_state(one.h_TD)) for one in episodes],
        "latent_from_state": [(one.h_TD, readout.to_latent(one.z_TQ)) for one in episodes],
    }
    found: dict[Key, Estimate] = {}
    for name, pairs in ways.items():
        centre = np.concatenate([true for true, _ in pairs]).mean(0)
        missed_G = np.array([((true - predicted) ** 2).sum() for true, predicted in pairs])
        total_G = np.array([((true - centre) ** 2).sum() for true, _ in pairs])
        if total_G.sum() <= 0:
            continue
        weights_RG = bootstrap_weights(len(pairs), seed)
        with np.errstate(divide="ignore", invalid="ignore"):
            resampled_R = 1 - (weights_RG @ missed_G) / (weights_RG @ total_G)
        value = 1 - missed_G.sum() / total_G.sum()
        found["linear_r2", name] = percentile_interval(value, resampled_R, len(pairs))
    return found


def _values(state: State, quantities: Sequence[str]) -> Floats:
    return np.concatenate([state[name] for name in quantities], axis=1).astype(np.float64)


def _dimension_names(source: EpisodeSource, quantities: Sequence[str]) -> list[str]:
    return [
        name if source.quantities[name] == 1 else f"{name}_{index}"
        for name in quantities
        for index in range(source.quantities[name])
    ]
