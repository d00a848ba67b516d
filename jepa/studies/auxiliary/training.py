"""Four ways to train an encoder E, a transition T and a head P in the counting world:

    L = mean (T(E(o_t), a_t) - E(o_{t+1}))² + c mean (P(E(o)) - p(o))²
with no teacher and no stopped gradient. `joint` has the reward as p, `random` a fixed random projection of the
observation; `reward` has the second term alone and `transition` the first.
Shapes: B transitions, M observations, D latent, q values of p.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from jepa.core.seeds import seeded, torch_generator
from jepa.studies.auxiliary.samples import SIDE, VECTOR, Samples, Transitions
from jepa.training.schedule import learning_rate_at

Arm = Literal["joint", "random", "reward", "transition"]
WIDTH = 128
WARMUP = 50
SCALED_BY = 28
"""Draws of each count by which random quantities are scaled."""
POOLED = 4
"""Side of the squares over which the last features of a picture are summed: four quarters of a frame are kept apart."""


@dataclass(frozen=True)
class Training:
    """How to train; see `AuxiliaryCell` for what the fields mean."""

    arm: Arm
    transition: Literal["linear", "mlp"]
    aux_weight: float
    latent_size: int
    steps: int
    batch: int
    learning_rate: float
    weight_decay: float


class Linear(nn.Module):
    """A linear map for each of the two actions: what it tells apart it keeps apart by as much as its weights allow."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(size, size), nn.Linear(size, size)

    def forward(self, z_BD: Tensor, action_B1: Tensor) -> Tensor:
        """Returns the predicted next latents."""
        return torch.where(action_B1 > 0, self.up(z_BD), self.down(z_BD))


class Perceptron(nn.Module):
    """A hidden layer on latent and action."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.layers = mlp(size + 1, size)

    def forward(self, z_BD: Tensor, action_B1: Tensor) -> Tensor:
        """Returns the predicted next latents."""
        predicted: Tensor = self.layers(torch.cat([z_BD, action_B1], dim=1))
        return predicted


class Summed(nn.Module):
    """Sums features over squares of `POOLED` × `POOLED` places: as many objects as there are, add up."""

    def forward(self, features: Tensor) -> Tensor:
        """Returns (M, channels · squares)."""
        return nn.functional.avg_pool2d(features, POOLED).flatten(1) * POOLED


class Learner(nn.Module):
    """Encoder, transition and head of one arm."""

    def __init__(self, training: Training, pixels: bool) -> None:
        super().__init__()
        size, values = training.latent_size, training.latent_size if training.arm == "random" else 1
        self.encoder = (
            picture_encoder(size) if pixels else nn.Sequential(mlp(VECTOR, WIDTH), nn.GELU(), nn.Linear(WIDTH, size))
        )
        straight = training.transition == "linear"
        self.transition = Linear(size) if straight else Perceptron(size)
        self.head = nn.Linear(size, values) if straight else mlp(size, values)


def mlp(size: int, out: int) -> nn.Sequential:
    """Returns one hidden layer."""
    return nn.Sequential(nn.Linear(size, WIDTH), nn.GELU(), nn.Linear(WIDTH, out))


def picture_encoder(latent_size: int) -> nn.Sequential:
    """Returns a small strided network for frames of 64 × 64."""
    quarters = (SIDE // 8 // POOLED) ** 2
    return nn.Sequential(
        *(nn.Conv2d(3, 16, 4, stride=4), nn.GELU(), nn.Conv2d(16, 32, 3, stride=2, padding=1), nn.GELU()),
        *(nn.Conv2d(32, 64, 1), nn.GELU(), Summed(), mlp(64 * quarters, latent_size)),
    )


class Fitted:
    """A learner in training, and its losses of the last step."""

    def __init__(self, training: Training, samples: Samples, pixels: bool) -> None:
        self.training, self.samples = training, samples
        with seeded(samples.seed, "weights"):
            self.learner = Learner(training, pixels)
        decayed = [*self.learner.transition.parameters(), *self.learner.head.parameters()]
        groups = [
            {"params": list(self.learner.encoder.parameters()), "weight_decay": 0.0},
            {"params": decayed, "weight_decay": training.weight_decay},
        ]
        self._optimizer = torch.optim.AdamW(groups, lr=training.learning_rate)
        self._projection = _projection(training, samples)
        self.transition_loss = self.auxiliary_loss = float("nan")

    def fit(self) -> "Fitted":
        """Takes all steps, with a rate that rises for `WARMUP` steps and falls along a cosine."""
        for step in range(self.training.steps):
            rate = learning_rate_at(step, self.training.steps, self.training.learning_rate, WARMUP)
            for group in self._optimizer.param_groups:
                group["lr"] = rate
            loss = self._loss(self.samples.transitions(self.training.batch))
            self._optimizer.zero_grad()
            loss.backward()
            self._optimizer.step()
        return self

    @torch.no_grad()
    def encode(self, observation_M: Tensor) -> Tensor:
        """Returns the latents (M, D) in float64."""
        return torch.cat([self.learner.encoder(part) for part in observation_M.split(256)]).double()

    def _loss(self, batch: Transitions) -> Tensor:
        z_MD = self.learner.encoder(batch.observation_M)
        before_BD, after_BD = z_MD.chunk(2)
        transition = (self.learner.transition(before_BD, batch.action_B1) - after_BD).square().mean()
        auxiliary = (self.learner.head(z_MD) - self._wanted(batch)).square().mean()
        self.transition_loss, self.auxiliary_loss = float(transition.detach()), float(auxiliary.detach())
        if self.training.arm == "transition":
            return torch.as_tensor(transition)
        weighted = self.training.aux_weight * auxiliary
        return torch.as_tensor(weighted if self.training.arm == "reward" else transition + weighted)

    def _wanted(self, batch: Transitions) -> Tensor:
        if self._projection is None:
            return batch.reward_M1
        return torch.as_tensor(batch.observation_M.flatten(1) @ self._projection)


def _projection(training: Training, samples: Samples) -> Tensor | None:
    """Returns what makes the random quantity, with values of the order of one."""
    if training.arm != "random":
        return None
    seen = samples.labelled(SCALED_BY, "scale").observation_M.flatten(1)
    draws = torch.randn(seen.shape[1], training.latent_size, generator=torch_generator(samples.seed, "projection"))
    return torch.as_tensor(draws / (seen @ draws).std())
