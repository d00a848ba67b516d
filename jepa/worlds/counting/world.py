"""The counting world of "Why and How Auxiliary Tasks Improve JEPA Representations" (arXiv:2509.12249); vectorised.

Zero to eight objects of one shape and colour on black. An action adds one or takes one away; where the objects are
is drawn again at each step, so that pixels say the count and, besides, much that has nothing to do with it.
Shapes: N copies, M pairs of states.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Actions, Pixels, State
from jepa.core.seeds import episode_generator
from jepa.worlds.choices import Choice
from jepa.worlds.counting.perturbations import PERTURBATIONS, other_count
from jepa.worlds.counting.scene import LAYOUTS, MOST, SHAPES, draw, following, places
from jepa.worlds.declarations import Factor, GoalKind, Quantity
from jepa.worlds.perturbations import IGNORE_ACTION, hue_on_the_way
from jepa.worlds.registry import WORLDS
from jepa.worlds.world import World, WorldSpec

Floats = NDArray[np.float32]

TARGET = 4
"""The count that is rewarded; from either end it is an episode's four steps away."""
OTHER_HUES = np.array([80.0, 220.0, 345.0], dtype=np.float32)
"""What `recolour` paints the objects with; training shows none of them."""


def counted(count: NDArray[np.int64], step: NDArray[np.int64]) -> NDArray[np.int64]:
    """Returns the count after a step of +1 or -1, which stops at 0 and at 8."""
    return np.clip(count + step, 0, MOST)


def rewarded(count: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Returns where the count is the target."""
    return np.asarray(count == TARGET)


@WORLDS.register("counting")
class Counting(World):
    """N scenes of objects to count; a negative action takes one away, any other adds one."""

    world_spec = WorldSpec(
        name="counting",
        image_size=64,
        action_size=1,
        action_low=-1.0,
        action_high=1.0,
        quantities=(
            Quantity("count", 1, "object", "from 0 to 8"),
            Quantity("reward", 1, "1", f"1 where the count is {TARGET}, else 0"),
            Quantity("centroid", 2, "frame width", "mean place of the objects; the middle where there is none"),
            Quantity(
                "shape", 1, "1", ", ".join(f"{n} {name}" for n, name in enumerate(SHAPES)), probe=False, fixed=True
            ),
            Quantity("hue", 1, "degree", "of all objects", probe=False),
            Quantity("layout", 1, "1", "number that the places follow from", probe=False),
        ),
        factors=(Factor("hue", 0.0, 330.0, "degree", ((60.0, 100.0), (200.0, 240.0)), possible=(0.0, 360.0)),),
        perturbations=PERTURBATIONS,
        goal_kinds=(
            GoalKind("uniform", ("count",)),
            GoalKind("target", ("count",), f"the goal's count is {TARGET} and the start's is not"),
        ),
        distance_unit="object",
        success="the count is the goal's",
        episode_steps=4,
        protocol="counting-v1",
        choices=(Choice(first=0, options=2, one_hot=False),),
    )

    def __init__(self, num_envs: int, image_size: int = 64, ends_at_target: bool = False) -> None:
        """Makes N copies.

        Args:
            num_envs: N.
            image_size: side of a frame in pixels.
            ends_at_target: whether an episode is over when the count is the target, as in the paper.
        """
        super().__init__(num_envs, image_size)
        self._ends_at_target = ends_at_target
        self._count_N, self._shape_N, self._layout_N = np.zeros((3, num_envs), dtype=np.int64)
        self._hue_N = np.zeros(num_envs, dtype=np.float32)

    def begin(self, seeds: Sequence[int], variations: Sequence[Mapping[str, float]]) -> None:
        """Draws count, shape and places of each copy from its seed; its variation is the hue."""
        self._lasting.clear()
        draws = [episode_generator(seed, "scene").integers([MOST + 1, len(SHAPES), LAYOUTS]) for seed in seeds]
        self._count_N, self._shape_N, self._layout_N = np.stack(draws, axis=1)
        self._hue_N = np.array([variation["hue"] for variation in variations], dtype=np.float32)

    def advance(self, action_NA: Actions) -> None:
        """Changes each count by one, within 0 to 8, and places the objects again."""
        step_N = np.where(self._lasting.action(np.asarray(action_NA), idle=0.0)[:, 0] < 0, -1, 1)
        if self._lasting.acts(IGNORE_ACTION):
            step_N = np.zeros_like(step_N)
        self._count_N = counted(self._count_N, step_N)
        self._layout_N = following(self._layout_N)
        self._lasting.end_step()

    def state(self) -> State:
        """Returns count, reward, shape, hue and layout (N, 1), and centroid (N, 2)."""
        shown_NK = (np.arange(MOST) < self._count_N[:, None]).astype(np.float32)
        sum_N2 = (places(self._layout_N) * shown_NK[..., None]).sum(1)
        number_N1 = np.maximum(self._count_N, 1)[:, None].astype(np.float32)
        held = {"count": self._count_N, "reward": rewarded(self._count_N), "shape": self._shape_N}
        held |= {"hue": self._hue_N, "layout": self._layout_N}
        columns = {name: value[:, None].astype(np.float32) for name, value in held.items()}
        centroid_N2 = np.where(self._count_N[:, None] > 0, sum_N2 / number_N1, np.float32(0.5))
        return columns | {"centroid": np.asarray(centroid_N2, dtype=np.float32)}

    def restore(self, state: Mapping[str, Floats]) -> None:
        """Takes over a recorded state; reward and centroid follow from the rest."""
        self._lasting.clear()
        whole = {name: np.rint(np.asarray(state[name])[:, 0]).astype(np.int64) for name in ("count", "shape", "layout")}
        self._count_N, self._shape_N, self._layout_N = whole["count"], whole["shape"], whole["layout"]
        self._hue_N = np.array(state["hue"], dtype=np.float32)[:, 0]

    def distance(self, goal: Mapping[str, Floats], kind: str) -> Floats:
        """Returns by how many objects the counts differ, (N,)."""
        return np.asarray(np.abs(self._count_N - np.asarray(goal["count"])[:, 0]), dtype=np.float32)

    def success(self, goal: Mapping[str, Floats], kind: str) -> NDArray[np.bool_]:
        """Returns whether each count is the goal's, (N,)."""
        return np.asarray(self.distance(goal, kind) == 0)

    def ended(self) -> NDArray[np.bool_]:
        """Returns where the count is the target, (N,), if episodes end there; else nowhere."""
        return rewarded(self._count_N) & self._ends_at_target

    def _strike(self, kind: str, rngs: Sequence[np.random.Generator], strength: float | None) -> NDArray[np.bool_]:
        if kind == "teleport":
            pairs = zip(self._count_N, rngs, strict=True)
            self._count_N = np.array([other_count(count, rng, strength) for count, rng in pairs], dtype=np.int64)
        elif kind == "recolour":
            hues = [rng.choice(OTHER_HUES[hue != OTHER_HUES]) for hue, rng in zip(self._hue_N, rngs, strict=True)]
            ways = [hue_on_the_way(*pair, strength) for pair in zip(self._hue_N.tolist(), hues, strict=True)]
            self._hue_N = np.array(ways, dtype=np.float32)
        else:
            declared = self.world_spec.perturbation(kind)
            self._lasting.start(declared, declared.full(strength))
        return np.ones(self.num_envs, dtype=bool)

    def is_goal_of_kind(self, kind: str, start: Mapping[str, Any], goal: Mapping[str, Any]) -> NDArray[np.bool_]:
        """`target`: the goal's count is the target and the start's is not."""
        if kind != "target":
            return super().is_goal_of_kind(kind, start, goal)
        return rewarded(np.asarray(goal["count"])[:, 0]) & ~rewarded(np.asarray(start["count"])[:, 0])

    def render_pixels(self) -> Pixels:
        """Returns uint8 (N, S, S, 3)."""
        larger, opacity = 1 + self._lasting.strength("resize"), 1 - self._lasting.strength("vanish")
        size = self.world_spec.image_size
        return draw(self._count_N, self._shape_N, self._hue_N, self._layout_N, size, larger, opacity)
