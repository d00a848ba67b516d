"""Probing: how much of the physical state can be read from a latent, on frames of held-out episodes.

A linear and an MLP probe are fitted to z-scored latents and targets of training frames, and judged on `test` and, where
there is one, `unseen`. Intervals resample episodes, for frames of one episode are alike; `n` counts episodes. A measure
that is undefined, because its target never varies, has no row; a dimension that training frames do not vary in beyond
the rounding of its numbers is none that a probe could learn, and counts as one that never varies on every split.

What was probed is said by the columns `latents`, `frames` and `blocks_ahead`:

- `encoder`, 1 frame: the main figures, of all drawn frames.
- `encoder`, 3 frames: a linear probe of the latents of three frames an action block apart side by side, which alone can
  show how things move; it is asked for velocities, too, where the world has them.
- `prediction`, k blocks ahead: latents predicted open loop from the full history that ended k action blocks before, and
  the actions recorded since. **They are read by the probes of `encoder`**, fitted to latents of true frames, and held
  against the state k blocks later: so it is asked whether a prediction means what the frame's own latent would mean. A
  probe fitted to predictions could learn to undo their errors. 0 blocks ahead are the encoder's latents of the very
  frames that are predicted, the same for every k.
- `pixels_pca`, `untrained`, `state`: baselines of the linear probe on these same frames. Pixels by as many principal
  components as a latent has dimensions, an encoder with initial weights, and the true state, of which R² is 1.

Shapes: N frames, Q targets.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import EpisodeSource
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
from jepa.evaluation.kinds.probing.baselines import untrained_like
from jepa.evaluation.kinds.probing.config import ProbingConfig
from jepa.evaluation.kinds.probing.frames import Amount, Frames, gather
from jepa.evaluation.kinds.probing.predicted import predicted, reach
from jepa.evaluation.kinds.probing.probes import Probe, ProbeConfig, fit_mlp
from jepa.evaluation.kinds.probing.readers import Reader, baseline_readers, encoder_readers, window_readers
from jepa.evaluation.kinds.probing.report import HEADLINES, SECTION, TABLES
from jepa.evaluation.kinds.probing.targets import Targets, finite_quantities, probed_quantities
from jepa.evaluation.latents import encode_split
from jepa.evaluation.statistics import RegressionSample
from jepa.models.world_model import WorldModel

Floats = NDArray[np.float32]


@EVALUATIONS.register("probing")
class ProbingEvaluation(Evaluation):
    """Fits probes on training frames, each to all quantities at once, and judges them on the held-out splits."""

    kind = "probing"
    version = 4
    Config = ProbingConfig
    tables = TABLES
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
        """Returns `r2`, `pearson_r` and `mse` for each split, probe and quantity, and for all quantities together.

        Raises:
            InputError: the model's latents are not finite, or no quantity is a number in every frame.
        """
        started = time.perf_counter()
        config, result = self.config, EvaluationResult(tables={"predictions": []})
        untrained = untrained_like(model, seed) if config.baseline_frames else None
        fit = Amount(config.train_frames, config.baseline_frames, config.frames_together - 1)
        train = gather(model, source, "train", fit, seed, untrained)
        # A dataset too small for a validation split is stopped by its own training frames: the test stays untouched.
        held = train
        if source.count("validation"):
            held = gather(model, source, "validation", Amount(config.validation_frames, 0, 0), seed)
        lags = max(config.frames_together - 1, model.config.history - 1 + config.blocks_ahead)
        judge = Amount(config.test_frames, config.compared_frames, lags)
        splits = {split: gather(model, source, split, judge, seed, untrained) for split in present_splits(source)}
        readers = self._readers(model, source, [train, held, *splits.values()], seed)
        for split, frames in splits.items():
            labels = {"evaluation": self.kind, "protocol": self.protocol, "split": split, "seed": seed}
            result.metrics.extend(self._metrics(model, frames, readers, labels))
            for reader in readers[:2]:
                result.tables["predictions"].extend(self._predictions(reader, frames, labels))
        for row in result.metrics:
            row["seconds"] = time.perf_counter() - started
        return result

    def _readers(self, model: WorldModel, source: EpisodeSource, splits: list[Frames], seed: int) -> list[Reader]:
        """Returns the fitted probes, those of the encoder's latents of one frame first."""
        train, held, *_ = splits
        states = [frames.state for frames in splits]
        quantities = finite_quantities(probed_quantities(source), states)
        if not quantities:
            raise InputError("no quantity of the dataset is a number in every frame; leave out 'probing'")
        targets = Targets(tuple(quantities))
        readers = encoder_readers(train, held, targets, self.config, seed)
        if self.config.baseline_frames:
            moving = Targets(tuple(finite_quantities(probed_quantities(source, motion=True), states)))
            readers += window_readers(train, moving, self.config)
            readers += baseline_readers(train, targets, model.config.latent_size, self.config, seed)
        return readers

    def _metrics(self, model: WorldModel, frames: Frames, readers: list[Reader], labels: Row) -> Iterator[Row]:
        for judged, read in self._judged(model, frames, readers, labels["seed"]):
            reader = judged.reader
            common = {
                **labels,
                "probe": reader.name,
                "latents": judged.latents,
                "frames": reader.frames,
                "blocks_ahead": judged.ahead,
                "settings": reader.settings,
            }
            for (quantity, metric), estimate in judged.sample.estimates(read, reader.targets.columns).items():
                if np.isfinite(estimate.value):
                    yield metric_row(estimate, metric=metric, unit="1", quantity=quantity, **common)

    def _judged(
        self, model: WorldModel, frames: Frames, readers: list[Reader], seed: int
    ) -> Iterator[tuple["_Judged", Floats]]:
        """Yields what is judged of a split, and the readings of it."""
        encoder, others = readers[:2], readers[2:]
        draw = derive_seed(seed, "probing")

        def sample(reader: Reader, place_N: NDArray[np.int64]) -> RegressionSample:
            true_NQ, constant_Q = reader.true(frames, place_N), ~reader.scale.varies
            return RegressionSample(true_NQ, frames.episode_M[place_N], draw, constant_D=constant_Q)

        drawn = sample(encoder[0], frames.drawn_N)
        for reader in encoder:
            yield _Judged(reader, drawn, "encoder", 0), reader.read(frames.z_MD[frames.drawn_N])
        furthest = reach(frames, model.config.history, self.config.blocks_ahead)
        chosen_N = frames.reaching(model.config.history - 1 + furthest if furthest else 0)
        if not chosen_N.any():
            return
        compared = sample(encoder[0], frames.lag_NL[chosen_N, 0])
        for ahead in range(furthest + 1 if furthest else 0):
            z_ND = predicted(model, frames, chosen_N, ahead)
            for reader in encoder:
                yield _Judged(reader, compared, "prediction", ahead), reader.read(z_ND)
        for reader in others:
            if reader.frames == 1:
                yield _Judged(reader, compared, reader.latents, 0), reader.read(reader.features(frames, chosen_N))
                continue
            long_N = chosen_N & frames.reaching(reader.frames - 1)
            if long_N.any():
                own = sample(reader, frames.lag_NL[long_N, 0])
                yield _Judged(reader, own, reader.latents, 0), reader.read(reader.features(frames, long_N))

    def _predictions(self, reader: Reader, frames: Frames, labels: Row) -> Iterator[Row]:
        state = frames.state_at(frames.drawn_N)
        predicted_NQ = reader.probe.predict(frames.z_MD[frames.drawn_N])
        order_N = numpy_generator(labels["seed"], "scatter").permutation(len(predicted_NQ))
        shared = {**{name: labels[name] for name in ("split", "protocol", "seed")}, "probe": reader.name}
        for quantity in reader.targets.quantities:
            true_Nd, read_Nd = reader.targets.shown(quantity, state, predicted_NQ)
            for n in np.sort(order_N[: max(1, self.config.predictions // quantity.size)]):
                place = frames.drawn_N[n]
                where = {"episode": int(frames.episode_M[place]), "step": int(frames.row_M[place])}
                for dimension in range(quantity.size):
                    what = {"quantity": quantity.name, "dimension": dimension, "unit": quantity.unit}
                    values = {"target": float(true_Nd[n, dimension]), "predicted": float(read_Nd[n, dimension])}
                    yield {**shared, **what, **where, **values}


@dataclass(frozen=True)
class _Judged:
    """A probe, what it reads, and the frames by which it is judged."""

    reader: Reader
    sample: RegressionSample
    latents: str
    ahead: int


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
