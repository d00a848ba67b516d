"""Seconds a decision against stable-worldmodel's CEMSolver on its LeWM.

`python -m tests.bench.planning.bench_planning_peer`. Both have the same weights (random, in the released layout: a
clock does not mind), look at the same two frames, encoding included, and draw the same noise: 300 candidates of 5
action blocks, 30 iterations, 30 elites, one frame of history. The peer has no bounds for actions; ours are set so wide
that none is clipped. Runs alternate, so that what others do on the machine falls on both; a ratio is the median over
pairs of runs, of wall time and of processor time. Of the same 300 candidates `cost_difference` is the largest relative
difference between the two costs, and `best_cost_difference` by how much the one that ours takes for the best costs more
than the best, as the peer judges. `plan_cost_difference` is that of the two plans: in bf16 other elites come up in
time, for better or for worse. Results: `results/planning_peer.json`.
"""

import argparse
import contextlib
import io
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from jepa.core.seeds import torch_generator
from jepa.models.world_model import IMAGENET_MEAN, IMAGENET_STD, ModelConfig, WorldModel
from jepa.planning import Plan, PlanningSetting, make_planner
from jepa.planning.planner import Situation
from jepa.planning.search.latent import LatentSearch
from jepa.training.recipes import RECIPES
from tests.bench.planning.peer_lewm import peer_of, random_released
from tests.bench.record import record

SAMPLES, ELITES, HORIZON, SEED = 300, 30, 5, 7
WIDE = 100.0
"""Half the range of an action, so that no candidate is clipped; an `init_std` of 1/WIDE makes the noise the peer's."""


def main() -> None:
    """Times both, once for each number of threads, and keeps the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--iterations", type=int, default=30)
    parser.add_argument("--repeats", type=int, default=3, help="pairs of runs")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--recipe", default="lewm", help="whose form and sizes the model has, of the released form")
    parser.add_argument("--keep", action="store_true", help="write results/planning_peer.json, and not only print it")
    arguments = parser.parse_args()
    recipe = RECIPES.get(arguments.recipe)
    config = recipe.for_world(recipe.model.image_size, recipe.model.action_size).model
    figures: dict[str, Any] = {
        "iterations": arguments.iterations,
        "repeats": arguments.repeats,
        "recipe": arguments.recipe,
    }
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        figures[f"{threads} threads"] = compare(config, arguments.iterations, arguments.repeats)
    if arguments.keep:
        record("planning_peer", figures)
    else:
        for name, value in figures.items():
            print(name, value)


def compare(config: ModelConfig, iterations: int, repeats: int) -> dict[str, Any]:
    """Returns seconds and ratios, and how far costs and plans lie apart."""
    model = random_released(config)
    peer, seen = peer_of(model), _situation(config)
    ways: dict[str, Callable[[], Tensor]] = {"peer": lambda: _peer_plan(peer, seen, iterations)}
    planners = {precision: _planner(model, precision, iterations) for precision in ("fp32", "bf16")}
    for precision, planner in planners.items():
        ways[precision] = lambda planner=planner: _action(planner.plan(seen))  # type: ignore[misc]
    plans = {name: way() for name, way in ways.items()}
    wall: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            at, of = time.perf_counter(), time.process_time()
            way()
            wall[name].append(time.perf_counter() - at)
            cpu[name].append(time.process_time() - of)
    costs = {name: float(_peer_costs(peer, seen, plan[None])[0]) for name, plan in plans.items()}
    figures: dict[str, Any] = {}
    for name in ways:
        figures[name] = {"seconds": min(wall[name]), "processor_seconds": min(cpu[name]), "plan_cost": costs[name]}
        if name != "peer":
            ratios = ([one / two for one, two in zip(spent["peer"], spent[name], strict=True)] for spent in (wall, cpu))
            figures[name]["ratio"], figures[name]["processor_ratio"] = map(statistics.median, ratios)
            figures[name]["plan_cost_difference"] = (costs[name] - costs["peer"]) / costs["peer"]
            figures[name] |= _on_same_candidates(planners[name], peer, seen)
    return figures


def _situation(config: ModelConfig) -> Situation:
    """Returns one problem: two frames of noise."""
    side, rng = config.image_size, np.random.default_rng(SEED)
    start, goal = rng.integers(0, 256, (2, 1, side, side, 3), dtype=np.uint8)
    past = np.zeros((1, 0, config.frameskip, config.action_size), dtype=np.float32)
    return Situation(start[:, None], past, {}, goal, {}, "uniform", [SEED])


def _planner(model: WorldModel, precision: str, iterations: int) -> LatentSearch:
    options = {"iterations": iterations, "samples": SAMPLES, "elites": ELITES, "horizon": HORIZON, "init_std": 1 / WIDE}
    # Any world whose actions are as many: only its bounds count, and they are widened.
    planner = make_planner(
        "cem", {**options, "precision": precision, "history": "one"}, PlanningSetting(model, "two_room", {})
    )
    assert isinstance(planner, LatentSearch)
    bound = torch.full((model.config.action_size,), WIDE)
    planner.space = replace(planner.space, low=-bound, high=bound)
    return planner


def _action(plan: Plan) -> Tensor:
    """Returns the plan (H, K·A) of the one problem."""
    return torch.from_numpy(plan.action_PLA[0]).reshape(HORIZON, -1)


def _peer_frames(seen: Situation) -> dict[str, Tensor]:
    """Returns what the peer's policy hands to its solver: frames (1, 1, C, H, W), scaled as the released model's."""
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    frames = {"pixels": seen.pixels_PTHWC, "goal": seen.goal_pixels_PHWC[:, None]}
    scaled = {name: (torch.from_numpy(one).movedim(-1, -3) / 255 - mean) / std for name, one in frames.items()}
    return {**scaled, "action": torch.zeros(1, 1, 1)}


def _peer_plan(peer: Any, seen: Situation, iterations: int) -> Tensor:
    """Returns the peer's plan (H, K·A), its noise from the generator that ours draws from."""
    import gymnasium as gym
    from stable_worldmodel.policy import PlanConfig
    from stable_worldmodel.solver.cem import CEMSolver

    solver = CEMSolver(peer, num_samples=SAMPLES, n_steps=iterations, topk=ELITES)
    solver.torch_gen = torch_generator(SEED)
    block = peer.action_encoder.input_dim
    config = PlanConfig(horizon=HORIZON, receding_horizon=HORIZON, action_block=1)
    solver.configure(action_space=gym.spaces.Box(-1, 1, (1, block)), n_envs=1, config=config)
    with contextlib.redirect_stdout(io.StringIO()):
        plan: Tensor = solver.solve(_peer_frames(seen))["actions"][0]
    return plan


@torch.inference_mode()
def _peer_costs(peer: Any, seen: Situation, action_SHX: Tensor) -> Tensor:
    """Returns the peer's costs (S,) of candidates (S, H, K·A)."""
    info = {name: one[:, None].expand(1, len(action_SHX), *one.shape[1:]) for name, one in _peer_frames(seen).items()}
    costs: Tensor = peer.get_cost(info, action_SHX[None])[0]
    return costs


@torch.inference_mode()
def _on_same_candidates(planner: LatentSearch, peer: Any, seen: Situation) -> dict[str, float]:
    """Returns how far the costs of the same candidates lie apart, and what ours thinks best is worse by."""
    action_SX = torch.randn(SAMPLES, HORIZON, peer.action_encoder.input_dim, generator=torch_generator(SEED))
    with planner._reduced_precision():
        action_PSHKA = action_SX.unflatten(-1, (planner.model.config.frameskip, -1))[None]
        ours = planner._imagination(seen).cost(action_PSHKA)[0]
    theirs = _peer_costs(peer, seen, action_SX)
    least = theirs.min()
    return {
        "cost_difference": float(((ours - theirs) / theirs).abs().max()),
        "best_cost_difference": float((theirs[ours.argmin()] - least) / least),
    }


if __name__ == "__main__":
    main()
