"""Training of an encoder on pairs of views that are drawn as they are needed: alignment, and what keeps it from zero.

    lejepa   (1-λ) · alignment + λ · SIGReg(views)                       soft; the latents may shrink
    whiten   (1-λ) · alignment + λ · mean (Cov h - I)²                   the mean of the latents stays free
    infonce  cross-entropy of picking a view's partner by -‖h - h'‖²/2   kernel of width 1
alignment = mean over views and dimensions of (view - mean of the views)², as in `jepa.objectives.lejepa`.
Shapes: N pairs, D latent dimensions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from jepa.core.seeds import numpy_generator
from jepa.objectives.terms.sigreg import SIGReg, SIGRegConfig

ObjectiveName = Literal["lejepa", "whiten", "infonce"]
Loss = Callable[[Tensor, int], Tensor]
"""Takes the latents of both views (2, N, D) and the step."""
Draw = Callable[[int, np.random.Generator], tuple[Tensor, Tensor]]
"""Takes a number of pairs and a generator, returns two views of N each."""
StepLoss = Callable[[int], Tensor]
"""Takes the step and returns the loss of its own batch."""

LAST = 0.05
"""Share of the steps at the end over which the final loss is averaged."""


@dataclass(frozen=True)
class Schedule:
    """How long and how fast an encoder learns."""

    steps: int = 20_000
    learning_rate: float = 3e-3
    weight_decay: float = 0.0

    def rate(self, step: int) -> float:
        """Returns the learning rate's factor: constant for the first half, then a cosine to zero."""
        share = max(0.0, 2 * step / self.steps - 1)
        return float(0.5 * (1 + np.cos(np.pi * share)))


def make_loss(name: ObjectiveName, weight: float, directions: int, seed: int) -> Loss:
    """Returns an objective.

    Args:
        name: which.
        weight: λ; `infonce` has none.
        directions: of SIGReg.
        seed: of SIGReg's directions.
    """
    if name == "infonce":
        return lambda h_2ND, step: info_nce(h_2ND)
    sigreg = SIGReg(SIGRegConfig(directions=directions))

    def loss(h_2ND: Tensor, step: int) -> Tensor:
        flat = h_2ND.flatten(0, 1)
        spread = sigreg(flat[None], step, seed) if name == "lejepa" else whiteness(flat)
        return (1 - weight) * alignment(h_2ND) + weight * spread

    return loss


def alignment(h_2ND: Tensor) -> Tensor:
    """Returns mean (view - mean of the views)², a quarter of the mean squared difference."""
    return (h_2ND[0] - h_2ND[1]).square().mean() / 4


def whiteness(h_ND: Tensor) -> Tensor:
    """Returns mean (Cov h - I)² over the entries of the covariance."""
    centred = h_ND - h_ND.mean(0)
    covariance = centred.T @ centred / len(h_ND)
    return (covariance - torch.eye(h_ND.shape[1])).square().mean()


def info_nce(h_2ND: Tensor) -> Tensor:
    """Returns the cross-entropy of picking the partner among the batch, from both sides."""
    logit_NN = -torch.cdist(h_2ND[0], h_2ND[1]).square() / 2
    target_N = torch.arange(len(logit_NN))
    both = nn.functional.cross_entropy(logit_NN, target_N) + nn.functional.cross_entropy(logit_NN.T, target_N)
    return both / 2


def paired_loss(encoder: nn.Module, draw: Draw, loss: Loss, batch: int, seed: int) -> StepLoss:
    """Returns the loss of fresh pairs at each step.

    Args:
        encoder: takes N views.
        draw: pairs of views.
        loss: objective.
        batch: pairs of a step.
        seed: of the data.
    """
    rng = numpy_generator(seed, "data")
    return lambda step: loss(encoder(torch.cat(draw(batch, rng))).unflatten(0, (2, -1)), step)


def train(module: nn.Module, step_loss: StepLoss, schedule: Schedule) -> float:
    """Trains a module in place and returns its loss, averaged over the last twentieth of the steps."""
    optimizer = torch.optim.AdamW(
        module.parameters(), lr=schedule.learning_rate, weight_decay=schedule.weight_decay, foreach=True
    )
    last, averaged = [], max(1, round(LAST * schedule.steps))
    module.train()
    for step in range(schedule.steps):
        for group in optimizer.param_groups:
            group["lr"] = schedule.learning_rate * schedule.rate(step)
        value = step_loss(step)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        if step >= schedule.steps - averaged:
            last.append(value.detach())
    module.eval()
    return float(torch.stack(last).mean())
