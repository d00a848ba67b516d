"""Any Gymnasium environment with RGB pictures: `gymnasium:<id>`, a world whose class is made for that id.

Nothing is known of such an environment but Gymnasium's interface, hence: actions are spread over [-1, 1], its
observation is what is recorded, a goal is an observation, and a state is the seed of its episode with all actions
since, which a restored copy plays again. An episode stores seed and step, and its actions anyway; `state_at` puts a
state together from them.
Shapes: N copies, A action dimensions, D numbers of the flattened observation, T steps that an episode can have.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import gymnasium
import numpy as np
from gymnasium.error import NameNotFound, NamespaceNotFound
from numpy.typing import NDArray

from jepa.core.episodes import Actions, Episode, Pixels, State
from jepa.core.errors import InputError
from jepa.core.input.conversions import UnfitValueError, to_pixels
from jepa.core.seeds import episode_generator
from jepa.worlds.adapters.any_gymnasium.actions import HIGH, LOW, action_layout, to_action
from jepa.worlds.adapters.any_gymnasium.observations import flat_observation, observation_size
from jepa.worlds.adapters.any_gymnasium.perturbations import PERTURBATIONS
from jepa.worlds.adapters.packages import choose_renderer, quiet, resize
from jepa.worlds.declarations import GoalKind, Quantity
from jepa.worlds.perturbations import IGNORE_ACTION
from jepa.worlds.registry import WORLDS
from jepa.worlds.world import World, WorldSpec

Floats = NDArray[np.float32]

PREFIX = "gymnasium:"
REPLAY_STEPS = 1000
"""Actions of an episode that a state can hold."""
SEED_DIGITS, SEED_BASE = 2, 2**16
"""A seed of 32 bits is recorded as two numbers that float32 holds exactly."""
SUCCESS_DIFFERENCE = 0.05
"""Success is a root mean square difference below this, in units of the observation."""
ROTATIONS = 3
"""`recolour` rotates red, green and blue of the picture."""


class AnyGymnasium(World):
    """N environments of one id; subclasses made by `world_class` carry the id and a specification of their own."""

    environment: str

    def __init__(self, num_envs: int, image_size: int = 224) -> None:
        super().__init__(num_envs, image_size)
        self._envs = [_make(self.environment) for _ in range(num_envs)]
        self._over = [False] * num_envs
        """Which environments have ended their episode by themselves."""
        self._channels_N1 = np.zeros((num_envs, 1), dtype=np.float32)
        self.begin([0] * num_envs, [{}] * num_envs)

    def begin(self, seeds: Sequence[int], variations: Sequence[Mapping[str, float]]) -> None:
        """Resets every environment with 32 bits drawn from its copy's seed."""
        self._lasting.clear()
        self._channels_N1[:] = 0
        copies = len(self._envs)
        self._seeds = [int(episode_generator(seed, "scene").integers(SEED_BASE**SEED_DIGITS)) for seed in seeds]
        self._actions: list[list[Floats]] = [[] for _ in range(copies)]
        self._observations: list[Floats] = [self._reset(n) for n in range(copies)]

    def advance(self, action_NA: Actions) -> None:
        """Steps every environment; one whose episode has ended by itself stays where it is.

        Raises:
            InputError: the episode is longer than a state can hold, or an observation cannot be recorded.
        """
        if self._lasting.acts(IGNORE_ACTION):
            self._lasting.end_step()
            return
        clipped_NA = np.clip(np.asarray(action_NA, dtype=np.float32), LOW, HIGH)
        for n, action_A in enumerate(self.world_spec.carried_out(clipped_NA)):
            if len(self._actions[n]) == REPLAY_STEPS:
                raise InputError(
                    f"steps is over {REPLAY_STEPS}, the most that world {self.world_spec.name!r} can restore"
                )
            self._actions[n].append(action_A)
            self._step(n, action_A)

    def render_pixels(self) -> Pixels:
        """Returns the environments' own pictures, resized, uint8 (N, H, W, 3)."""
        frames = []
        for env, turn in zip(self._envs, self._channels_N1[:, 0], strict=True):
            frame = resize(to_pixels(env.render()), self.world_spec.image_size)
            frames.append(_rotated(frame, float(turn)))
        return np.stack(frames)

    def state(self) -> State:
        """Returns the observation and, for replaying, the seed's two halves and all actions so far."""
        size = self.world_spec.action_size
        return {
            "observation": np.stack(self._observations),
            "replay_seed": np.array([divmod(seed, SEED_BASE) for seed in self._seeds], dtype=np.float32),
            "replay_steps": np.array([[len(past)] for past in self._actions], dtype=np.float32),
            "replay_actions": np.stack([_padded(past, size) for past in self._actions]),
            "channels": self._channels_N1.copy(),
        }

    def restore(self, state: Mapping[str, Floats]) -> None:
        """Resets every environment with its recorded seed and plays its recorded actions again."""
        self._lasting.clear()
        self._channels_N1 = np.array(state["channels"], dtype=np.float32)
        for n in range(self.num_envs):
            high, low = (int(digit) for digit in state["replay_seed"][n])
            steps = int(state["replay_steps"][n, 0])
            actions_TA = np.asarray(state["replay_actions"][n], dtype=np.float32).reshape(REPLAY_STEPS, -1)[:steps]
            self._seeds[n] = high * SEED_BASE + low
            self._actions[n] = list(actions_TA.copy())
            self._observations[n] = self._reset(n)
            for action_A in actions_TA:
                self._step(n, action_A)

    def ended(self) -> NDArray[np.bool_]:
        """Returns which environments have terminated or truncated their episode, (N,)."""
        return np.array(self._over)

    @classmethod
    def state_at(cls, episode: Episode, row: int) -> State:
        """Returns the state at a row, the actions that lead there taken from the episode."""
        past = _padded(list(episode.action[:row]), cls.world_spec.action_size)
        return {**super().state_at(episode, row), "replay_actions": past}

    def distance(self, goal: Mapping[str, Floats], kind: str) -> Floats:
        """Returns the root mean square difference of the observations, (N,)."""
        off_ND = np.stack(self._observations) - goal["observation"]
        distance_N: Floats = np.sqrt(np.square(off_ND).mean(axis=1)).astype(np.float32)
        return distance_N

    def success(self, goal: Mapping[str, Floats], kind: str) -> NDArray[np.bool_]:
        """Returns whether that difference is below 0.05, (N,); the environment's own idea of success is not asked."""
        return np.asarray(self.distance(goal, kind) < SUCCESS_DIFFERENCE)

    def _strike(self, kind: str, rngs: Sequence[np.random.Generator], strength: float | None) -> NDArray[np.bool_]:
        if kind == "recolour":
            for n, rng in enumerate(rngs):
                # One rotation ahead or one back, of the three that there are, or a part of it.
                turn = 1.0 if strength is None else strength
                sense = 1 if rng.integers(1, ROTATIONS) == 1 else -1
                self._channels_N1[n] = (self._channels_N1[n] + sense * turn) % ROTATIONS
        elif kind == "teleport":
            return np.array([self._teleported(n, rng, strength) for n, rng in enumerate(rngs)])
        else:
            declared = self.world_spec.perturbation(kind)
            self._lasting.start(declared, declared.full(strength))
        return np.ones(self.num_envs, dtype=bool)

    def _teleported(self, n: int, rng: np.random.Generator, steps: float | None) -> bool:
        if steps is None:
            self._seeds[n] = int(rng.integers(SEED_BASE**SEED_DIGITS))
            self._actions[n] = []
            self._observations[n] = self._reset(n)
            return True
        ahead = int(steps)
        if self._over[n] or len(self._actions[n]) + ahead > REPLAY_STEPS:
            return False
        drawn_SA = rng.uniform(LOW, HIGH, (ahead, self.world_spec.action_size)).astype(np.float32)
        for action_A in self.world_spec.carried_out(drawn_SA):
            self._actions[n].append(action_A)
            self._step(n, action_A)
        return True

    def close_extras(self, **kwargs: Any) -> None:
        """Closes every environment."""
        for env in self._envs:
            env.close()

    def _reset(self, n: int) -> Floats:
        self._over[n] = False
        with quiet():
            observation, _ = self._envs[n].reset(seed=self._seeds[n])
        return self._observed(n, observation)

    def _step(self, n: int, action_A: Floats) -> None:
        if self._over[n]:
            return
        env = self._envs[n]
        observation, _, terminated, truncated, _ = env.step(to_action(env.action_space, action_A))
        self._over[n] = bool(terminated or truncated)
        self._observations[n] = self._observed(n, observation)

    def _observed(self, n: int, observation: Any) -> Floats:
        try:
            return flat_observation(self._envs[n].observation_space, observation)
        except UnfitValueError as error:
            raise UnfitValueError(error.what, error.problem, row=n, column=error.column) from error


@WORLDS.register_family(PREFIX)
@lru_cache
def world_class(name: str) -> type[World]:
    """Returns the class of the world `gymnasium:<id>`, its specification taken from the environment.

    Raises:
        InputError: Gymnasium cannot make it, it renders no RGB, or its spaces do not fit.
    """
    environment = name.removeprefix(PREFIX)
    env = _make(environment)
    try:
        observed = observation_size(name, env.observation_space)
        action_size, choices = action_layout(name, env.action_space)
    finally:
        env.close()
    spec = WorldSpec(
        name=name,
        image_size=224,
        action_size=action_size,
        action_low=LOW,
        action_high=HIGH,
        choices=choices,
        quantities=(
            Quantity("observation", observed, "of the environment"),
            Quantity("replay_seed", SEED_DIGITS, "1", "halves of the episode's seed", probe=False),
            Quantity("replay_steps", 1, "step", probe=False),
            Quantity(
                "replay_actions", REPLAY_STEPS * action_size, "1", "all actions so far", probe=False, recorded=False
            ),
            Quantity("channels", 1, "1", "rotation of red, green and blue", probe=False),
        ),
        factors=(),
        perturbations=PERTURBATIONS,
        goal_kinds=(GoalKind("uniform", ("observation",)),),
        distance_unit="root mean square of the observation",
        success="the observation differs from the goal's by a root mean square below 0.05",
    )

    class OneGymnasium(AnyGymnasium):
        """N environments of one id."""

        world_spec = spec

    OneGymnasium.environment = environment
    return OneGymnasium


def _make(environment: str) -> Any:
    choose_renderer()
    world = f"{PREFIX}{environment}"
    try:
        with quiet():
            env = gymnasium.make(environment, render_mode="rgb_array")
            env.reset(seed=0)
            picture = env.render()
    except Exception as error:  # whatever an environment of others raises, it cannot be made
        raise InputError(
            f"world {world!r} cannot be made with RGB pictures ({type(error).__name__}: {error}); "
            f"{_remedy(environment, error)}"
        ) from error
    try:
        to_pixels(picture)
    except UnfitValueError as error:
        raise InputError(f"world {world!r} renders what cannot be stored: {error}; choose another id") from error
    return env


def _remedy(environment: str, error: Exception) -> str:
    # An id without a module is known only once somebody has imported the package that registers it.
    if isinstance(error, (NameNotFound, NamespaceNotFound)) and ":" not in environment:
        wanted = f"{PREFIX}<module>:{environment or '<id>'}"
        return f"if a package registers it when it is imported, name that module too: {wanted}"
    return "give the id of an installed Gymnasium environment that offers render_mode rgb_array"


def _rotated(frame: Pixels, turn: float) -> Pixels:
    """Returns a picture whose red, green and blue change places, or are mixed where the rotation is not a whole one."""
    whole = int(turn)
    rolled = np.roll(frame, whole, axis=2)
    if turn == whole:
        return rolled
    mixed = rolled + (turn - whole) * (np.roll(frame, whole + 1, axis=2).astype(np.float32) - rolled)
    return np.asarray(np.round(mixed), dtype=np.uint8)


def _padded(past: Sequence[Floats], action_size: int) -> Floats:
    """Returns the actions so far as one row of a fixed length."""
    row = np.zeros(REPLAY_STEPS * action_size, dtype=np.float32)
    if past:
        row[: len(past) * action_size] = np.concatenate(past)
    return row
