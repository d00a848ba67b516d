"""What a dataset shows of what planning will need: contacts, grasps and both directions of each, by policy.

Shapes: T steps, d dimensions of a quantity. A count looks at the states (T+1, d) of one episode, by quantity.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import SPLITS
from jepa.worlds import WORLDS
from pipelines.store import Dataset
from pipelines.store.datasets.coverage import covered
from tests.bench.worlds.reading.seeds import rounded

State = Mapping[str, NDArray[np.float32]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Count:
    """One thing that is counted, in steps, or in episodes that have it at some step."""

    words: str
    happens: Callable[[State], Bools]
    """at which of the T steps"""
    of: str = "steps"


def _change(state: State, quantity: str, axis: int) -> NDArray[np.float64]:
    change: NDArray[np.float64] = np.diff(state[quantity][:, axis].astype(np.float64))
    return change


def _turn(state: State) -> NDArray[np.float64]:
    """Returns by how much the block turns at each step, in degrees, the short way round; positive with its angle."""
    cos, sin = state["block_heading"].astype(np.float64).T
    angle = np.arctan2(sin, cos)
    turn: NDArray[np.float64] = np.degrees((np.diff(angle) + np.pi) % (2 * np.pi) - np.pi)
    return turn


def _through_wall(sign: int) -> Callable[[State], Bools]:
    def happens(state: State) -> Bools:
        x = sign * (state["agent_position"][:, 0] - 0.5)
        return np.asarray((x[:-1] < 0) & (x[1:] >= 0))

    return happens


def _turns_within_a_clip(state: State) -> Bools:
    """Returns where the 15 steps that follow turn the block by over 10 degrees in all."""
    angle = np.concatenate([[0.0], np.cumsum(_turn(state))])
    ahead = np.minimum(np.arange(len(angle) - 1) + 15, len(angle) - 1)
    return np.asarray(np.abs(angle[ahead] - angle[:-1]) > 10)


def _lifted(state: State) -> Bools:
    """Returns where the cube is 2 centimetres or more above where it lies."""
    height = state["block_position"][1:, 2]
    return np.asarray(height > state["block_position"][:, 2].min() + 0.02)


COUNTS: Mapping[str, tuple[Count, ...]] = {
    "two_room": (
        Count("through the door to the right", _through_wall(1), "episodes"),
        Count("through the door to the left", _through_wall(-1), "episodes"),
    ),
    "pusht": (
        Count(
            "block moves (over 1 pixel)",
            lambda s: np.linalg.norm(np.diff(s["block_position"], axis=0), axis=1) > 1,
        ),
        Count("block turns one way (over .5°)", lambda s: _turn(s) > 0.5),
        Count("block turns the other way", lambda s: _turn(s) < -0.5),
        Count("block turned by over 10° within 15 steps", _turns_within_a_clip),
        Count(
            "block moves",
            lambda s: np.linalg.norm(np.diff(s["block_position"], axis=0), axis=1) > 1,
            "episodes",
        ),
    ),
    "reacher": (
        Count("shoulder turns one way", lambda s: _change(s, "joint_position", 0) > 0.005),
        Count("shoulder turns the other way", lambda s: _change(s, "joint_position", 0) < -0.005),
        Count("wrist turns one way", lambda s: _change(s, "joint_position", 1) > 0.005),
        Count("wrist turns the other way", lambda s: _change(s, "joint_position", 1) < -0.005),
    ),
    "cube": (
        Count("gripper touches the cube", lambda s: s["gripper_contact"][1:, 0] > 0.05),
        Count("cube 2 cm above the table or more", _lifted),
        Count("cube rises (over 1 mm)", lambda s: _change(s, "block_position", 2) > 0.001),
        Count("cube sinks", lambda s: _change(s, "block_position", 2) < -0.001),
        Count("cube lifted", _lifted, "episodes"),
    ),
}


def dataset_coverage(dataset: Dataset) -> dict[str, Any]:
    """Returns by policy, and over all, how many episodes there are and which shares of steps or episodes show what."""
    counts = COUNTS.get(dataset.world, ())
    episodes: dict[str, int] = defaultdict(int)
    steps: dict[str, int] = defaultdict(int)
    found: dict[str, list[int]] = defaultdict(lambda: [0] * len(counts))
    entry = None
    for split in SPLITS:
        for episode in dataset.episodes(split):
            entry = covered(dataset.manifest.plan, episode, entry)
            for key in (episode.policy, "all"):
                episodes[key] += 1
                steps[key] += episode.steps
            for place, count in enumerate(counts):
                happens = count.happens(episode.state)
                number = int(happens.sum()) if count.of == "steps" else int(happens.any())
                found[episode.policy][place] += number
                found["all"][place] += number
    rows = [
        {"policy": key, "episodes": episodes[key], "steps": steps[key]}
        | {
            f"{count.words}, of {count.of}": rounded(
                found[key][place] / (steps if count.of == "steps" else episodes)[key]
            )
            for place, count in enumerate(counts)
        }
        for key in [*sorted(set(episodes) - {"all"}), "all"]
    ]
    return {"by_policy": rows, "visited_share_of_the_scene": _visited(dataset, entry)}


def _visited(dataset: Dataset, entry: Any) -> dict[str, Any] | None:
    from pipelines.store.datasets.coverage import from_entry

    quantity = WORLDS.get(dataset.world).world_spec.path_quantity
    if entry is None or quantity is None:
        return None
    return {"quantity": quantity, "share": rounded(from_entry(entry).visited_share)}
