"""The latent space itself: how many dimensions it uses, how straight its trajectories are, how Gaussian it is.

It works with D × D matrices: latents of patch tokens (75,264 dimensions with the recipe `dino-wm`) are too many for it.
Shapes: G episodes, T frames of an episode, D latent dimensions, J blocks of episodes.
"""

import logging
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt

from jepa.core.config import Config
from jepa.core.episodes import EpisodeSource
from jepa.core.seeds import derive_seed
from jepa.evaluation.evaluation import (
    EVALUATIONS,
    Evaluation,
    EvaluationResult,
    metric_row,
    present_splits,
    require_episodes,
)
from jepa.evaluation.kinds.latent.gaussianity import batch_sigreg, dimension_distances
from jepa.evaluation.kinds.latent.report import HEADLINES, SECTION, TABLES
from jepa.evaluation.statistics import Estimate, Key, bootstrap_mean, jackknife_blocks, jackknife_interval
from jepa.models.encoding import encode_pixels
from jepa.models.world_model import WorldModel

Floats = NDArray[np.float64]

log = logging.getLogger(__name__)


class LatentConfig(Config):
    """How much is looked at."""

    episodes: PositiveInt = 200
    """episodes of each held-out split"""
    sigreg_batch: PositiveInt = 128
    """latents of the batch whose SIGReg is given; what is not Gaussian grows with it"""
    resamples: PositiveInt = 200
    """most blocks of episodes that are left out in turn for an interval, each of which needs eigenvalues"""

    @classmethod
    def with_new_names(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the values under today's names, without `sigreg_frames` of version 1."""
        if "sigreg_frames" in values:
            log.warning("sigreg_frames is ignored: SIGReg's figure does not depend on how many frames are looked at")
        return super().with_new_names({name: value for name, value in values.items() if name != "sigreg_frames"})


@EVALUATIONS.register("latent")
class LatentEvaluation(Evaluation):
    """A unit is a split."""

    kind = "latent"
    Config = LatentConfig
    version = 2
    tables = TABLES
    headlines = HEADLINES
    section = SECTION

    def __init__(self, config: LatentConfig, protocol: str) -> None:
        self.config = config
        self.protocol = protocol

    def units(self, source: EpisodeSource) -> list[str]:
        """Returns the held-out splits.

        Raises:
            InputError: there are no test episodes.
        """
        require_episodes(source, f"{self.kind!r}", ["test"])
        return present_splits(source)

    def run(self, unit: str, model: WorldModel, source: EpisodeSource, seed: int) -> EvaluationResult:
        """Returns `effective_rank`, `straightness`, `sigreg` and `gaussian_distance` of the split's latents."""
        started = time.perf_counter()
        frameskip, seed_here = model.config.frameskip, derive_seed(seed, "latent", unit)
        episodes = source.episodes(unit, limit=self.config.episodes)
        frames = (episode.frames_at(episode.every(frameskip)) for episode in episodes)
        latents = [encode_pixels(model, pixels).astype(np.float64) for pixels in frames]
        straight = [value for value in map(straightness, latents) if np.isfinite(value)]
        figures: dict[Key, Estimate] = {
            ("effective_rank", None): overall_effective_rank(latents, self.config.resamples),
            ("sigreg", None): batch_sigreg(latents, self.config.sigreg_batch, seed_here, self.config.resamples),
        }
        if straight:
            figures["straightness", None] = bootstrap_mean(straight, seed_here)
        figures |= dimension_distances(latents, self.config.resamples)
        labels = {"evaluation": self.kind, "protocol": self.protocol, "split": unit, "seed": seed}
        labels["seconds"] = time.perf_counter() - started
        # One episode alone has no SIGReg: what is undefined has no row.
        defined = {name: figure for name, figure in figures.items() if np.isfinite(figure.value)}
        return EvaluationResult(
            [metric_row(one, metric=key[0], quantity=key[1], unit="1", **labels) for key, one in defined.items()]
        )


def straightness(z_TD: Floats) -> float:
    """Returns the mean cosine of successive changes of an episode's latents; NaN where nothing moves."""
    change = np.diff(z_TD, axis=0)
    size = np.linalg.norm(change, axis=1)
    product = size[1:] * size[:-1]
    moving = product > 0
    if not moving.any():
        return float("nan")
    return float(((change[1:] * change[:-1]).sum(1)[moving] / product[moving]).mean())


def effective_rank(covariance_DD: Floats) -> Floats:
    """Returns exp of the entropy of the normalised eigenvalues of covariances (..., D, D): between 1 and D.

    Roy and Vetterli 2007, "The effective rank".
    """
    eigenvalues = np.linalg.eigvalsh(covariance_DD).clip(min=0)
    share = eigenvalues / np.maximum(eigenvalues.sum(-1, keepdims=True), 1e-300)
    return np.asarray(np.exp(-(share * np.log(np.maximum(share, 1e-300))).sum(-1)))


def overall_effective_rank(latents: list[Floats], blocks: int) -> Estimate:
    """Returns the effective rank of all frames together, with a jackknife interval over episodes.

    Resamples would lie below the value: an episode that is drawn twice adds no direction.

    Args:
        latents: of each episode, (T, D).
        blocks: most blocks of episodes that are left out in turn.
    """
    centre_D = np.concatenate(latents).mean(0)
    centred = [z_TD - centre_D for z_TD in latents]
    count_G = np.array([len(z_TD) for z_TD in centred], dtype=np.float64)
    sum_GD = np.stack([z_TD.sum(0) for z_TD in centred])
    product_GDD = np.stack([z_TD.T @ z_TD for z_TD in centred])

    def rank(kept_JG: NDArray[np.bool_]) -> Floats:
        weights_JG = kept_JG.astype(np.float64)
        count_J = weights_JG @ count_G
        mean_JD = weights_JG @ sum_GD / count_J[:, None]
        second_JDD = np.tensordot(weights_JG, product_GDD, axes=1) / count_J[:, None, None]
        return effective_rank(second_JDD - mean_JD[:, :, None] * mean_JD[:, None, :])

    groups = len(latents)
    left_out_J = rank(jackknife_blocks(groups, blocks)) if groups > 1 else np.full(1, np.nan)
    whole = rank(np.ones((1, groups), dtype=bool))[0]
    return jackknife_interval(whole, left_out_J, groups, 1.0, float(len(centre_D)))
