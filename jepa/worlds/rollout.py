"""Simulates planned episodes, those of equal length and policy together.

Shapes: N episodes of a batch, T steps, F frames (of every step, or of some), H × W pixels, A action dimensions, d
dimensions of a quantity.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Actions, Episode
from jepa.core.input.conversions import UnfitValueError, to_numbers, to_pixels
from jepa.worlds.policies import make_policy
from jepa.worlds.registry import WORLDS
from jepa.worlds.world import World, WorldSpec, make_world

BATCH_EPISODES = 64
BATCH_BYTES = 96 * 2**20
"""Frames that one batch may hold; larger images make smaller batches. Two are held while one follows another."""


@dataclass(frozen=True)
class EpisodePlan:
    """Everything that an episode depends on, fixed before anything runs."""

    index: int
    seed: int
    split: str
    variation: Mapping[str, float]
    policy: str
    steps: int


def collect_episodes(
    world_name: str,
    world_options: Mapping[str, object],
    plans: Sequence[EpisodePlan],
    on_step: Callable[[], None] = lambda: None,
    frame_every: int = 1,
) -> Iterator[Episode]:
    """Yields the planned episodes in the order of the plans, each the same bytes alone or in any batch.

    An episode that ends by itself is shorter than planned: what would follow has no meaning. `on_step` is called after
    each step of a batch: a slow policy shows its progress by it. Of `frame_every` steps only the first is rendered.

    Raises:
        InputError: the world, one of its options or a policy is unknown, or a value that comes up cannot be stored; the
            message names episode, frame and quantity.
    """
    start = 0
    while start < len(plans):
        longest = max(plan.steps for plan in plans[start : start + BATCH_EPISODES])
        window = plans[start : start + _batch_size(world_name, world_options, longest // frame_every)]
        yield from _simulate_window(world_name, world_options, window, on_step, frame_every)
        start += len(window)


def _batch_size(world_name: str, world_options: Mapping[str, object], drawn_steps: int) -> int:
    default, wanted = WORLDS.get(world_name).world_spec.image_size, world_options.get("image_size")
    # A size that is no count is left to the world itself to refuse.
    size = wanted if isinstance(wanted, int) and wanted > 0 else default
    episode_bytes = (drawn_steps + 1) * size**2 * 3
    return int(np.clip(BATCH_BYTES // episode_bytes, 1, BATCH_EPISODES))


def _simulate_window(
    world_name: str,
    world_options: Mapping[str, object],
    plans: Sequence[EpisodePlan],
    on_step: Callable[[], None],
    frame_every: int,
) -> list[Episode]:
    """Returns the episodes of any plans in their order, simulating side by side those that go together."""
    alike: dict[tuple[int, str], list[int]] = {}
    for place, plan in enumerate(plans):
        alike.setdefault((plan.steps, plan.policy), []).append(place)
    episodes: dict[int, Episode] = {}
    for places in alike.values():
        batch = _simulate(world_name, world_options, [plans[place] for place in places], on_step, frame_every)
        episodes.update(zip(places, batch, strict=True))
    return [episodes[place] for place in range(len(plans))]


def _simulate(
    world_name: str,
    world_options: Mapping[str, object],
    plans: Sequence[EpisodePlan],
    on_step: Callable[[], None],
    frame_every: int,
) -> list[Episode]:
    """Returns the episodes of plans with equal steps and policy, simulated side by side."""
    seeds, steps = [plan.seed for plan in plans], plans[0].steps
    policy = make_policy(plans[0].policy, world_name)
    with closing(make_world(world_name, len(plans), **world_options)) as world, closing(policy):
        recording = _Recording(world.world_spec, plans, frame_every)
        for step in range(steps + 1):
            try:
                if step == 0:
                    world.begin(seeds, [plan.variation for plan in plans])
                    policy.begin(world, seeds)
                else:
                    world.advance(recording.action[:, step - 1])
                    on_step()
                recording.note(step, world)
                if not recording.going_on.any():
                    break
                if step < steps:
                    recording.act(step, policy.act(world))
            except UnfitValueError as error:
                episode = "" if error.row is None else f" {plans[error.row].index}"
                raise error.at(f"world {world_name!r}, episode{episode}, frame {step}") from error
    return recording.episodes()


class _Recording:
    """What some episodes of one length have shown so far."""

    def __init__(self, spec: WorldSpec, plans: Sequence[EpisodePlan], frame_every: int) -> None:
        episodes, steps = len(plans), plans[0].steps
        self._spec, self._plans, self._frame_every = spec, plans, frame_every
        frames, side = steps // frame_every + 1, spec.image_size
        self.pixels = np.empty((episodes, frames, side, side, 3), dtype=np.uint8)
        self.action = np.zeros((episodes, steps, spec.action_size), dtype=np.float32)
        self.state = {
            name: np.empty((episodes, steps + 1, size), dtype=np.float32) for name, size in spec.recorded.items()
        }
        self.going_on = np.ones(episodes, dtype=bool)
        self._steps = np.zeros(episodes, dtype=np.int64)

    def note(self, step: int, world: World) -> None:
        """Takes the quantities of each episode that has not ended before, and the frame where the step has one."""
        rows = np.flatnonzero(self.going_on)
        if step % self._frame_every == 0:
            frame = step // self._frame_every
            pixels = to_pixels(world.render_pixels())
            _check_shape("the picture", pixels, self.pixels[:, frame])
            self.pixels[rows, frame] = pixels[rows]
        state = world.state()
        for name, held in self.state.items():
            values = np.asarray(state[name])
            _check_shape(name, values, held[:, step])
            held[rows, step] = _rows_to_numbers(values, rows, name)
        self._steps[rows] = step
        # An episode needs a step; one that is over before its first has none to give.
        self.going_on &= ~world.ended() | (step == 0)

    def act(self, step: int, action_NA: Actions) -> None:
        """Takes the actions as the world carries them out."""
        spec, rows = self._spec, np.flatnonzero(self.going_on)
        values = np.asarray(action_NA)
        _check_shape("the action of the policy", values, self.action[:, step])
        clipped = np.clip(_rows_to_numbers(values, rows, "the action of the policy"), spec.action_low, spec.action_high)
        self.action[rows, step] = spec.carried_out(clipped)

    def episodes(self) -> list[Episode]:
        """Returns the episodes, each up to where it ended."""
        return [
            Episode(
                index=plan.index,
                seed=plan.seed,
                split=plan.split,
                variation=plan.variation,
                policy=plan.policy,
                pixels=self.pixels[n, : steps // self._frame_every + 1],
                action=self.action[n, :steps],
                state={name: value[n, : steps + 1] for name, value in self.state.items()},
                frame_every=self._frame_every,
            )
            for n, (plan, steps) in enumerate(zip(self._plans, self._steps.tolist(), strict=True))
        ]


def _rows_to_numbers(values: NDArray[Any], rows: NDArray[np.int64], what: str) -> NDArray[np.float32]:
    """Returns some rows as float32; a value that does not fit is named by its row among all."""
    try:
        return to_numbers(values[rows], what)
    except UnfitValueError as error:
        row = None if error.row is None else int(rows[error.row])
        raise UnfitValueError(what, error.problem, row, error.column) from error


def _check_shape(what: str, given: NDArray[Any], wanted: NDArray[Any]) -> None:
    # Assigned as it is, an array of another shape might be spread over all copies without a word.
    if given.shape != wanted.shape:
        raise UnfitValueError(
            what, f"has the shape {given.shape} and the world's specification asks for {wanted.shape}"
        )
