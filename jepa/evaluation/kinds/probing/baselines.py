"""What a model's latents have to be better than: pixels by principal components, and an encoder that learned nothing.

Shapes: N frames, H × W pixels, P values of a shrunken frame, C components.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from jepa.core.episodes import Pixels
from jepa.core.seeds import derive_seed, numpy_generator
from jepa.models.world_model import WorldModel

Floats = NDArray[np.float32]

SIDE = 32
"""Pixels a side to which larger frames are averaged: leading components hardly change, and cost a quarter."""


def shrunken(pixels_NHWC: Pixels) -> Floats:
    """Returns frames uint8 (N, H, W, 3) averaged over squares, so that at most 32 a side are left, in [0, 1], (N, P).

    Pixels at the right and lower edge that fill no square are left out.
    """
    count, high, wide, _ = pixels_NHWC.shape
    side = -(-max(high, wide) // SIDE)
    rows, columns = high // side * side, wide // side * side
    total = np.zeros((count, rows // side, columns // side, 3), np.float32)
    for down, right in product(range(side), repeat=2):
        total += pixels_NHWC[:, down:rows:side, right:columns:side]
    small_NP: Floats = (total / (255 * side**2)).reshape(count, -1)
    return small_NP


@dataclass(frozen=True)
class PrincipalComponents:
    """The directions in which frames vary most."""

    mean_P: Floats
    components_PC: Floats

    @classmethod
    def of(cls, pixels_NP: Floats, count: int, frames: int, seed: int) -> "PrincipalComponents":
        """Returns the components of some of the frames, by the N × N matrix of their inner products.

        Args:
            pixels_NP: shrunken frames.
            count: C; frames that vary in fewer directions have fewer components, at least one.
            frames: most that are looked at.
            seed: of the draw.
        """
        chosen = numpy_generator(seed, "pca").permutation(len(pixels_NP))[:frames]
        x_NP = pixels_NP[np.sort(chosen)]
        mean_P = x_NP.mean(0)
        x_NP = x_NP - mean_P
        # By many threads a product's last digits depend on how many; all workers are to find the same components.
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            x = torch.from_numpy(x_NP)
            values_N, vectors_NN = (found.numpy() for found in torch.linalg.eigh(x @ x.T))
        finally:
            torch.set_num_threads(threads)
        order_C = np.argsort(values_N)[::-1][:count]
        order_C = order_C[values_N[order_C] > 1e-6 * max(float(values_N.max()), 1e-12)]
        if not len(order_C):  # frames that are all alike: one component, of which nothing can be read
            return cls(mean_P, np.zeros((x_NP.shape[1], 1), np.float32))
        components_PC = np.einsum("np,nc->pc", x_NP, vectors_NN[:, order_C] / np.sqrt(values_N[order_C]))
        return cls(mean_P, components_PC.astype(np.float32))

    def __call__(self, pixels_NP: Floats) -> Floats:
        """Returns the frames' coordinates, (N, C)."""
        coordinates_NC: Floats = np.einsum("np,pc->nc", pixels_NP - self.mean_P, self.components_PC)
        return coordinates_NC


def untrained_like(model: WorldModel, seed: int) -> WorldModel:
    """Returns a model of the same architecture with initial weights, on the same device."""
    fresh = WorldModel.from_config(model.config, derive_seed(seed, "untrained"))
    return fresh.to(next(model.parameters()).device)
