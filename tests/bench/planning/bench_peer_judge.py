"""Does stable-worldmodel's own judge agree with ours? `python -m tests.bench.planning.bench_peer_judge`

A `lewm-small` is trained here on `swm_two_room` (or taken: `--store DIR --dataset d0 --model m0`) and exported in the
released layout. The peer's `World.evaluate`, with its CEMSolver and one frame of history, and our `execute`, with `cem`
and `history: one`, then solve the same pairs of frames: 25 steps apart, 50 steps of budget, plans of 5 action blocks of
5 carried out whole. Printed are both success rates with Wilson's 95 % intervals and who solved what (McNemar's exact
test). The success test is the same: under 16 pixels from the goal after any step.

What differs by design:
- the peer searches in z-scored actions without bounds (its environment clips them to ±1), ours in units of half the
  action range, clipped. `ours, the peer's space` is our planner in the peer's space, which tells this from all else;
- each search draws noise of its own;
- frames after the first look are the package's pictures, shrunk to the model's size by PIL there and by torch here:
  single pixels differ by one level of 255;
- the peer's environment draws a new scene at each reset; a subclass sets the door, radius and floor of the episode.
Results: `results/peer_judge.json`.
"""

import argparse
import contextlib
import io
import math
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from infra.storage import Store, open_store
from jepa.core.episodes import Episode
from jepa.core.errors import InputError
from jepa.evaluation.kinds.planning.problems import draw_problems
from jepa.evaluation.statistics import wilson
from jepa.models.world_model import IMAGENET_MEAN, IMAGENET_STD, WorldModel
from jepa.planning import PlanningSetting, Problem, execute, make_planner
from jepa.planning.search.latent import LatentSearch
from jepa.worlds import make_world
from pipelines.collect import CollectConfig, collect
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.store import Dataset
from pipelines.store.models import load_model
from tests.bench.planning.peer_lewm import peer_of
from tests.bench.record import record

WORLD, SIDE, OFFSET, BUDGET, BLOCK, HORIZON = "swm_two_room", 64, 25, 50, 5, 5
LOOK = ("door", "agent_radius", "floor")
WIDE = 100.0
"""Standard deviations of an action that the bounds of the peer's space are taken to lie apart; nobody draws so far."""


def main() -> None:
    """Trains where no model is given, lets both judge it, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", help="folder of a store; a temporary one by default")
    parser.add_argument("--dataset", default="d0", help="collected there if it is not")
    parser.add_argument("--model", default="m0", help="trained there if it is not")
    parser.add_argument("--episodes", type=int, default=400)
    parser.add_argument("--steps", type=int, default=1200, help="of the optimiser")
    parser.add_argument("--batch-size", type=int, default=48)
    parser.add_argument("--problems", type=int, default=40)
    parser.add_argument("--goal-kind", default="uniform", choices=["uniform", "cross_room"])
    parser.add_argument("--iterations", type=int, default=30, help="of both searches, 300 candidates each")
    parser.add_argument("--seed", type=int, default=0, help="of the problems and of both searches")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="write results/peer_judge.json, and not only print it")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(arguments.store or folder)
        model = trained(store, arguments)
        source = Dataset(store, arguments.dataset)
        problems = draw_problems(source, "test", arguments.goal_kind, arguments.problems, OFFSET, arguments.seed)
        wanted = {problem.episode for problem in problems}
        episodes = [episode for episode in source.episodes("test") if episode.index in wanted]
    figures = judge(model, problems, episodes, arguments.iterations, arguments.seed)
    sizes = {name: getattr(arguments, name) for name in ("episodes", "steps", "batch_size", "goal_kind", "iterations")}
    if arguments.keep:
        record("peer_judge", {**sizes, **figures})
    else:
        for name, value in figures.items():
            print(f"{name:24} {value}")


def trained(store: Store, arguments: argparse.Namespace) -> WorldModel:
    """Returns the model of the store; what is not there is collected and trained first."""
    with contextlib.suppress(InputError):
        return load_model(store, arguments.model)
    local = {"executor": "local"}
    shares = {"validation_share": 0.0, "unseen_share": 0.0, "test_share": 0.2}
    sizes = {"episodes": arguments.episodes, "steps": 64, "image_size": SIDE, "actors": 1}
    if not Dataset.exists(store, arguments.dataset):
        dataset = {"world": WORLD, "name": arguments.dataset, **sizes, **shares, **local}
        collect(CollectConfig.model_validate(dataset), store)
    names = {"dataset": arguments.dataset, "name": arguments.model, "recipe": "lewm-small", "trackers": ()}
    training = {
        "steps": arguments.steps,
        "batch_size": arguments.batch_size,
        "learning_rate": 1e-3,
        "precision": "bf16",
    }
    pretrain(PretrainConfig.model_validate({**names, **training, **local, "workers": 1}), store)
    return load_model(store, arguments.model)


def judge(
    model: WorldModel, problems: Sequence[Problem], episodes: Sequence[Episode], iterations: int, seed: int
) -> dict[str, Any]:
    """Returns success by both judges, and what they agree on."""
    peer = peer_of(model)
    outcomes = {
        "peer": peers_judgement(peer, model, problems, episodes, iterations, seed),
        "ours": our_judgement(model, problems, iterations, peers_space=False),
        "ours, the peer's space": our_judgement(model, problems, iterations, peers_space=True),
        "random": _success(make_planner("random", {}, _setting(model)), problems),
    }
    figures: dict[str, Any] = {"n": len(problems), "latent_difference": _latent_difference(model, peer, problems)}
    for name, success_P in outcomes.items():
        rate = wilson(int(success_P.sum()), len(success_P))
        figures[name] = {"success": rate.value, "low": rate.low, "high": rate.high}
        if name != "peer":
            figures[name]["against the peer"] = mcnemar(outcomes["peer"], success_P)
    return figures


def mcnemar(one_P: NDArray[np.bool_], other_P: NDArray[np.bool_]) -> dict[str, float]:
    """Returns who solved what, and the exact two-sided p of no difference: a fair coin for each disagreement."""
    only_one, only_other = int((one_P & ~other_P).sum()), int((~one_P & other_P).sum())
    disagreed = only_one + only_other
    tail = sum(math.comb(disagreed, k) for k in range(min(only_one, only_other) + 1)) / 2**disagreed
    both, neither = int((one_P & other_P).sum()), int((~one_P & ~other_P).sum())
    counts = {"both": both, "only the peer": only_one, "only this": only_other, "neither": neither}
    return {**counts, "p": min(1.0, 2 * tail)}


def _setting(model: WorldModel) -> PlanningSetting:
    return PlanningSetting(model, WORLD, {"image_size": SIDE})


def our_judgement(
    model: WorldModel, problems: Sequence[Problem], iterations: int, peers_space: bool
) -> NDArray[np.bool_]:
    """Returns which problems our planner solves, (P,)."""
    options = {
        "iterations": iterations,
        "history": "one",
        "horizon": HORIZON,
        "init_std": 1 / WIDE if peers_space else 1.0,
    }
    planner = make_planner("cem", options, _setting(model))
    assert isinstance(planner, LatentSearch)
    if peers_space:
        reach = WIDE * model.action_std
        planner.space = replace(planner.space, low=model.action_mean - reach, high=model.action_mean + reach)
    return _success(planner, problems)


def _success(planner: Any, problems: Sequence[Problem]) -> NDArray[np.bool_]:
    with closing(planner), closing(make_world(WORLD, len(problems), image_size=SIDE)) as world:
        runs = execute(planner, world, problems, BUDGET, HORIZON * BLOCK, BLOCK)
    return np.array([run.success for run in runs])


def peers_judgement(
    peer: Any, model: WorldModel, problems: Sequence[Problem], episodes: Sequence[Episode], iterations: int, seed: int
) -> NDArray[np.bool_]:
    """Returns which problems the peer's `World.evaluate` counts as solved, (P,)."""
    from stable_worldmodel.policy import PlanConfig, WorldModelPolicy
    from stable_worldmodel.solver.cem import CEMSolver
    from stable_worldmodel.world import World

    solver = CEMSolver(peer, num_samples=300, n_steps=iterations, topk=30, seed=seed)
    config = PlanConfig(horizon=HORIZON, receding_horizon=HORIZON, action_block=BLOCK)
    policy = WorldModelPolicy(
        solver,
        config,
        process={"action": ZScores(model)},
        transform={"pixels": released_pixels, "goal": released_pixels},
    )
    data, row_of = held_episodes(episodes), {episode.index: row for row, episode in enumerate(episodes)}
    values = {"_dress": LOOK, "_set_state": ("state",), "_set_goal_state": ("goal_state",)}
    calls = [{"method": name, "args": {one: {"value": one} for one in args}} for name, args in values.items()]
    with contextlib.redirect_stdout(io.StringIO()):
        world = World(_environment(), num_envs=len(problems), image_shape=(SIDE, SIDE), max_episode_steps=2 * BUDGET)
        with closing(world):
            world.set_policy(policy)
            found = world.evaluate(
                dataset=data,
                episodes_idx=[row_of[problem.episode] for problem in problems],
                start_steps=[problem.start_row for problem in problems],
                goal_offset=OFFSET,
                eval_budget=BUDGET,
                callables=calls,
            )
    return np.asarray(found["episode_successes"], dtype=bool)


class ZScores:
    """Actions in the units that the released model takes; what the peer calls a process."""

    def __init__(self, model: WorldModel) -> None:
        self.mean, self.std = model.action_mean.numpy(), model.action_std.numpy()

    def transform(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns z-scores."""
        scored: NDArray[np.float32] = (raw - self.mean) / self.std
        return scored

    def inverse_transform(self, scored: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns raw actions."""
        raw: NDArray[np.float32] = scored * self.std + self.mean
        return raw


def released_pixels(image_CHW: Any) -> Tensor:
    """Returns an image as the released model takes it."""
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    return (torch.as_tensor(np.asarray(image_CHW)) / 255 - mean) / std


def held_episodes(episodes: Sequence[Episode]) -> Any:
    """Returns our episodes as a dataset of the peer's."""
    from stable_worldmodel.data.dataset import Dataset as PeersDataset

    columns = ("pixels", "action", "state", *LOOK)

    class Held(PeersDataset):  # type: ignore[misc]
        """Episodes in memory."""

        @property
        def column_names(self) -> list[str]:
            return list(columns)

        def _load_slice(self, ep_idx: int, start: int, end: int) -> dict[str, Any]:
            episode = episodes[ep_idx]
            # The last frame has no action.
            action = np.concatenate([episode.action, np.zeros_like(episode.action[:1])])
            state = {name: episode.state[name][start:end] for name in LOOK}
            return {
                "pixels": torch.from_numpy(episode.pixels[start:end].copy()).permute(0, 3, 1, 2),
                "action": torch.from_numpy(action[start:end]),
                "state": torch.from_numpy(episode.state["agent_position"][start:end].copy()),
                **{name: torch.from_numpy(value.copy()) for name, value in state.items()},
            }

    lengths = np.array([len(episode.pixels) for episode in episodes])
    return Held(lengths, np.cumsum(lengths) - lengths)


def _environment() -> str:
    """Returns the name of the peer's environment, of which an episode's door, radius and floor can be set."""
    import gymnasium as gym
    from stable_worldmodel.envs.two_room.env import TwoRoomEnv

    class Dressed(TwoRoomEnv):  # type: ignore[misc]
        """The package's scene with the look of an episode."""

        def _dress(self, door: Any, agent_radius: Any, floor: Any) -> None:
            grey = np.full(3, round(255 * float(floor[0])), dtype=np.uint8)
            self.variation_space["agent"]["radius"].set_value(np.asarray(agent_radius, dtype=np.float32))
            for part in ("background", "door"):
                self.variation_space[part]["color"].set_value(grey)
            self._cache_params()
            self.door_positions[0] = float(door[0])

    name = "bench/TwoRoomOfEpisode-v0"
    if name not in gym.registry:
        gym.register(id=name, entry_point=Dressed)
    return name


@torch.inference_mode()
def _latent_difference(model: WorldModel, peer: Any, problems: Sequence[Problem]) -> float:
    """Returns by how much, in parts of the latents' spread, the two encoders differ on the starts at most."""
    frames = np.stack([problem.start_pixels for problem in problems])
    ours = model.encode(torch.from_numpy(frames)[:, None])[:, 0]
    scaled = torch.stack([released_pixels(frame.transpose(2, 0, 1)) for frame in frames])
    info: Mapping[str, Tensor] = peer.encode({"pixels": scaled[:, None]})
    return float((info["emb"][:, 0] - ours).abs().max() / ours.std())


if __name__ == "__main__":
    main()
