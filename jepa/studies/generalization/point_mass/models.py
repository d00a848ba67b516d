"""The two models that the experiment compares: one network, trained to predict latents or to predict the input.

Shapes: B clips, H actions, X observed dimensions, D latent.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from jepa.core.seeds import seeded, torch_generator
from jepa.studies.generalization.point_mass.world import NOISES, OBSERVED, Sensor, explore

Target = Literal["latent", "input"]
LATENT = 16
HIDDEN = 64
HORIZON = 3
BATCH = 128
PEAK = 3e-3
VARIANCE_WEIGHT = 0.1
NOISE_WEIGHT = 0.1
"""of the dimensions of pure noise in the loss of the input; the paper has such a weight and does not give it. At 1 the
input plans worse under noise, and no better without."""
MASSES, STEPS = 200, 30
"""size of the training data"""


class PointMassModel(nn.Module):
    """Encoder, action encoder, recurrent predictor and decoder, all small."""

    def __init__(self, target: Target) -> None:
        super().__init__()
        self.target = target
        self.encoder = nn.Sequential(
            nn.Linear(OBSERVED, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, LATENT)
        )
        self.start = nn.Linear(LATENT, HIDDEN)
        self.action_encoder = nn.Linear(2, LATENT)
        self.recurrence = nn.GRUCell(LATENT, HIDDEN)
        self.head = nn.Linear(HIDDEN, LATENT)
        self.decoder = nn.Sequential(nn.Linear(LATENT, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, OBSERVED))

    def predict(self, latent_BD: Tensor, action_BH2: Tensor) -> Tensor:
        """Returns what the model expects after the actions: a latent (B, D), or an observation (B, X)."""
        hidden = self.start(latent_BD)
        for action in self.action_encoder(action_BH2).unbind(1):
            hidden = self.recurrence(action, hidden)
        found: Tensor = latent_BD + self.head(hidden)
        return self.decoder(found) if self.target == "input" else found

    def aim(self, observed_BX: Tensor) -> Tensor:
        """Returns what predictions are compared with: the latent of an observation, or the observation itself."""
        aim: Tensor = self.encoder(observed_BX) if self.target == "latent" else observed_BX
        return aim

    def loss(self, now_BX: Tensor, action_BH2: Tensor, later_BX: Tensor) -> Tensor:
        """Returns the mean squared error; of latents against targets without gradient, with a hinge on their spread."""
        latent_BD = self.encoder(now_BX)
        error = (self.predict(latent_BD, action_BH2) - self.aim(later_BX).detach()).square()
        if self.target == "input":
            return (error * _weights(error)).mean()
        return error.mean() + VARIANCE_WEIGHT * torch.relu(1 - latent_BD.std(0)).mean()


def train_point_mass(target: Target, sensor: Sensor, updates: int, seed: int) -> PointMassModel:
    """Returns the model after training; both targets see the same data, batches and first weights."""
    with seeded(seed, "model"):
        model = PointMassModel(target)
    states, actions = explore(MASSES, STEPS, seed)
    observed = sensor.observe(states, torch_generator(seed, "sensor"))
    generator = torch_generator(seed, "batches")
    optimiser = torch.optim.Adam(model.parameters(), lr=PEAK)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, updates)
    along = torch.arange(HORIZON)
    for _ in range(updates):
        mass = torch.randint(MASSES, (BATCH,), generator=generator)
        time = torch.randint(STEPS - HORIZON + 1, (BATCH,), generator=generator)
        action_BH2 = actions[mass[:, None], time[:, None] + along]
        loss = model.loss(observed[mass, time], action_BH2, observed[mass, time + HORIZON])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return model.eval()


def _weights(error_BX: Tensor) -> Tensor:
    weight_X = torch.ones(error_BX.shape[1])
    weight_X[-NOISES:] = NOISE_WEIGHT
    return weight_X
