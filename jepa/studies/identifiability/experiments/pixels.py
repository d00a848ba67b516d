"""Pictures: a convolutional encoder learns from pairs of frames whose scene has two Gaussian angles.

`pixels` draws its own arm of two links; `reacher` has the frames of that world's adapter, rendered once.
Shapes: N pairs, S pixels of a side, C channels, H × W pixels, D latent dimensions.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from jepa.core.seeds import numpy_generator, seeded
from jepa.studies.identifiability.cell import IdentifiabilityCell
from jepa.studies.identifiability.experiments.measures import bound_measures, state_measures, to_numpy
from jepa.studies.identifiability.training import Draw, make_loss, paired_loss, train
from jepa.studies.study import CellResult, Measure
from jepa.worlds.world import World, make_world

LINKS = (0.55, 0.4)
"""Lengths of upper arm and forearm; the picture spans [-1, 1]."""
AT_ONCE = 500
"""Frames that are encoded or rendered at a time."""

Bytes = NDArray[np.uint8]


class FrameEncoder(nn.Module):
    """Convolutions of stride 2 with BatchNorm, without which a good third of the runs collapses, and two layers."""

    def __init__(self, image_size: int, width: int, outputs: int) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        depth = max(1, image_size.bit_length() - 3)  # a side of 4 to 7 is left
        before = 3
        for channels in [max(8, width >> level) for level in reversed(range(depth))]:
            blocks += [nn.Conv2d(before, channels, 4, 2, 1, bias=False), nn.BatchNorm2d(channels), nn.GELU()]
            before = channels
        head = [nn.AdaptiveAvgPool2d(4), nn.Flatten(), nn.Linear(16 * before, width), nn.BatchNorm1d(width), nn.GELU()]
        self.layers = nn.Sequential(*blocks, *head, nn.Linear(width, outputs))

    def forward(self, pixels_NCHW: Tensor) -> Tensor:
        """Returns latents (N, D) of frames in [0, 1]."""
        latents: Tensor = self.layers(pixels_NCHW)
        return latents


def run_pixels(cell: IdentifiabilityCell) -> CellResult:
    """Returns the measures of an encoder of our own arm's frames, drawn as they are needed."""

    def draw(n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        one, other = cell.world.pairs(n, rng)
        both = draw_arm(torch.from_numpy(np.concatenate([one, other])), cell.image_size)
        return both[:n], both[n:]

    def frames(z_N2: NDArray[np.float32]) -> Tensor:
        return draw_arm(torch.from_numpy(z_N2), cell.image_size)

    return trained(cell, draw, frames)


def run_reacher(cell: IdentifiabilityCell) -> CellResult:
    """Returns the measures of an encoder of the frames of world `reacher`, whose pairs are rendered once."""
    world = make_world("reacher", num_envs=1, image_size=cell.image_size)
    try:
        poses = cell.world.pairs(cell.frames, numpy_generator(cell.seed, "poses"))
        one, other = (render_reacher(world, pose) for pose in poses)

        def draw(n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
            picked = rng.integers(cell.frames, size=n)
            return scaled(one[picked]), scaled(other[picked])

        return trained(cell, draw, lambda z_N2: scaled(render_reacher(world, z_N2)))
    finally:
        world.close()


def trained(cell: IdentifiabilityCell, draw: Draw, frames: Callable[[NDArray[np.float32]], Tensor]) -> CellResult:
    """Returns the measures of a frame encoder.

    Args:
        cell: world and training.
        draw: pairs of frames to learn from.
        frames: pictures of given angles, for the evaluation.
    """
    with seeded(cell.seed, "frame encoder"):
        encoder = FrameEncoder(cell.image_size, cell.width, cell.dim)
    loss = make_loss(cell.objective, cell.weight, cell.directions, cell.seed)
    final = train(encoder, paired_loss(encoder, draw, loss, cell.batch, cell.seed), cell.schedule)
    rng = numpy_generator(cell.seed, "pixel evaluation")
    z_N2 = cell.world.states(cell.samples, rng)
    next_N2 = cell.world.successors(z_N2, rng)
    h, h_next = (encode(encoder, frames, angle_N2) for angle_N2 in (z_N2, next_N2))
    z = z_N2.astype(np.float64)
    measures = [*state_measures(z, h), *bound_measures(z, h, h_next, cell.rho)]
    return CellResult([Measure("training_loss", final), *measures])


def encode(
    encoder: nn.Module, frames: Callable[[NDArray[np.float32]], Tensor], z_N2: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Returns the latents (N, D) of the frames of given angles, a part at a time."""
    with torch.inference_mode():
        parts = [encoder(frames(z_N2[start : start + AT_ONCE])) for start in range(0, len(z_N2), AT_ONCE)]
    latents: NDArray[np.float64] = to_numpy(torch.cat(parts))
    return latents


def draw_arm(angle_N2: Tensor, image_size: int) -> Tensor:
    """Returns frames (N, 3, S, S) in [0, 1] of an arm: the upper arm red, the forearm green, its tip blue.

    A link is as bright as a Gaussian of the distance from it, about a pixel wide, so that frames move smoothly.
    """
    axis = torch.linspace(-1, 1, image_size)
    pixel_SS2 = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=-1)
    upper_N, fore_N = angle_N2[:, 0], angle_N2[:, 0] + angle_N2[:, 1]
    elbow_N2 = LINKS[0] * torch.stack([upper_N.cos(), upper_N.sin()], dim=-1)
    tip_N2 = elbow_N2 + LINKS[1] * torch.stack([fore_N.cos(), fore_N.sin()], dim=-1)
    ends = ((torch.zeros_like(elbow_N2), elbow_N2), (elbow_N2, tip_N2), (tip_N2, tip_N2))
    width = 2.5 / image_size
    squared = [_squared_distance(pixel_SS2, one[:, None, None], other[:, None, None]) for one, other in ends]
    return torch.stack([(-distance / (2 * width**2)).exp() for distance in squared], dim=1)


def _squared_distance(pixel_SS2: Tensor, one_N112: Tensor, other_N112: Tensor) -> Tensor:
    """Returns the squared distance of each pixel from the segment between two points, (N, S, S)."""
    along, away = other_N112 - one_N112, pixel_SS2 - one_N112
    share = ((away * along).sum(-1) / along.square().sum(-1).clamp_min(1e-12)).clamp(0, 1)
    return (away - share[..., None] * along).square().sum(-1)


def render_reacher(world: World, angles: Sequence[NDArray[np.float32]] | NDArray[np.float32]) -> Bytes:
    """Returns frames (N, H, W, 3) of Reacher at given joint angles, in the middle of its factors of variation."""
    middle = {factor.name: (factor.low + factor.high) / 2 for factor in world.world_spec.factors}
    world.begin([0], [middle])
    state = world.state()
    frames = []
    for angle_2 in angles:
        world.restore({**state, "joint_position": np.asarray(angle_2, dtype=np.float32)[None]})
        frames.append(world.render_pixels()[0])
    return np.stack(frames)


def scaled(frames_NHWC: Bytes) -> Tensor:
    """Returns frames (N, C, H, W) in [0, 1]."""
    return torch.from_numpy(frames_NHWC).permute(0, 3, 1, 2).float() / 255
