"""Probes: a linear and a small non-linear map from latents to physical quantities.

Latents and targets are z-scored with the training split's statistics, so that an mse of 1 is that of the mean.
Shapes: N frames, D latent dimensions, Q target dimensions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import cos, pi

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor
from torch.nn.functional import mse_loss

from jepa.core.config import Config
from jepa.core.seeds import torch_generator
from jepa.evaluation.kinds.probing.perceptron import Perceptron

Floats = NDArray[np.float32]


class ProbeConfig(Config):
    """Hyper-parameters of both probes; part of the protocol, for a probe's size decides what it finds."""

    ridge: NonNegativeFloat = 1e-6
    """linear: weight of the squared norm, per training frame"""
    hidden: PositiveInt = 128
    """MLP: width of each of its two hidden layers"""
    steps: PositiveInt = 1500
    """MLP: most optimiser steps, along a cosine to zero"""
    batch_size: PositiveInt = 256
    """MLP: frames of an optimiser step"""
    learning_rate: PositiveFloat = 3e-3
    """MLP: peak learning rate of Adam"""
    check_every: PositiveInt = 100
    """MLP: optimiser steps between two looks at the validation split, whose best weights are kept"""
    patience: PositiveInt = 5
    """MLP: looks without an improvement after which it stops"""


@dataclass(frozen=True)
class Scale:
    """Mean and spread of each column; a column that never varies is only centred."""

    mean: Floats
    std: Floats
    varies: NDArray[np.bool_]
    """by more than the rounding of its numbers"""

    @classmethod
    def of(cls, x_NX: Floats) -> "Scale":
        """Returns the statistics of the rows."""
        std = x_NX.std(0, dtype=np.float64)
        varies = std > 1e-6 * (1 + np.abs(x_NX).max(0))
        mean, std = x_NX.mean(0, dtype=np.float64), np.where(varies, std, 1.0)
        return cls(mean.astype(np.float32), std.astype(np.float32), varies)

    def normalise(self, x_NX: Floats) -> Floats:
        """Returns z-scores."""
        return ((x_NX - self.mean) / self.std).astype(np.float32)


@dataclass(frozen=True)
class Probe:
    """A fitted map with the scales of both its ends."""

    z_scale: Scale
    y_scale: Scale
    map: Callable[[Tensor], Tensor]

    @torch.inference_mode()
    def normalised(self, z_ND: Floats) -> Floats:
        """Returns z-scored predictions (N, Q)."""
        return self.map(torch.from_numpy(self.z_scale.normalise(z_ND))).numpy()

    def predict(self, z_ND: Floats) -> Floats:
        """Returns predictions (N, Q) in the quantity's own unit."""
        return self.normalised(z_ND) * self.y_scale.std + self.y_scale.mean


def fit_linear(z_ND: Floats, y_NQ: Floats, config: ProbeConfig) -> Probe:
    """Returns the ridge regression in closed form: W = (ZᵀZ + N·ridge·I)⁻¹ ZᵀY = Zᵀ(ZZᵀ + N·ridge·I)⁻¹ Y on z-scores.

    Latents of many patch tokens have more dimensions than there are frames: the smaller of the two systems is solved.
    """
    z_scale, y_scale = Scale.of(z_ND), Scale.of(y_NQ)
    z, y = torch.from_numpy(z_scale.normalise(z_ND)).double(), torch.from_numpy(y_scale.normalise(y_NQ)).double()
    penalty = len(z) * config.ridge * torch.eye(min(z.shape), dtype=torch.float64)
    if len(z) < z.shape[1]:
        weight_DQ = z.T @ torch.linalg.lstsq(z @ z.T + penalty, y, driver="gelsd").solution
    else:
        weight_DQ = torch.linalg.lstsq(z.T @ z + penalty, z.T @ y, driver="gelsd").solution
    weight_DQ = weight_DQ.float()
    return Probe(z_scale, y_scale, lambda x: x @ weight_DQ)


@torch.inference_mode()
def fit_mlp(
    z_ND: Floats, y_NQ: Floats, validation_z_ND: Floats, validation_y_NQ: Floats, config: ProbeConfig, seed: int
) -> Probe:
    """Returns a multi-layer perceptron with two hidden layers, at its best step on the validation split."""
    z_scale, y_scale = Scale.of(z_ND), Scale.of(y_NQ)
    z, y = (torch.from_numpy(scale.normalise(x)) for scale, x in ((z_scale, z_ND), (y_scale, y_NQ)))
    held_z = torch.from_numpy(z_scale.normalise(validation_z_ND))
    held_y = torch.from_numpy(y_scale.normalise(validation_y_NQ))
    generator = torch_generator(seed)
    network = Perceptron(z.shape[1], config.hidden, y.shape[1], generator)
    best_W, best_loss, misses = network.weights_W.clone(), float("inf"), 0
    for step in range(1, config.steps + 1):
        index = torch.randint(len(z), (config.batch_size,), generator=generator)
        network.step(z[index], y[index], config.learning_rate * (1 + cos(pi * (step - 1) / config.steps)) / 2)
        if step % config.check_every and step != config.steps:
            continue
        loss = float(mse_loss(network(held_z), held_y))
        misses = 0 if loss < best_loss else misses + 1
        if loss < best_loss:
            best_W, best_loss = network.weights_W.clone(), loss
        if misses == config.patience:
            break
    network.weights_W.copy_(best_W)
    return Probe(z_scale, y_scale, network)
