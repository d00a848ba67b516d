"""What a world is: a batch of environments that step together, with names for what is physically there.

Shapes: N copies, H × W pixels, A action dimensions, d dimensions of a quantity.
"""

import inspect
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, get_type_hints

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from jepa.core.episodes import Actions, Episode, Pixels, State
from jepa.core.errors import InputError
from jepa.core.seeds import episode_generator
from jepa.worlds.choices import Choice, carried_out
from jepa.worlds.declarations import Factor, GoalKind, Quantity, Shift
from jepa.worlds.perturbations import Lasting, Perturbation, find
from jepa.worlds.registry import WORLDS
from jepa.worlds.success import USUAL, SuccessKind

IMAGE_SIZES = (16, 1024)
"""Smallest and largest side of a frame, in pixels."""


@dataclass(frozen=True)
class WorldSpec:
    """The facts of a world that a stranger needs to use it."""

    name: str
    image_size: int
    action_size: int
    action_low: float
    action_high: float
    quantities: tuple[Quantity, ...]
    factors: tuple[Factor, ...]
    perturbations: tuple[Perturbation, ...]
    goal_kinds: tuple[GoalKind, ...]
    """Kinds of planning problems, the first one always `uniform`."""
    distance_unit: str
    success: str
    """The usual success test in words."""
    success_kinds: tuple[SuccessKind, ...] = ()
    """Success tests besides the usual one; those of published protocols are `moderate` and `strict`."""
    policy: Mapping[str, float] = field(default_factory=lambda: {"random": 1.0})
    """Default mixture of policies and their proportions."""
    episode_steps: int = 64
    """Default length of an episode."""
    path_quantity: str | None = None
    """Quantity whose first two dimensions, x and y, make a path that can be drawn over the frames."""
    frame_extent: tuple[float, float, float, float] | None = None
    """Coordinates of a frame's left, right, bottom and top edges in that quantity's unit."""
    objects: Mapping[str, float] = field(default_factory=dict)
    """Quantities of things that move only when they are moved, and the least displacement of a step that counts."""
    speed: float | None = None
    """Distance that a step can cover in whatever direction; by it a `geodesic` is so many steps long."""
    protocol: str = "lewm-v3"
    """Evaluation protocol that models of this world are judged under by default: a name, or the path of a YAML file."""
    preset: str = "smoke"
    """Size of the whole job that `jepa run` takes by default."""
    choices: tuple[Choice, ...] = ()
    """Values of an action that stand for one of several options; all others are taken as they are."""
    shifts: tuple[Shift, ...] = ()
    """What training never varies and an option of the constructor changes, besides the factors of variation."""

    def sample_variation(self, rng: np.random.Generator, unseen: bool = False) -> dict[str, float]:
        """Returns a value for each factor of variation."""
        return {factor.name: factor.sample(rng, unseen) for factor in self.factors}

    def goal_kind(self, name: str) -> GoalKind:
        """Returns the goal kind of that name.

        Raises:
            ValueError: the world has none.
        """
        for kind in self.goal_kinds:
            if kind.name == name:
                return kind
        raise ValueError(f"world {self.name!r} has no goal kind {name!r}; it has: {', '.join(self.goal_kind_names)}")

    @property
    def goal_kind_names(self) -> tuple[str, ...]:
        """Returns the names of the goal kinds."""
        return tuple(kind.name for kind in self.goal_kinds)

    def perturbation(self, name: str) -> Perturbation:
        """Returns the perturbation of that name.

        Raises:
            InputError: the world has none.
        """
        return find(self.name, self.perturbations, name)

    @property
    def perturbation_names(self) -> tuple[str, ...]:
        """Returns the names of the perturbations."""
        return tuple(one.name for one in self.perturbations)

    def success_kind(self, name: str) -> SuccessKind:
        """Returns the success kind of that name; every world has `usual`, and those of `success_kinds`.

        Raises:
            InputError: the world has none.
        """
        kinds = {
            kind.name: kind for kind in (SuccessKind(USUAL, self.success, drops_solved=False), *self.success_kinds)
        }
        if name not in kinds:
            raise InputError(f"world {self.name!r} has no success test {name!r}; it has: {', '.join(kinds)}")
        return kinds[name]

    @property
    def recorded(self) -> dict[str, int]:
        """Returns the dimensions of the quantities that an episode stores."""
        return {quantity.name: quantity.size for quantity in self.quantities if quantity.recorded}

    @property
    def idle_action(self) -> float:
        """Returns the value in the middle of the action range, by which what is moved by differences stays put."""
        return (self.action_low + self.action_high) / 2

    def carried_out(self, action_NA: Actions) -> Actions:
        """Returns what the world makes of actions: where values stand for options, those of the option picked."""
        return carried_out(action_NA, self.choices, self.action_low, self.action_high)

    @property
    def has_unseen(self) -> bool:
        """Whether some factor holds a part of its range out of training."""
        return any(factor.held_out for factor in self.factors)


class World(gymnasium.vector.VectorEnv[Pixels, Actions, NDArray[Any]]):
    """N copies of an environment with pixels, named quantities, exact restoring, goals and perturbations.

    Every copy is a function of its own seed, variation and actions alone: what stands beside it changes nothing.
    Gymnasium's `reset` and `step` are there for any Gymnasium user; the foundry itself calls the finer methods below,
    so that a planner in the true world need not render. The class carries the specification at its default image size,
    an instance the one it was made with.
    """

    world_spec: WorldSpec
    num_envs: int
    metadata: dict[str, Any] = {  # noqa: RUF012 - Gymnasium declares it so
        "render_modes": ["rgb_array"],
        "render_fps": 10,
        "autoreset_mode": AutoresetMode.DISABLED,
    }
    render_mode = "rgb_array"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuses a world that declares perturbations and has no `_strike`, when it is defined."""
        super().__init_subclass__(**kwargs)
        if hasattr(cls, "world_spec") and cls.world_spec.perturbations and cls._strike is World._strike:
            raise TypeError(f"world {cls.world_spec.name!r} declares perturbations: define what they do, `_strike`")

    def __init__(self, num_envs: int, image_size: int | None = None) -> None:
        """Makes N copies that render frames of `image_size` pixels square.

        Raises:
            InputError: a count or size that cannot be.
        """
        spec = type(self).world_spec
        size = spec.image_size if image_size is None else image_size
        if num_envs < 1:
            raise InputError(f"num_envs is {num_envs}; a world needs at least one copy")
        low, high = IMAGE_SIZES
        if not isinstance(size, int) or not low <= size <= high:
            raise InputError(f"image_size is {size!r}; world {spec.name!r} renders whole numbers from {low} to {high}")
        self.num_envs = num_envs
        self.world_spec = replace(spec, image_size=size)
        self.single_observation_space = gymnasium.spaces.Box(0, 255, (size, size, 3), np.uint8)
        self.single_action_space = gymnasium.spaces.Box(
            spec.action_low, spec.action_high, (spec.action_size,), np.float32
        )
        self._goal: Mapping[str, NDArray[np.float32]] | None = None
        self._goal_kind = spec.goal_kinds[0].name
        self._elapsed = 0
        self._lasting = Lasting()

    # Bounds of every pixel of every copy: thousands of copies, as the oracle has, take seconds and gigabytes for them.
    @cached_property
    def observation_space(self) -> gymnasium.Space[Pixels]:  # type: ignore[override]  # as an attribute
        """The frames of all copies."""
        return batch_space(self.single_observation_space, self.num_envs)

    @cached_property
    def action_space(self) -> gymnasium.Space[Actions]:  # type: ignore[override]
        """The actions in all copies."""
        return batch_space(self.single_action_space, self.num_envs)

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Pixels, dict[str, Any]]:
        """Starts an episode in every copy and returns its first frames and, as info, its quantities.

        Args:
            seed: one for each copy, or one number whose successors seed the copies in turn, as Gymnasium has it.
            options: `variations` (N of them; drawn from the seeds where absent), `unseen` (draw them outside the
                training support), `goal` (a state by quantity, (N, d), which `step` then rewards) and `goal_kind`
                (by default `uniform`).
        """
        options = options or {}
        seeds = self._episode_seeds(seed)
        unseen, spec = bool(options.get("unseen")), self.world_spec
        drawn = [spec.sample_variation(episode_generator(entry, "variation"), unseen) for entry in seeds]
        self.begin(seeds, options.get("variations", drawn))
        self._goal, self._elapsed = options.get("goal"), 0
        self._goal_kind = spec.goal_kind(options.get("goal_kind", spec.goal_kinds[0].name)).name
        return self.render_pixels(), dict(self.state())

    def step(
        self, actions: Actions
    ) -> tuple[Pixels, NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]:
        """Steps every copy; with a goal, minus the distance to it is the reward and success terminates."""
        self.advance(np.asarray(actions, dtype=np.float32))
        self._elapsed += 1
        reward, terminated = np.zeros(self.num_envs), self.ended().copy()
        if self._goal is not None:
            reward = -self.distance(self._goal, self._goal_kind).astype(np.float64)
            terminated |= self.success(self._goal, self._goal_kind)
        truncated = np.full(self.num_envs, self._elapsed >= self.world_spec.episode_steps)
        return self.render_pixels(), reward, terminated, truncated, dict(self.state())

    def render(self) -> tuple[Pixels, ...]:
        """Returns the current frame of each copy."""
        return tuple(self.render_pixels())

    def _episode_seeds(self, seed: int | Sequence[int | None] | None) -> list[int]:
        if isinstance(seed, int):
            return [seed + copy for copy in range(self.num_envs)]
        fresh = [int(entry) for entry in self.np_random.integers(2**63, size=self.num_envs)]
        if seed is None:
            return fresh
        if len(seed) != self.num_envs:
            raise InputError(f"seed has {len(seed)} entries; give one for each of the {self.num_envs} copies")
        return [drawn if given is None else given for given, drawn in zip(seed, fresh, strict=True)]

    @abstractmethod
    def begin(self, seeds: Sequence[int], variations: Sequence[Mapping[str, float]]) -> None:
        """Starts an episode in every copy; both sequences have N entries."""

    @abstractmethod
    def advance(self, action_NA: Actions) -> None:
        """Steps the physics of every copy without rendering; actions are clipped to the action space."""

    @abstractmethod
    def render_pixels(self) -> Pixels:
        """Returns uint8 (N, H, W, 3)."""

    @abstractmethod
    def state(self) -> State:
        """Returns every quantity, float32 (N, d); what `restore` needs to bring back the same pixels is all in it."""

    @abstractmethod
    def restore(self, state: Mapping[str, NDArray[np.float32]]) -> None:
        """Puts every copy into a recorded state (N, d)."""

    @abstractmethod
    def distance(self, goal: Mapping[str, NDArray[np.float32]], kind: str) -> NDArray[np.float32]:
        """Returns the task distance (N,) of the current to the goal state for a goal kind, in `distance_unit`."""

    @abstractmethod
    def success(self, goal: Mapping[str, NDArray[np.float32]], kind: str) -> NDArray[np.bool_]:
        """Returns whether each copy meets its goal of that kind now, by the usual test, (N,)."""

    def perturb(
        self, kind: str, rngs: Sequence[np.random.Generator], strength: float | None = None
    ) -> NDArray[np.bool_]:
        """Strikes every copy with a perturbation and returns where it could be, (N,): elsewhere nothing has changed.

        A generator draws the same direction whatever the strength, which is met exactly where there is room. What
        lasts does so for the strength's number of steps, or until `begin` or `restore`: it is kept beside the state,
        which therefore stays as it was recorded.

        Args:
            kind: name of one of the specification's perturbations.
            rngs: N generators, one a copy.
            strength: in the perturbation's unit; None for the full one.

        Raises:
            InputError: the world has no such perturbation, or it cannot be of that strength.
        """
        perturbation = self.world_spec.perturbation(kind)
        if strength is not None:
            perturbation.require(strength)
        return self._strike(kind, rngs, strength)

    def _strike(self, kind: str, rngs: Sequence[np.random.Generator], strength: float | None) -> NDArray[np.bool_]:
        """Does what `perturb` says, by kinds and strengths of the specification; a world without any strikes nobody."""
        return np.zeros(self.num_envs, dtype=np.bool_)

    def meets(self, goal: Mapping[str, NDArray[np.float32]], kind: str, success_kind: str = USUAL) -> NDArray[np.bool_]:
        """Returns whether each copy meets its goal now by a success kind of the specification, (N,).

        It judges the present state alone: that a state is held, and the route to it, are `first_success`'s subject.

        Args:
            goal: states (N, d) by quantity.
            kind: the goal kind.
            success_kind: `usual`, or one that the specification names; a world with `success_kinds` overrides this.

        Raises:
            InputError: the world has no such success kind.
        """
        if self.world_spec.success_kind(success_kind).name != USUAL:
            raise InputError(
                f"world {self.world_spec.name!r} declares success test {success_kind!r} and does not say when it is "
                "met; override `meets` in its class"
            )
        return self.success(goal, kind)

    @classmethod
    def legal_moves(cls, before: Mapping[str, Any], after: Mapping[str, Any]) -> NDArray[np.bool_]:
        """Returns which of M moves, each from a state to the next step's, (M, d), are physically possible, (M,)."""
        return np.ones(len(next(iter(before.values()))), dtype=bool)

    @classmethod
    def geodesic(cls, start: Mapping[str, Any], goal: Mapping[str, Any]) -> NDArray[np.float32] | None:
        """Returns the length of the shortest way between M pairs of states (M, d) round obstacles, (M,).

        It is in `distance_unit` and of the quantities of the goal kind `uniform`. None where the world knows no such
        length, as most do not.
        """
        return None

    def possible(self) -> NDArray[np.bool_]:
        """Returns whether each copy's present state can be, (N,); one that was put together from several may not."""
        return self.legal_moves(self.state(), self.state())

    def ended(self) -> NDArray[np.bool_]:
        """Returns whether the episode of each copy has ended by itself, (N,): nothing counts that happens from then on.

        Worlds whose episodes go on for as long as they are wanted need not say so.
        """
        return np.zeros(self.num_envs, dtype=bool)

    @classmethod
    def state_at(cls, episode: Episode, row: int) -> State:
        """Returns the state (d,) by quantity that a recorded episode shows at a row, as `restore` takes it.

        A world with quantities that are not recorded works them out here, from the row and the actions before it.
        """
        return {name: value[row].copy() for name, value in episode.state.items()}

    def is_goal_of_kind(self, kind: str, start: Mapping[str, Any], goal: Mapping[str, Any]) -> NDArray[np.bool_]:
        """Returns which of M (start, goal) state pairs (M, d) make a problem of that kind; `uniform` takes all."""
        if self.world_spec.goal_kind(kind) != self.world_spec.goal_kinds[0]:
            raise InputError(
                f"world {self.world_spec.name!r} declares goals of kind {kind!r} and does not say which they are; "
                "override `is_goal_of_kind` in its class"
            )
        return np.ones(len(next(iter(start.values()))), dtype=bool)


def make_world(name: str, num_envs: int, **options: Any) -> World:
    """Returns N copies of a registered world; options are the world's own (all take `image_size`).

    Raises:
        InputError: the name or an option is unknown, an option has another type, or the package that the world comes
            from is not installed.
    """
    return WORLDS.get(name)(num_envs, **declared_options(name, options))


def declared_options(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Returns options of a world as its constructor declares them: on a command line they were text.

    Raises:
        InputError: the name or an option is unknown, or an option has another type.
    """
    kind = WORLDS.get(name)
    known = [parameter for parameter in inspect.signature(kind).parameters if parameter != "num_envs"]
    for option in options:
        if option not in known:
            raise InputError(f"world {name!r} has no option {option!r}; it takes: {', '.join(known)}")
    return {option: _as_declared(name, kind, option, value) for option, value in options.items()}


def _as_declared(name: str, kind: type[World], option: str, value: Any) -> Any:
    """Returns an option's value as its constructor declares it: one from a command line or a file may be anything."""
    try:
        return TypeAdapter(get_type_hints(kind.__init__).get(option, Any)).validate_python(value)
    except ValidationError as error:
        wanted = error.errors()[0]["msg"]
        raise InputError(f"{option} is {value!r} and world {name!r} does not take that: {wanted}") from error
