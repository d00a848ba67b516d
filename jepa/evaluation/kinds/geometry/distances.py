"""What is measured of one episode: latent, true and geodesic distances of pairs of its frames, and along its paths.

Shapes: M pairs, F frames, W paths, S frames of a path less its last, d dimensions of a quantity, D latent.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Episode, State
from jepa.core.seeds import numpy_generator
from jepa.evaluation.kinds.geometry.config import GeometryConfig
from jepa.worlds.world import World

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Distances:
    """Of the same pairs, in any shape: between latents, by the task, and by the shortest way where it is known."""

    latent: Floats
    true: Floats
    geodesic: Floats | None

    def __getitem__(self, index: slice) -> "Distances":
        """Returns those of some pairs."""
        geodesic = None if self.geodesic is None else self.geodesic[index]
        return Distances(self.latent[index], self.true[index], geodesic)

    def reshaped(self, *shape: int) -> "Distances":
        """Returns the same pairs in another shape."""
        geodesic = None if self.geodesic is None else self.geodesic.reshape(shape)
        return Distances(self.latent.reshape(shape), self.true.reshape(shape), geodesic)


@dataclass(frozen=True)
class EpisodeDistances:
    """Distances of pairs (M,), and along each path to its end (W, S)."""

    pairs: Distances
    paths: Distances


def episode_distances(
    episode: Episode, z_FD: NDArray[np.float32], world: World, frameskip: int, config: GeometryConfig, seed: int
) -> EpisodeDistances:
    """Returns what is measured of an episode.

    Args:
        episode: two frames or more, a multiple of steps apart that divides the frameskip.
        z_FD: latents of its frames.
        world: any number of copies of the true world, used in turn.
        frameskip: environment steps between two frames of a path, as the model sees it; a multiple of `frame_every`.
        config: how many pairs, and how long paths are.
        seed: of the pairs.
    """
    frameskip //= episode.frame_every
    path_steps = config.path_steps // episode.frame_every
    here_M, there_M = np.triu_indices(len(z_FD), k=1)
    if len(here_M) > config.pairs:
        rng = numpy_generator(seed, "geometry pairs", episode.index)
        kept = np.sort(rng.choice(len(here_M), config.pairs, replace=False))
        here_M, there_M = here_M[kept], there_M[kept]
    on_path_WS, end_WS = _paths(len(z_FD), frameskip, path_steps)
    start_N, end_N = np.concatenate([here_M, on_path_WS.ravel()]), np.concatenate([there_M, end_WS.ravel()])
    every = _between(episode, z_FD, start_N, end_N, world)
    return EpisodeDistances(every[: len(here_M)], every[len(here_M) :].reshaped(*on_path_WS.shape))


def _paths(frames: int, frameskip: int, path_steps: int) -> tuple[Rows, Rows]:
    """Returns the places of the frames of each path less its last, and that of the last beside each of them.

    Frameskip and the length of a path are counted in frames that are there.
    """
    steps = max(1, path_steps // frameskip) * frameskip
    first_W = np.arange(0, frames - steps, steps)
    on_path_WS = first_W[:, None] + np.arange(0, steps, frameskip)
    return on_path_WS, np.broadcast_to(first_W[:, None] + steps, on_path_WS.shape)


def _between(episode: Episode, z_FD: NDArray[np.float32], start_N: Rows, end_N: Rows, world: World) -> Distances:
    states = [type(world).state_at(episode, row) for row in episode.drawn_steps]
    state_F = {name: np.stack([state[name] for state in states]) for name in states[0]}
    start, end = _taken(state_F, start_N), _taken(state_F, end_N)
    geodesic = type(world).geodesic(start, end)
    return Distances(
        latent=np.linalg.norm((z_FD[start_N] - z_FD[end_N]).astype(np.float64), axis=1),
        true=_true_distances(world, start, end, len(start_N)),
        geodesic=None if geodesic is None else geodesic.astype(np.float64),
    )


def _taken(state: Mapping[str, NDArray[np.float32]], row_N: Rows) -> State:
    return {name: value[row_N] for name, value in state.items()}


def _true_distances(world: World, start: State, end: State, count: int) -> Floats:
    """Returns the task distance of each pair by the world's usual kind of goal."""
    kind = world.world_spec.goal_kinds[0].name
    parts = []
    for first in range(0, count, world.num_envs):
        # The last pairs are repeated where they do not fill the copies.
        rows = np.arange(first, first + world.num_envs).clip(max=count - 1)
        world.restore(_taken(start, rows))
        parts.append(world.distance(_taken(end, rows), kind).astype(np.float64))
    return np.concatenate(parts)[:count]
