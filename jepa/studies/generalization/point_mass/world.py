"""A point mass in the plane, seen through features of its state, nuisances that depend on it, and pure noise.

    v′ = damping · v + scale · a,  p′ = p + v′,  |a_i| <= 1
The paper gives neither constants nor sizes. Ours let 25 steps of full force cross about 1.3 units from rest.
Shapes: B masses, T actions.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from jepa.core.seeds import torch_generator

DAMPING = 0.8
SCALE = 0.012
ARENA = 1.0
NUISANCES = 8
NOISES = 8
BEND = 0.5
"""Size of the nuisances' weights. Steeper ones are flat far from the goal, as larger velocities are costly on the way:
then not even the true dynamics reach a goal by the distance of inputs."""
OBSERVED = 4 + NUISANCES + NOISES


def step(state_B4: Tensor, action_B2: Tensor) -> Tensor:
    """Returns the states (p, v) one step later."""
    velocity = DAMPING * state_B4[..., 2:] + SCALE * action_B2.clamp(-1, 1)
    return torch.cat([state_B4[..., :2] + velocity, velocity], dim=-1)


@dataclass(frozen=True)
class Sensor:
    """What a state looks like: the same nuisances for all of one seed, and fresh noise at each look."""

    mix_4D: Tensor
    noise: float

    def observe(self, state: Tensor, generator: torch.Generator) -> Tensor:
        """Returns observations (…, OBSERVED): the state, tanh of mixtures of it, and Gaussian noise."""
        drawn = self.noise * torch.randn(*state.shape[:-1], NOISES, generator=generator)
        return torch.cat([state, torch.tanh(state @ self.mix_4D), drawn], dim=-1)


def make_sensor(noise: float, seed: int) -> Sensor:
    """Returns the sensor of a seed; its nuisances do not depend on the noise."""
    return Sensor(BEND * torch.randn(4, NUISANCES, generator=torch_generator(seed, "nuisances")), noise)


def explore(masses: int, steps: int, seed: int) -> tuple[Tensor, Tensor]:
    """Returns states (B, T + 1, 4) and actions (B, T, 2) of random forces that change now and then."""
    generator = torch_generator(seed, "exploration")
    start = torch.zeros(masses, 4)
    start[:, :2] = 1.5 * ARENA * (2 * torch.rand(masses, 2, generator=generator) - 1)
    states, actions = [start], []
    action = 2 * torch.rand(masses, 2, generator=generator) - 1
    for _ in range(steps):
        renewed = torch.rand(masses, 1, generator=generator) < 0.3
        action = torch.where(renewed, 2 * torch.rand(masses, 2, generator=generator) - 1, action)
        actions.append(action)
        states.append(step(states[-1], action))
    return torch.stack(states, 1), torch.stack(actions, 1)


def draw_problems(required: int, problems: int, seed: int) -> tuple[Tensor, Tensor]:
    """Returns starts at rest and goals at rest (B, 4), as far apart as full force in one direction goes in `required`.

    Both lie in the arena where it is large enough: the middle between them is drawn near its centre.
    """
    generator = torch_generator(seed, "problems", required)
    angle = 2 * torch.pi * torch.rand(problems, generator=generator)
    direction = torch.stack([angle.cos(), angle.sin()], dim=1)
    # An action is bounded along each axis: a diagonal is crossed faster than an axis.
    end = torch.zeros(problems, 4)
    for _ in range(required):
        end = step(end, direction)
    middle = 0.3 * ARENA * (2 * torch.rand(problems, 2, generator=generator) - 1)
    start, goal = torch.zeros(problems, 4), torch.zeros(problems, 4)
    start[:, :2], goal[:, :2] = middle - end[:, :2] / 2, middle + end[:, :2] / 2
    return start, goal
