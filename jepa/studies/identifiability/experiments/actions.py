"""An acted world: encoder and linear transition are learned together, and linear-quadratic control is done in latents.

    loss = (1-λ) · mean (A h(x) + C a + b - h(x'))² / 4 + λ · SIGReg(h(x), h(x'))
The encoder's states are h ≈ Qz + mean; the gain of (A, C) on them must do what the true gain does on states.
Shapes: N samples, D dimensions, A action dimensions.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from jepa.core.seeds import numpy_generator, seeded
from jepa.evaluation.kinds.identifiability.metrics import closest_rotation
from jepa.objectives.terms.sigreg import SIGReg, SIGRegConfig
from jepa.studies.identifiability.cell import IdentifiabilityCell
from jepa.studies.identifiability.closed_forms.control import LinearControl
from jepa.studies.identifiability.encoders import make_encoder
from jepa.studies.identifiability.experiments.measures import state_measures, to_numpy
from jepa.studies.identifiability.mixings import Mixing, make_mixing
from jepa.studies.identifiability.training import StepLoss, train
from jepa.studies.identifiability.world import ActedWorld, acted_world
from jepa.studies.study import CellResult, Measure

Floats = NDArray[np.float64]
Controller = Callable[[Floats], Floats]
"""Takes states (N, D), returns actions (N, A)."""

ACTION_COST = 0.1
EPISODES, EPISODE_STEPS = 200, 60


class LinearWorldModel(nn.Module):
    """An encoder, and a linear transition of latents that takes an action."""

    def __init__(self, encoder: nn.Module, size: int, actions: int) -> None:
        super().__init__()
        self.size = size
        self.encoder = encoder
        self.transition = nn.Linear(size + actions, size)

    def forward(self, x_ND: Tensor, a_NA: Tensor, next_ND: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the predicted next latents (N, D), and both encoded ones (2, N, D)."""
        h_2ND = self.encoder(torch.cat([x_ND, next_ND])).unflatten(0, (2, -1))
        return self.transition(torch.cat([h_2ND[0], a_NA], dim=-1)), h_2ND

    def control(self) -> LinearControl:
        """Returns the control problem in latents; a rotation leaves its costs as they are in states."""
        weight = to_numpy(self.transition.weight)
        return quadratic_control(weight[:, : self.size], weight[:, self.size :])


def run(cell: IdentifiabilityCell) -> CellResult:
    """Returns how well state, transition and action map are recovered, and what control in latents costs."""
    world = acted_world(cell.dim, cell.actions, cell.rho, cell.strength, numpy_generator(cell.seed, "world"))
    mix = make_mixing(cell.mixing, cell.dim, cell.layers, cell.seed)
    encoder = make_encoder(cell.encoder, cell.dim, cell.seed, cell.width, cell.hidden, cell.layers)
    with seeded(cell.seed, "transition"):
        model = LinearWorldModel(encoder, cell.dim, cell.actions)
    final = train(model, prediction_loss(model, world, mix, cell), cell.schedule)

    def encode(z_ND: Floats) -> Floats:
        with torch.inference_mode():
            latents: Floats = to_numpy(encoder(mix(torch.from_numpy(z_ND).float())))
            return latents

    z = world.transitions(cell.samples, numpy_generator(cell.seed, "acted evaluation"))[0].astype(np.float64)
    h = encode(z)
    learned = model.control()
    measures = [Measure("training_loss", final), *state_measures(z, h)]
    measures += map_measures(world, learned, closest_rotation(z, h))
    gain, learned_gain, mean = true_control(world).gain(), learned.gain(), h.mean(0)

    def from_states(z_ND: Floats) -> Floats:
        return -z_ND @ gain.T

    def from_latents(z_ND: Floats) -> Floats:
        actions: Floats = -(encode(z_ND) - mean) @ learned_gain.T
        return actions

    best = from_states(z)
    off = float(((from_latents(z) - best) ** 2).sum() / (best**2).sum())
    costs = [closed_loop_cost(world, act, cell.seed) for act in (from_states, from_latents)]
    measures += [Measure("control_action_error", off, cell.samples)]
    measures += [Measure("control_cost_ratio", costs[1] / costs[0], EPISODES)]
    return CellResult(measures)


def prediction_loss(model: LinearWorldModel, world: ActedWorld, mix: Mixing, cell: IdentifiabilityCell) -> StepLoss:
    """Returns the loss of fresh transitions at each step."""
    rng, sigreg = numpy_generator(cell.seed, "acted data"), SIGReg(SIGRegConfig(directions=cell.directions))

    def loss(step: int) -> Tensor:
        z_ND, a_NA, next_ND = (torch.from_numpy(part) for part in world.transitions(cell.batch, rng))
        predicted_ND, h_2ND = model(mix(z_ND), a_NA, mix(next_ND))
        prediction = (predicted_ND - h_2ND[1]).square().mean() / 4
        spread: Tensor = sigreg(h_2ND.flatten(0, 1)[None], step, cell.seed)
        total: Tensor = (1 - cell.weight) * prediction + cell.weight * spread
        return total

    return loss


def quadratic_control(transition_DD: Floats, action_DA: Floats) -> LinearControl:
    """Returns the problem with cost ‖z‖² + ‖a‖² / 10, which no rotation changes."""
    size, actions = action_DA.shape
    return LinearControl(transition_DD, action_DA, np.eye(size), ACTION_COST * np.eye(actions))


def true_control(world: ActedWorld) -> LinearControl:
    """Returns the problem in states."""
    gain_DA = world.gain_DA.astype(np.float64)
    return quadratic_control(world.rho * np.eye(len(gain_DA)), gain_DA)


def map_measures(world: ActedWorld, learned: LinearControl, rotation_DD: Floats) -> list[Measure]:
    """Returns the relative errors ‖A - ρI‖ / ‖ρI‖ and ‖C - QB‖ / ‖B‖."""
    size = len(rotation_DD)
    rho_DD, turned_DA = world.rho * np.eye(size), rotation_DD @ world.gain_DA
    off = learned.transition_DD - rho_DD, learned.action_DA - turned_DA
    return [
        Measure("dynamics_error", float(np.linalg.norm(off[0]) / np.linalg.norm(rho_DD))),
        Measure("action_map_error", float(np.linalg.norm(off[1]) / np.linalg.norm(turned_DA))),
    ]


def closed_loop_cost(world: ActedWorld, act: Controller, seed: int) -> float:
    """Returns the mean cost of a step while a controller acts in the noisy world; noise is the same for all."""
    rng: Any = numpy_generator(seed, "episodes")
    size, root_DD = len(world.gain_DA), np.linalg.cholesky(world.noise_DD.astype(np.float64))
    z_ND, total = rng.standard_normal((EPISODES, size)), 0.0
    for _ in range(EPISODE_STEPS):
        a_NA = act(z_ND)
        total += float(((z_ND**2).sum(1) + ACTION_COST * (a_NA**2).sum(1)).mean())
        noise_ND = rng.standard_normal((EPISODES, size)) @ root_DD.T
        z_ND = world.rho * z_ND + a_NA @ world.gain_DA.T + noise_ND
    return total / EPISODE_STEPS
