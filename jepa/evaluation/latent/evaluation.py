"""The latent space itself: how many dimensions it uses, how straight its trajectories are, how Gaussian it is.

It works with D × D matrices: latents of patch tokens (75,264 dimensions with the recipe `dino-wm`) are too many for it.
Shapes: G episodes, T frames of an episode, N frames, D latent dimensions, R resamples.
"""

import time

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import PositiveInt

from jepa.core.config import Config
from jepa.core.episodes import EpisodeSource
from jepa.core.errors import InputError
from jepa.core.seeds import derive_seed, numpy_generator
from jepa.evaluation.evaluation import EVALUATIONS, Evaluation, EvaluationResult, metric_row, present_splits
from jepa.evaluation.latent.report import HEADLINES
from jepa.evaluation.latents import encode_pixels
from jepa.evaluation.statistics import Estimate, bootstrap_mean, bootstrap_weights, percentile_interval
from jepa.models.world_model import WorldModel
from jepa.objectives.sigreg import SIGReg

Floats = NDArray[np.float64]


class LatentConfig(Config):
    """How much is looked at."""

    episodes: PositiveInt = 200
    """episodes of each held-out split"""
    sigreg_frames: PositiveInt = 512
    """frames that SIGReg's statistic is taken over; it grows with them, so the number is part of the protocol"""
    resamples: PositiveInt = 200
    """resamples behind the interval of the effective rank, each of which needs eigenvalues"""


@EVALUATIONS.register("latent")
class LatentEvaluation(Evaluation):
    """A unit is a split."""

    kind = "latent"
    Config = LatentConfig
    headlines = HEADLINES

    def __init__(self, config: LatentConfig, protocol: str) -> None:
        self.config = config
        self.protocol = protocol

    def units(self, source: EpisodeSource) -> list[str]:
        """Returns the held-out splits.

        Raises:
            InputError: there are no test episodes.
        """
        if not source.count("test"):
            raise InputError("dataset has no 'test' episodes, which 'latent' needs; collect more episodes")
        return present_splits(source)

    def run(self, unit: str, model: WorldModel, source: EpisodeSource, seed: int) -> EvaluationResult:
        """Returns `effective_rank`, `straightness` and `sigreg` of the split's latents."""
        started = time.perf_counter()
        frameskip, seed_here = model.config.frameskip, derive_seed(seed, "latent", unit)
        episodes = source.episodes(unit, limit=self.config.episodes)
        latents = [encode_pixels(model, episode.pixels[::frameskip]).astype(np.float64) for episode in episodes]
        straight = [value for value in map(straightness, latents) if np.isfinite(value)]
        figures = {
            "effective_rank": bootstrap_effective_rank(latents, seed_here, self.config.resamples),
            "sigreg": self._sigreg(np.concatenate(latents), seed_here),
        }
        if straight:
            figures["straightness"] = bootstrap_mean(straight, seed_here)
        labels = {"evaluation": self.kind, "protocol": self.protocol, "split": unit, "seed": seed}
        labels["seconds"] = time.perf_counter() - started
        rows = [metric_row(figure, metric=name, unit="1", **labels) for name, figure in figures.items()]
        return EvaluationResult(rows)

    def _sigreg(self, z_ND: Floats, seed: int) -> Estimate:
        rows = numpy_generator(seed, "sigreg frames").permutation(len(z_ND))[: self.config.sigreg_frames]
        value = float(SIGReg()(torch.from_numpy(z_ND[rows][None]).float(), step=0, seed=seed))
        return Estimate(value, float("nan"), float("nan"), len(rows))


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


def bootstrap_effective_rank(latents: list[Floats], seed: int, resamples: int) -> Estimate:
    """Returns the effective rank of all frames together, with an interval over episodes."""
    centre_D = np.concatenate(latents).mean(0)
    centred = [z_TD - centre_D for z_TD in latents]
    count_G = np.array([len(z_TD) for z_TD in centred], dtype=np.float64)
    sum_GD = np.stack([z_TD.sum(0) for z_TD in centred])
    product_GDD = np.stack([z_TD.T @ z_TD for z_TD in centred])

    def rank(weights_RG: Floats) -> Floats:
        count_R = weights_RG @ count_G
        mean_RD = weights_RG @ sum_GD / count_R[:, None]
        second_RDD = np.tensordot(weights_RG, product_GDD, axes=1) / count_R[:, None, None]
        return effective_rank(second_RDD - mean_RD[:, :, None] * mean_RD[:, None, :])

    resampled_R = rank(bootstrap_weights(len(latents), seed, resamples))
    return percentile_interval(rank(np.ones((1, len(latents))))[0], resampled_R, len(latents))
