"""Episodes held in memory, and a model of Two-Room that is right by construction where no wall stands in the way."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from jepa.core.episodes import Episode
from jepa.evaluation.evaluation import Row
from jepa.models.world_model import ModelConfig
from jepa.worlds import WORLDS, EpisodePlan, collect_episodes
from jepa.worlds.two_room.world import SPEED


class MemorySource:
    """An EpisodeSource of freshly simulated Two-Room episodes."""

    world = "two_room"
    world_options: Mapping[str, object] = {}

    def __init__(self, counts: Mapping[str, int], steps: int = 64) -> None:
        spec = WORLDS.get(self.world).world_spec
        self.action_size = spec.action_size
        self.quantities: Mapping[str, int] = spec.recorded
        self.by_split: dict[str, list[Episode]] = {}
        index = 0
        for split, count in counts.items():
            plans = []
            for _ in range(count):
                variation = spec.sample_variation(np.random.default_rng(index), unseen=split == "unseen")
                policy = "random" if index % 4 == 0 else "two_room/expert"
                plans.append(EpisodePlan(index, 1000 + index, split, variation, policy, steps))
                index += 1
            self.by_split[split] = list(collect_episodes(self.world, self.world_options, plans))

    def count(self, split: str) -> int:
        return len(self.by_split.get(split, []))

    def episodes(self, split: str, limit: int | None = None) -> Iterator[Episode]:
        return iter(self.by_split.get(split, [])[:limit])


class CentroidModel(nn.Module):
    """Latent = the red disk's centre; prediction = centre + the actions' displacement, walls unknown."""

    def __init__(self) -> None:
        super().__init__()
        self.config = ModelConfig(latent_size=2)
        self.unused = nn.Parameter(torch.zeros(1))

    def encode(self, pixels_BTHWC: Tensor) -> Tensor:
        red = pixels_BTHWC[..., 0].float() - pixels_BTHWC[..., 1].float()
        weight = (red - 8).clamp_min(0)
        centre = (torch.arange(weight.shape[-1]) + 0.5) / weight.shape[-1]
        total = weight.sum((-1, -2)).clamp_min(1e-6)  # without a red disk the centre is the corner
        return torch.stack(
            [(weight.sum(-2) * centre).sum(-1) / total, (weight.sum(-1) * centre).sum(-1) / total], dim=-1
        )

    def predict(self, z_BTD: Tensor, action_BTKA: Tensor) -> Tensor:
        return z_BTD + action_BTKA.sum(2) * float(SPEED)

    def rollout(self, z_BTD: Tensor, action_BHKA: Tensor, past_action_BTKA: Tensor | None = None) -> Tensor:
        z_B1D = z_BTD[:, -1:].repeat_interleave(len(action_BHKA) // len(z_BTD), 0)
        return z_B1D + action_BHKA.sum(2).cumsum(1) * float(SPEED)


def figures(rows: list[Row], *names: str) -> dict[tuple[Any, ...], Any]:
    """Returns the values of `metrics` rows by the columns that tell them apart and, last, their metric."""
    return {tuple(row[name] for name in (*names, "metric")): row["value"] for row in rows}
