"""Probing: how much of the physical state can be read from a latent, on frames of held-out episodes.

A linear and an MLP probe are fitted to z-scored latents and targets of training frames, and judged on `test` and, where
there is one, `unseen`. Intervals resample episodes, for frames of one episode are alike; `n` counts episodes. A measure
that is undefined, because its target never varies, has no row.
Shapes: N frames, D latent dimensions, Q dimensions of all probed quantities together.
"""

import time

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from jepa.core.config import Config
from jepa.core.episodes import EpisodeSource, State
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed, numpy_generator
from jepa.evaluation.evaluation import (
    EVALUATIONS,
    Evaluation,
    EvaluationResult,
    Row,
    metric_row,
    present_splits,
    require_episodes,
)
from jepa.evaluation.kinds.probing.probes import Probe, ProbeConfig, fit_linear, fit_mlp
from jepa.evaluation.kinds.probing.report import HEADLINES, PREDICTIONS, SECTION
from jepa.evaluation.latents import LatentFrames, encode_split
from jepa.evaluation.statistics import bootstrap_regression
from jepa.models.world_model import WorldModel
from jepa.worlds.declarations import Quantity
from jepa.worlds.world import WORLDS

Floats = NDArray[np.float32]


class ProbingConfig(Config):
    """How many frames the probes are fitted to and judged on, and the probes themselves."""

    train_frames: PositiveInt = 16_000
    """frames of the training split that the probes are fitted to"""
    validation_frames: PositiveInt = 2_000
    """frames that tell the MLP when to stop"""
    test_frames: PositiveInt = 5_000
    """frames of each held-out split that the probes are judged on"""
    predictions: PositiveInt = 500
    """rows of the scatter table for each split, probe and quantity"""
    probe: ProbeConfig = ProbeConfig()
    """hyper-parameters of the probes"""


def probed_quantities(source: EpisodeSource) -> list[Quantity]:
    """Returns the quantities to look for in the latents: those of the world that say so, and all that it does not know.

    A recording may hold columns of its own, and lack some that the world has.
    """
    known = WORLDS.get(source.world).world_spec.quantities if source.world in WORLDS else ()
    names = {quantity.name for quantity in known}
    own = [Quantity(name, size, "of the recording") for name, size in source.quantities.items() if name not in names]
    found = [quantity for quantity in known if quantity.probe and source.quantities.get(quantity.name) == quantity.size]
    return [*found, *own]


def targets(state: State, quantities: list[Quantity]) -> Floats:
    """Returns the quantities' values side by side, (N, Q)."""
    return np.concatenate([state[quantity.name] for quantity in quantities], axis=1).astype(np.float32)


@EVALUATIONS.register("probing")
class ProbingEvaluation(Evaluation):
    """Fits both probes on training frames, each to all quantities at once, and judges them on the held-out splits."""

    kind = "probing"
    version = 2
    Config = ProbingConfig
    tables = (PREDICTIONS,)
    headlines = HEADLINES
    section = SECTION

    def __init__(self, config: ProbingConfig, protocol: str) -> None:
        self.config = config
        self.protocol = protocol

    def units(self, source: EpisodeSource) -> list[str]:
        """Returns one unit: all figures share the fitted probes.

        Raises:
            InputError: the source has no quantity to look for, or no training or test episodes.
        """
        if not probed_quantities(source):
            raise InputError("the dataset holds no quantity to probe; leave out the evaluation 'probing'")
        require_episodes(source, self.kind)
        return ["probes"]

    def run(self, unit: str, model: WorldModel, source: EpisodeSource, seed: int) -> EvaluationResult:
        """Returns `r2`, `pearson_r` and `mse` for each split, probe and quantity, and for all quantities together."""
        started = time.perf_counter()
        quantities = probed_quantities(source)
        probes = self.fit(model, source, seed)
        result = EvaluationResult(tables={"predictions": []})
        for split in present_splits(source):
            frames = encode_split(model, source, split, self.config.test_frames, seed)
            for name, probe in probes.items():
                common = {
                    "evaluation": self.kind,
                    "protocol": self.protocol,
                    "split": split,
                    "probe": name,
                    "seed": seed,
                }
                result.metrics.extend(self._metrics(probe, frames, quantities, common))
                result.tables["predictions"].extend(self._predictions(probe, frames, quantities, common))
        for row in result.metrics:
            row["seconds"] = time.perf_counter() - started
        return result

    def fit(self, model: WorldModel, source: EpisodeSource, seed: int) -> dict[str, Probe]:
        """Returns the `linear` and the `mlp` probe, fitted to training frames; validation frames stop the latter."""
        config, quantities = self.config, probed_quantities(source)
        train = encode_split(model, source, "train", config.train_frames, seed)
        y_NQ = targets(train.state, quantities)
        # A dataset too small for a validation split is stopped by its own training frames: the test stays untouched.
        held = train
        if source.count("validation"):
            held = encode_split(model, source, "validation", config.validation_frames, seed)
        mlp_seed = derive_seed(seed, "mlp probe")
        return {
            "linear": fit_linear(train.z_ND, y_NQ, config.probe),
            "mlp": fit_mlp(train.z_ND, y_NQ, held.z_ND, targets(held.state, quantities), config.probe, mlp_seed),
        }

    def _metrics(self, probe: Probe, frames: LatentFrames, quantities: list[Quantity], common: Row) -> list[Row]:
        predicted_NQ = probe.normalised(frames.z_ND)
        true_NQ = probe.y_scale.normalise(targets(frames.state, quantities))
        rows, first = [], 0
        columns = {"all": slice(None)}
        for quantity in quantities:
            columns[quantity.name] = slice(first, first + quantity.size)
            first += quantity.size
        for name, column in columns.items():
            estimates = bootstrap_regression(
                true_NQ[:, column],
                predicted_NQ[:, column],
                frames.episode_N,
                derive_seed(common["seed"], "probing", name),
            )
            rows += [
                metric_row(estimate, metric=metric, unit="1", quantity=name, **common)
                for metric, estimate in estimates.items()
                if np.isfinite(estimate.value)
            ]
        return rows

    def _predictions(self, probe: Probe, frames: LatentFrames, quantities: list[Quantity], common: Row) -> list[Row]:
        true_NQ, predicted_NQ = targets(frames.state, quantities), probe.predict(frames.z_ND)
        rng = numpy_generator(common["seed"], "scatter")
        order_N = rng.permutation(len(true_NQ))
        shared = {name: common[name] for name in ("split", "protocol", "seed", "probe")}
        rows, first = [], 0
        for quantity in quantities:
            for n in np.sort(order_N[: max(1, self.config.predictions // quantity.size)]):
                where = {"episode": int(frames.episode_N[n]), "step": int(frames.row_N[n])}
                for dimension in range(quantity.size):
                    column = first + dimension
                    what = {"quantity": quantity.name, "dimension": dimension, "unit": quantity.unit}
                    values = {"target": float(true_NQ[n, column]), "predicted": float(predicted_NQ[n, column])}
                    rows.append({**shared, **what, **where, **values})
            first += quantity.size
        return rows


def fit_position_probe(
    model: WorldModel, source: EpisodeSource, quantity: str, frames: int, config: ProbeConfig, seed: int
) -> Probe:
    """Returns an MLP that reads one quantity from a latent, to show where a model believes that a plan leads."""
    train = encode_split(model, source, "train", frames, seed)
    held_out = np.arange(len(train.z_ND)) % 10 == 0
    z_ND, y_NQ = train.z_ND, train.state[quantity].astype(np.float32)
    return fit_mlp(
        z_ND[~held_out], y_NQ[~held_out], z_ND[held_out], y_NQ[held_out], config, derive_seed(seed, "position")
    )
