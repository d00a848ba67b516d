"""A world whose pixels are its state, and a model that is the truth: nothing is lost in either."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from jepa.core.episodes import Actions, Episode, Pixels, State
from jepa.models.world_model import ModelConfig
from jepa.worlds import GoalKind, Quantity, World, WorldSpec
from tests.jepa.evaluation.standins import MemorySource

SIDE = 200


def moved(place: Any, action: Any, library: Any) -> Any:
    """Returns places after an action, of whole numbers from 0 to SIDE; actions are rounded, too."""
    return library.clip(place + library.round(action), 0, SIDE)


class Lattice(World):
    """A point on a grid; its first pixel says where."""

    world_spec = WorldSpec(
        name="lattice",
        image_size=16,
        action_size=2,
        action_low=-4.0,
        action_high=4.0,
        quantities=(Quantity("place", 2, "cell"),),
        factors=(),
        perturbations=(),
        goal_kinds=(GoalKind("uniform", ("place",)),),
        distance_unit="cell",
        success="there",
    )

    def begin(self, seeds: Sequence[int], variations: Sequence[Mapping[str, float]]) -> None:
        self.place_N2 = np.stack([np.random.default_rng(seed).integers(0, SIDE + 1, 2) for seed in seeds]).astype(float)

    def advance(self, action_NA: Actions) -> None:
        self.place_N2 = moved(self.place_N2, action_NA, np)

    def render_pixels(self) -> Pixels:
        pixels = np.zeros((self.num_envs, 16, 16, 3), dtype=np.uint8)
        pixels[:, 0, 0, :2] = self.place_N2
        return pixels

    def state(self) -> State:
        return {"place": self.place_N2.astype(np.float32)}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.place_N2 = np.array(state["place"], dtype=float)

    def distance(self, goal: Mapping[str, Any], kind: str) -> Any:
        return np.linalg.norm(self.place_N2 - goal["place"], axis=1).astype(np.float32)

    def success(self, goal: Mapping[str, Any], kind: str) -> Any:
        return self.distance(goal, kind) < 1


class TrueModel(nn.Module):
    """Latent = the place; what it imagines is what happens."""

    def __init__(self) -> None:
        super().__init__()
        self.config = ModelConfig(latent_size=2, action_size=2)
        self.unused = nn.Parameter(torch.zeros(1))

    def encode(self, pixels_BTHWC: Tensor) -> Tensor:
        return pixels_BTHWC[..., 0, 0, :2].float()

    def rollout(self, z_BTD: Tensor, action_BHKA: Tensor, past_action_BTKA: Tensor | None = None) -> Tensor:
        z_BD, latents = z_BTD[:, -1].repeat_interleave(len(action_BHKA) // len(z_BTD), 0), []
        for action_BKA in action_BHKA.unbind(1):
            for action_BA in action_BKA.unbind(1):
                z_BD = moved(z_BD, action_BA, torch)
            latents.append(z_BD)
        return torch.stack(latents, dim=1)


class LatticeSource(MemorySource):
    """Test episodes of random walks on the lattice, each action held for a while."""

    world = "lattice"

    def __init__(self, episodes: int, steps: int) -> None:
        self.action_size, self.quantities = 2, {"place": 2}
        self.by_split = {"test": [self._walk(index, steps) for index in range(episodes)]}

    @staticmethod
    def _walk(index: int, steps: int) -> Episode:
        world, rng = Lattice(1), np.random.default_rng(index)
        world.begin([index], [{}])
        action_TA = rng.uniform(-4, 4, (steps // 5, 2)).repeat(5, axis=0).astype(np.float32)
        pixels, places = [world.render_pixels()[0]], [world.state()["place"][0]]
        for action_A in action_TA:
            world.advance(action_A[None])
            pixels.append(world.render_pixels()[0])
            places.append(world.state()["place"][0])
        return Episode(index, index, "test", {}, "walk", np.stack(pixels), action_TA, {"place": np.stack(places)})
