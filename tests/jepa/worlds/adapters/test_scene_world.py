"""The base of adapters: copies that take turns in one scene mix in nothing, and the scene is closed with its world."""

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from jepa.worlds.adapters.scene_world import Floats, Row, SceneWorld
from jepa.worlds.declarations import GoalKind, Quantity
from jepa.worlds.perturbations import Perturbation
from jepa.worlds.world import WorldSpec
from tests.narrow import floats


class Counter(SceneWorld):
    """A scene that holds one number and adds actions to it; loading it is counted."""

    world_spec = WorldSpec(
        name="counter",
        image_size=16,
        action_size=1,
        action_low=-1.0,
        action_high=1.0,
        quantities=(Quantity("place", 1, "1"),),
        factors=(),
        perturbations=(Perturbation("teleport", "continuity", True, "1", (), 5.0, "somewhere else"),),
        goal_kinds=(GoalKind("uniform", ("place",)),),
        distance_unit="1",
        success="nearer than .1",
    )

    def __init__(self, num_envs: int) -> None:
        super().__init__(num_envs, 16)
        self.place, self.loads, self.closes = 0.0, 0, 0
        self._open(self._close)

    def _close(self) -> None:
        self.closes += 1

    def _start(self, rng: np.random.Generator, variation: Mapping[str, float]) -> None:
        self.place = float(rng.random(dtype=np.float32))

    def _load(self, row: Row) -> None:
        self.loads += 1
        self.place = float(row["place"][0])

    def _move(self, action_A: Floats) -> None:
        self.place += float(action_A[0])

    def _read(self) -> Row:
        return {"place": np.array([self.place], dtype=np.float32)}

    def _render(self) -> NDArray[np.uint8]:
        return np.full((16, 16, 3), round(self.place), dtype=np.uint8)

    def _disturb(self, kind: str, row: Row, rng: np.random.Generator, strength: float | None) -> bool:
        self.place = float(row["place"][0]) + float(rng.integers(5, 9))
        return True

    def distance(self, goal: Mapping[str, Floats], kind: str) -> Floats:
        off_N: Floats = np.abs(self._state["place"] - goal["place"])[:, 0]
        return off_N

    def success(self, goal: Mapping[str, Floats], kind: str) -> NDArray[np.bool_]:
        return np.asarray(self.distance(goal, kind) < 0.1)


def test_copies_take_turns_and_keep_their_own_state() -> None:
    world = Counter(3)
    world.begin([1, 2, 3], [{}] * 3)
    start = world.state()["place"]
    assert len(set(start[:, 0].tolist())) == 3
    world.advance(floats([[0.5], [5.0], [-0.5]]))
    np.testing.assert_allclose(world.state()["place"] - start, [[0.5], [1.0], [-0.5]], atol=1e-6)
    assert [int(frame[0, 0, 0]) for frame in world.render_pixels()] == [
        round(float(p)) for p in world.state()["place"][:, 0]
    ]


def test_one_copy_alone_is_loaded_only_when_it_was_restored() -> None:
    world = Counter(1)
    world.begin([1], [{}])
    for _ in range(3):
        world.advance(floats([[0.1]]))
        world.render_pixels()
    assert world.loads == 0
    world.restore({"place": floats([[7.0]])})
    assert world.state()["place"][0, 0] == 7 and world.loads == 0
    assert world.render_pixels()[0, 0, 0, 0] == 7 and world.loads == 1


def test_a_perturbation_draws_for_each_copy_and_unknown_ones_are_refused() -> None:
    world = Counter(2)
    world.restore({"place": floats([[0.0], [100.0]])})
    world.perturb("teleport", [np.random.default_rng(0), np.random.default_rng(1)])
    moved = world.state()["place"][:, 0] - [0, 100]
    assert ((moved >= 5) & (moved < 9)).all()
    with pytest.raises(ValueError, match="world 'counter' has no perturbation 'melt'"):
        world.perturb("melt", [np.random.default_rng(0)] * 2)


def test_the_scene_is_closed_once_with_its_world() -> None:
    world = Counter(1)
    world.close()
    world.close()
    assert world.closes == 1
