"""Tabular action-conditioned worlds: a transition matrix for each action, and the law of the present state.

Shapes: A actions, N states.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from jepa.core.errors import InputError
from jepa.core.seeds import numpy_generator

Floats = NDArray[np.float64]
WorldName = Literal["ring", "torus", "blocks", "skewed_blocks", "permutations", "maps"]
WORLD_NAMES: tuple[WorldName, ...] = get_args(WorldName)
ACTIONS = 4
BLOCKS = 6


@dataclass(frozen=True)
class TabularWorld:
    """P(x⁺ | x, a) and P(x)."""

    transition_ANN: Floats
    """rows sum to 1"""
    state_N: Floats
    """law of the present state, of the start and of the goal; positive"""

    @property
    def next_AN(self) -> Floats:
        """The law of the next state after each action, w(x⁺ | a)."""
        return np.asarray(np.einsum("n,anm->am", self.state_N, self.transition_ANN))

    @property
    def shares_next(self) -> bool:
        """Whether the law of the next state is the same after each action, which the proof of Theorem 4.1 needs."""
        return bool(np.allclose(self.next_AN, self.next_AN[0], atol=1e-12))

    @property
    def is_deterministic(self) -> bool:
        """Whether each state and action has one next state, which Theorem 4.2 asks for."""
        return bool(np.isclose(self.transition_ANN.max(2), 1).all())


def make_tabular_world(name: str, states: int, width: float, seed: int) -> TabularWorld:
    """Returns a world of four actions.

    Args:
        name: `ring` moves by ±1 and ±4, `torus` by ±1 along either axis, with Gaussian noise of this width, `blocks`
            jump between blocks of alike states by a doubly stochastic matrix: after each action the next state is
            uniform. So it is in `permutations`, which is deterministic. In `skewed_blocks` and in `maps`,
            deterministic too, the law of the next state depends on the action.
        states: N; of a torus no prime number, of blocks a multiple of six.
        width: standard deviation of the noise, in states; deterministic worlds and blocks have none.
        seed: of what is random in a world, for the last four.

    Raises:
        InputError: there is no such world, or none that has so many states.
    """
    if name not in WORLD_NAMES:
        raise InputError(f"tabular world {name!r} is not known; choose one of: {', '.join(WORLD_NAMES)}")
    rng = numpy_generator(seed, "world", name, states)
    if name == "ring":
        transition = np.stack([_circulant(states, shift, width) for shift in (1, -1, 4, -4)])
    elif name == "torus":
        transition = _torus(states, width)
    elif name in ("blocks", "skewed_blocks"):
        transition = _blocks(states, rng, skewed=name == "skewed_blocks")
    elif name == "permutations":
        transition = np.stack([np.eye(states)[rng.permutation(states)] for _ in range(ACTIONS)])
    else:
        transition = np.stack([np.eye(states)[rng.integers(0, states, states)] for _ in range(ACTIONS)])
    return TabularWorld(transition, np.full(states, 1 / states))


def ornstein_uhlenbeck(rho: float, dims: int = 1, points: int = 201, reach: float = 8.0) -> TabularWorld:
    """Returns z⁺ = ρ z + √(1-ρ²) η, in its stationary law N(0, I), on a grid; there is one action.

    Args:
        rho: correlation of z and z⁺ in every dimension.
        dims: independent dimensions.
        points: of the grid along each.
        reach: largest |z| on the grid.
    """
    z_N = np.linspace(-reach, reach, points)
    z, following = z_N[:, None], z_N[None]
    joint_NN = np.exp(-(z * z - 2 * rho * z * following + following * following) / (2 * (1 - rho * rho)))
    state_N = joint_NN.sum(1)
    one_NN = joint_NN / state_N[:, None]
    transition_NN, law_N = np.ones((1, 1)), np.ones(1)
    for _ in range(dims):
        transition_NN, law_N = np.kron(transition_NN, one_NN), np.kron(law_N, state_N / state_N.sum())
    return TabularWorld(transition_NN[None], law_N)


def _circulant(states: int, shift: int, width: float) -> Floats:
    """Returns the ring's transitions for a move by `shift` with Gaussian noise on the shorter way round."""
    steps_N = np.arange(states)
    kernel_N = np.exp(-(np.minimum(steps_N, states - steps_N) ** 2) / (2 * width * width))
    kernel_N /= kernel_N.sum()
    return np.stack([np.roll(kernel_N, x + shift) for x in range(states)])


def _torus(states: int, width: float) -> Floats:
    """Returns the transitions on the grid of these states that is closest to a square."""
    rows = max(side for side in range(1, int(states**0.5) + 1) if states % side == 0)
    if rows < 2:
        raise InputError(f"a torus needs states in rows and columns, got {states}; take {states + 1}")
    columns = states // rows
    moves: Sequence[tuple[int, int]] = ((1, 0), (-1, 0), (0, 1), (0, -1))
    return np.stack(
        [np.kron(_circulant(rows, down, width), _circulant(columns, right, width)) for down, right in moves]
    )


def _blocks(states: int, rng: np.random.Generator, skewed: bool) -> Floats:
    """Returns transitions that depend on the blocks of x and x⁺ only; doubly stochastic ones mix two permutations."""
    if states % BLOCKS:
        raise InputError(f"{BLOCKS} blocks need a multiple of {BLOCKS} states, got {states}")
    each = states // BLOCKS
    found = []
    for _ in range(ACTIONS):
        if skewed:
            between = rng.dirichlet(np.full(BLOCKS, 0.5), BLOCKS)
        else:
            share = rng.uniform(0.6, 0.9)
            one, other = (np.eye(BLOCKS)[rng.permutation(BLOCKS)] for _ in range(2))
            between = share * one + (1 - share) * other
        found.append(np.kron(between, np.full((each, each), 1 / each)))
    return np.stack(found)
