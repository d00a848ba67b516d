"""Any Gymnasium environment with RGB pictures: `gymnasium:<id>`, a world whose class is made for that id.

Nothing is known of such an environment but Gymnasium's interface, hence: actions are spread over [-1, 1], its
observation is what is recorded, a goal is an observation, and a state is the seed of its episode with all actions
since, which a restored copy plays again.
Shapes: N copies, A action dimensions, D numbers of the flattened observation, T steps that an episode can have.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete, flatdim, flatten
from numpy.typing import NDArray

from jepa.core.episodes import Actions, Pixels, State
from jepa.core.errors import InputError
from jepa.core.seeds import episode_generator
from jepa.worlds.packages import choose_renderer, quiet, resize
from jepa.worlds.world import WORLDS, GoalKind, Quantity, World, WorldSpec

Floats = NDArray[np.float32]

PREFIX = "gymnasium:"
REPLAY_STEPS = 200
"""Actions of an episode that a state can hold."""
SEED_DIGITS, SEED_BASE = 2, 2**16
"""A seed of 32 bits is recorded as two numbers that float32 holds exactly."""
WIDEST_OBSERVATION = 4096
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
        self._channels_N1[:] = 0
        copies = len(self._envs)
        self._seeds = [int(episode_generator(seed, "scene").integers(SEED_BASE**SEED_DIGITS)) for seed in seeds]
        self._actions: list[list[Floats]] = [[] for _ in range(copies)]
        self._observations: list[Floats] = [self._reset(n) for n in range(copies)]

    def advance(self, action_NA: Actions) -> None:
        """Steps every environment; one whose episode has ended by itself stays where it is.

        Raises:
            InputError: the episode is longer than a state can hold.
        """
        for n, action_A in enumerate(np.clip(np.asarray(action_NA, dtype=np.float32), -1, 1)):
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
            frame = resize(np.asarray(env.render(), dtype=np.uint8), self.world_spec.image_size)
            frames.append(np.roll(frame, int(turn), axis=2))
        return np.stack(frames)

    def state(self) -> State:
        """Returns the observation and, for replaying, the seed's two halves and all actions so far."""
        size = self.world_spec.action_size
        actions = np.zeros((self.num_envs, REPLAY_STEPS, size), dtype=np.float32)
        for n, past in enumerate(self._actions):
            if past:
                actions[n, : len(past)] = past
        return {
            "observation": np.stack(self._observations),
            "replay_seed": np.array([divmod(seed, SEED_BASE) for seed in self._seeds], dtype=np.float32),
            "replay_steps": np.array([[len(past)] for past in self._actions], dtype=np.float32),
            "replay_actions": actions.reshape(self.num_envs, -1),
            "channels": self._channels_N1.copy(),
        }

    def restore(self, state: Mapping[str, Floats]) -> None:
        """Resets every environment with its recorded seed and plays its recorded actions again."""
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

    def distance(self, goal: Mapping[str, Floats], kind: str) -> Floats:
        """Returns the root mean square difference of the observations, (N,)."""
        off_ND = np.stack(self._observations) - goal["observation"]
        return np.sqrt(np.square(off_ND).mean(axis=1)).astype(np.float32)

    def success(self, goal: Mapping[str, Floats], kind: str) -> NDArray[np.bool_]:
        """Returns whether that difference is below 0.05, (N,); the environment's own idea of success is not asked."""
        return np.asarray(self.distance(goal, kind) < SUCCESS_DIFFERENCE)

    def perturb(self, kind: str, rngs: Sequence[np.random.Generator]) -> None:
        """`teleport`: to the first state of another episode; `recolour`: rotates the picture's colour channels."""
        for n, rng in enumerate(rngs):
            if kind == "teleport":
                self._seeds[n] = int(rng.integers(SEED_BASE**SEED_DIGITS))
                self._actions[n] = []
                self._observations[n] = self._reset(n)
            elif kind == "recolour":
                self._channels_N1[n] = (self._channels_N1[n] + rng.integers(1, ROTATIONS)) % ROTATIONS
            else:
                raise ValueError(f"world {self.world_spec.name!r} has no perturbation {kind!r}")

    def close_extras(self, **kwargs: Any) -> None:
        """Closes every environment."""
        for env in self._envs:
            env.close()

    def _reset(self, n: int) -> Floats:
        self._over[n] = False
        with quiet():
            observation, _ = self._envs[n].reset(seed=self._seeds[n])
        return _flat(self._envs[n], observation)

    def _step(self, n: int, action_A: Floats) -> None:
        if self._over[n]:
            return
        env = self._envs[n]
        observation, _, terminated, truncated, _ = env.step(_to_action(env.action_space, action_A))
        self._over[n] = bool(terminated or truncated)
        self._observations[n] = _flat(env, observation)


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
        observation_size, action_size = flatdim(env.observation_space), _action_size(name, env.action_space)
        if observation_size > WIDEST_OBSERVATION:
            raise InputError(
                f"world {name!r} observes {observation_size} numbers, over {WIDEST_OBSERVATION}; "
                "choose an id that observes its state and renders pictures apart from it"
            )
    except NotImplementedError as error:
        raise InputError(f"world {name!r} has an observation space that is no flat vector: {error}") from error
    finally:
        env.close()
    spec = WorldSpec(
        name=name,
        image_size=224,
        action_size=action_size,
        action_low=-1.0,
        action_high=1.0,
        quantities=(
            Quantity("observation", observation_size, "of the environment"),
            Quantity("replay_seed", SEED_DIGITS, "1", "halves of the episode's seed", probe=False),
            Quantity("replay_steps", 1, "step", probe=False),
            Quantity("replay_actions", REPLAY_STEPS * action_size, "1", "all actions so far", probe=False),
            Quantity("channels", 1, "1", "rotation of red, green and blue", probe=False),
        ),
        factors=(),
        perturbations=("teleport", "recolour"),
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
    try:
        with quiet():
            env = gymnasium.make(environment, render_mode="rgb_array")
            env.reset(seed=0)
            picture = np.asarray(env.render())
    except Exception as error:  # whatever an environment of others raises, it cannot be made
        raise InputError(
            f"world '{PREFIX}{environment}' cannot be made with RGB pictures ({type(error).__name__}: {error}); "
            "give the id of an installed Gymnasium environment that offers render_mode rgb_array"
        ) from error
    if picture.ndim != 3 or picture.shape[2] != 3:
        raise InputError(f"world '{PREFIX}{environment}' renders {picture.shape}, no RGB picture; choose another id")
    return env


def _action_size(name: str, space: gymnasium.Space[Any]) -> int:
    if isinstance(space, Discrete):
        return 1
    if isinstance(space, Box) and np.isfinite(space.low).all() and np.isfinite(space.high).all():
        return int(np.prod(space.shape))
    raise InputError(f"world {name!r} takes actions of {space}; a bounded Box or a Discrete space is needed")


def _to_action(space: gymnasium.Space[Any], action_A: Floats) -> Any:
    """Maps [-1, 1] onto the space: linearly onto a Box, in equal parts onto the choices of a Discrete."""
    if isinstance(space, Discrete):
        return space.start + min(int((float(action_A[0]) + 1) / 2 * int(space.n)), int(space.n) - 1)
    assert isinstance(space, Box)
    low, high = space.low.astype(np.float64), space.high.astype(np.float64)
    share = (action_A.astype(np.float64).reshape(space.shape) + 1) / 2
    return (low + share * (high - low)).astype(space.dtype)


def _flat(env: Any, observation: Any) -> Floats:
    return np.asarray(flatten(env.observation_space, observation), dtype=np.float32)
