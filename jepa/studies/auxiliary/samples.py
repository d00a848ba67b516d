"""Transitions of the counting world for training, and labelled draws for judging: as vectors, or as pixels.

A vector is a fixed random mixture of the count and of numbers that have nothing to do with it; a picture shows as many
objects of one shape and hue, somewhere. Both are drawn again at each step, and shape and hue once an episode.
Shapes: B transitions, M frames, I pairs of shape and hue, C = 9 counts, d nuisances.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from jepa.core.seeds import numpy_generator, torch_generator
from jepa.worlds.counting.scene import LAYOUTS, MOST, SHAPES, colours, draw, places
from jepa.worlds.counting.world import TARGET, Counting, counted

COUNTS = MOST + 1
NUISANCES = 6
VECTOR, MIXED = 48, 64
"""Numbers of a vector, and of the layer in between that mixes it."""
LOUDNESS = 3.0
"""How much the count weighs in a vector, in standard deviations of a nuisance."""
LOOKS = 300
"""Pairs of shape and hue whose frames are held for training: two of every count."""
SIDE = 64
DRAWN_AT_ONCE = 512


@dataclass(frozen=True)
class Transitions:
    """A batch: observations before and after, the action, and the counts."""

    before_B: Tensor
    after_B: Tensor
    action_B1: Tensor
    count_B: Tensor
    next_count_B: Tensor

    @property
    def observation_M(self) -> Tensor:
        """Returns both observations, all those before first."""
        return torch.cat([self.before_B, self.after_B])

    @property
    def reward_M1(self) -> Tensor:
        """Returns the reward of both, in the same order."""
        return (torch.cat([self.count_B, self.next_count_B]) == TARGET).float()[:, None]


@dataclass(frozen=True)
class Labelled:
    """Observations with their counts, and what they show besides."""

    observation_M: Tensor
    count_M: Tensor
    nuisance_Md: Tensor


class Samples(ABC):
    """Draws of one kind of observation, all from one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self._draws = torch_generator(seed, "transitions")

    def transitions(self, batch: int) -> Transitions:
        """Returns the next batch: counts uniform over 0 to 8, actions -1 and +1 alike."""
        count_B = torch.randint(COUNTS, (batch,), generator=self._draws)
        action_B = 2 * torch.randint(2, (batch,), generator=self._draws) - 1
        after_B = torch.from_numpy(counted(count_B.numpy(), action_B.numpy()))
        before, after = self._pair(count_B, after_B)
        return Transitions(before, after, action_B[:, None].float(), count_B, after_B)

    @abstractmethod
    def _pair(self, count_B: Tensor, after_B: Tensor) -> tuple[Tensor, Tensor]:
        """Returns observations of two successive counts."""

    @abstractmethod
    def labelled(self, each: int, name: str) -> Labelled:
        """Returns so many draws of every count, of a stream of their own that training never sees."""


class Vectors(Samples):
    """Two random layers with tanh on the one-hot count and `NUISANCES` normal numbers."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        draws = torch_generator(seed, "mixing")
        self._first = torch.randn(COUNTS + NUISANCES, MIXED, generator=draws) / 3
        self._second = torch.randn(MIXED, VECTOR, generator=draws) * 2 / MIXED**0.5

    def _pair(self, count_B: Tensor, after_B: Tensor) -> tuple[Tensor, Tensor]:
        before, after = (self._seen(count, self._draws)[0] for count in (count_B, after_B))
        return before, after

    def labelled(self, each: int, name: str) -> Labelled:
        """Returns so many draws of every count; the nuisances are the normal numbers."""
        count_M = torch.arange(COUNTS).repeat_interleave(each)
        seen, nuisance = self._seen(count_M, torch_generator(self.seed, "labelled", name))
        return Labelled(seen, count_M, nuisance)

    def _seen(self, count_B: Tensor, draws: torch.Generator) -> tuple[Tensor, Tensor]:
        nuisance = torch.randn(len(count_B), NUISANCES, generator=draws)
        state = torch.cat([LOUDNESS * torch.eye(COUNTS)[count_B], nuisance], dim=1)
        return torch.tanh(torch.tanh(state @ self._first) @ self._second), nuisance


class Pictures(Samples):
    """Frames of the counting world, drawn in advance: two of every count for each of `LOOKS` pairs of shape and hue."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self._frames, _ = _frames(seed, "training", LOOKS, 2)

    def _pair(self, count_B: Tensor, after_B: Tensor) -> tuple[Tensor, Tensor]:
        look_B = torch.randint(LOOKS, count_B.shape, generator=self._draws)
        first_B = torch.randint(2, count_B.shape, generator=self._draws)
        before = self._frames[look_B, count_B, first_B]
        return _scaled(before), _scaled(self._frames[look_B, after_B, 1 - first_B])

    def labelled(self, each: int, name: str) -> Labelled:
        """Returns so many draws of every count; the nuisances are the objects' centroid (2) and colour (3)."""
        frames, nuisance = _frames(self.seed, name, each, 1)
        ordered = frames[:, :, 0].transpose(0, 1).flatten(0, 1)
        return Labelled(
            _scaled(ordered),
            torch.arange(COUNTS).repeat_interleave(each),
            nuisance[:, :, 0].transpose(0, 1).flatten(0, 1),
        )


def _frames(seed: int, name: str, looks: int, layouts: int) -> tuple[Tensor, Tensor]:
    """Returns uint8 frames (I, C, layouts, 64, 64, 3) and their nuisances (I, C, layouts, 5)."""
    rng = numpy_generator(seed, "frames", name)
    factor = Counting.world_spec.factors[0]
    wide = (looks, COUNTS, layouts)
    shape = np.broadcast_to(rng.integers(len(SHAPES), size=(looks, 1, 1)), wide).reshape(-1)
    hue = np.broadcast_to([[[factor.sample(rng)]] for _ in range(looks)], wide).reshape(-1)
    layout = rng.integers(LAYOUTS, size=wide).reshape(-1)
    count = np.broadcast_to(np.arange(COUNTS)[None, :, None], wide).reshape(-1)
    drawn = [
        draw(count[one], shape[one], hue[one], layout[one], SIDE)
        for one in np.split(np.arange(len(count)), range(DRAWN_AT_ONCE, len(count), DRAWN_AT_ONCE))
    ]
    shown = (np.arange(MOST) < count[:, None])[..., None]
    centroid = (places(layout) * shown).sum(1) / np.maximum(count, 1)[:, None] + np.where(count == 0, 0.5, 0)[:, None]
    nuisance = np.concatenate([centroid, colours(hue) / 255], axis=1).astype(np.float32)
    frames = torch.from_numpy(np.concatenate(drawn).reshape(*wide, SIDE, SIDE, 3))
    return frames, torch.from_numpy(nuisance.reshape(*wide, -1))


def _scaled(frames: Tensor) -> Tensor:
    return frames.movedim(-1, -3).float() / 255
