"""Planning with either model: the cross-entropy method over a receding horizon, in the true world.

Plans are as long as what the models were trained to predict.

Shapes: P problems, S candidates, H actions, K = 1 action in an action block, A = 2 force components.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from jepa.core.seeds import derive_seed, torch_generator
from jepa.planning.cross_entropy import CEMConfig, Cost, minimise
from jepa.studies.generalization.point_mass.models import HORIZON, PointMassModel
from jepa.studies.generalization.point_mass.world import Sensor, draw_problems, step

RADIUS = 0.08
SLACK = 5
"""steps beyond the required ones"""
SEARCH = CEMConfig(samples=48, elites=6, iterations=4, horizon=HORIZON, candidates_at_once=100_000)

MakeCost = Callable[[Tensor], Cost]
"""Takes the present states (P, 4) and returns the cost of actions."""


@torch.inference_mode()
def success(model: PointMassModel, sensor: Sensor, required: int, problems: int, seed: int) -> Tensor:
    """Returns, for each problem, whether its mass came within the radius of the goal in the time given (P,)."""
    start, goal = draw_problems(required, problems, seed)
    generator = _looks(seed, required)
    aim_PD = model.aim(sensor.observe(goal, generator))

    def make_cost(state_P4: Tensor) -> Cost:
        latent_PD = model.encoder(sensor.observe(state_P4, generator))
        return lambda action_PSHKA: model_cost(model, latent_PD, aim_PD, action_PSHKA)

    return pursue(make_cost, start, goal, required + SLACK, _search_seed(seed, required))


@torch.inference_mode()
def success_of_truth(sensor: Sensor, required: int, problems: int, seed: int) -> Tensor:
    """Returns the same of a perfect model of the input: the true dynamics, and inputs without noise (P,)."""
    start, goal = draw_problems(required, problems, seed)
    quiet, generator = Sensor(sensor.mix_4D, 0.0), _looks(seed, required)
    aim_PX = quiet.observe(goal, generator)

    def make_cost(state_P4: Tensor) -> Cost:
        def cost(action_PSHKA: Tensor) -> Tensor:
            state_PS4 = state_P4[:, None].expand(*action_PSHKA.shape[:2], 4)
            for action_PS2 in action_PSHKA[:, :, :, 0].unbind(2):
                state_PS4 = step(state_PS4, action_PS2)
            return (quiet.observe(state_PS4, generator) - aim_PX[:, None]).square().sum(-1)

        return cost

    return pursue(make_cost, start, goal, required + SLACK, _search_seed(seed, required))


def _looks(seed: int, required: int) -> torch.Generator:
    """Returns the generator of what is seen, the same for models and for the truth: both see the same noise."""
    return torch_generator(seed, "looks", required)


def _search_seed(seed: int, required: int) -> int:
    """Returns the seed of the planner's samples, the same for models and for the truth."""
    return derive_seed(seed, "search", required)


def model_cost(model: PointMassModel, latent_PD: Tensor, aim_PD: Tensor, action_PSHKA: Tensor) -> Tensor:
    """Returns the squared distance (P, S) of what the model expects after the actions to what it should reach."""
    problems, samples = action_PSHKA.shape[:2]
    expected = model.predict(latent_PD.repeat_interleave(samples, 0), action_PSHKA[:, :, :, 0].flatten(0, 1))
    apart_PSD: Tensor = expected.unflatten(0, (problems, samples)) - aim_PD[:, None]
    return apart_PSD.square().sum(-1)


def pursue(make_cost: MakeCost, start_P4: Tensor, goal_P4: Tensor, budget: int, seed: int) -> Tensor:
    """Returns which masses come within the radius of their goals, looking again whenever a plan of H steps is done."""
    state, reached = start_P4, torch.zeros(len(start_P4), dtype=torch.bool)
    low, high = -torch.ones(2), torch.ones(2)
    for taken in range(0, budget, HORIZON):
        seeds = [derive_seed(seed, "look", taken, problem) for problem in range(len(state))]
        action_PHKA = minimise(make_cost(state), seeds, (1, 2), low, high, SEARCH)
        for action_P2 in action_PHKA[:, : budget - taken, 0].unbind(1):
            state = step(state, action_P2)
            reached |= (state[:, :2] - goal_P4[:, :2]).norm(dim=1) <= RADIUS
    return reached
