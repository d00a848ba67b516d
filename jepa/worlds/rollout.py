"""Simulates planned episodes, those of equal length and policy together.

Shapes: N episodes of a batch, T steps, H × W pixels, A action dimensions, d dimensions of a quantity.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from jepa.core.episodes import Episode
from jepa.worlds.policies import make_policy
from jepa.worlds.world import WORLDS, make_world

BATCH_EPISODES = 64
BATCH_BYTES = 256 * 2**20
"""Frames that one batch may hold; larger images make smaller batches."""


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
) -> Iterator[Episode]:
    """Yields the planned episodes in the order of the plans, each the same bytes alone or in any batch.

    `on_step` is called after each step of a batch: a slow policy shows its progress by it.

    Raises:
        InputError: the world, one of its options or a policy is unknown.
    """
    start = 0
    while start < len(plans):
        longest = max(plan.steps for plan in plans[start : start + BATCH_EPISODES])
        window = plans[start : start + _batch_size(world_name, world_options, longest)]
        yield from _simulate_window(world_name, world_options, window, on_step)
        start += len(window)


def _batch_size(world_name: str, world_options: Mapping[str, object], steps: int) -> int:
    default, wanted = WORLDS.get(world_name).world_spec.image_size, world_options.get("image_size")
    # A size that is no count is left to the world itself to refuse.
    size = wanted if isinstance(wanted, int) and wanted > 0 else default
    episode_bytes = (steps + 1) * size**2 * 3
    return int(np.clip(BATCH_BYTES // episode_bytes, 1, BATCH_EPISODES))


def _simulate_window(
    world_name: str, world_options: Mapping[str, object], plans: Sequence[EpisodePlan], on_step: Callable[[], None]
) -> list[Episode]:
    """Returns the episodes of any plans in their order, simulating side by side those that go together."""
    alike: dict[tuple[int, str], list[int]] = {}
    for place, plan in enumerate(plans):
        alike.setdefault((plan.steps, plan.policy), []).append(place)
    episodes: dict[int, Episode] = {}
    for places in alike.values():
        batch = _simulate(world_name, world_options, [plans[place] for place in places], on_step)
        episodes.update(zip(places, batch, strict=True))
    return [episodes[place] for place in range(len(plans))]


def _simulate(
    world_name: str, world_options: Mapping[str, object], plans: Sequence[EpisodePlan], on_step: Callable[[], None]
) -> list[Episode]:
    """Returns the episodes of plans with equal steps and policy, simulated side by side."""
    seeds, steps = [plan.seed for plan in plans], plans[0].steps
    policy = make_policy(plans[0].policy, world_name)
    with closing(make_world(world_name, len(plans), **world_options)) as world, closing(policy):
        spec = world.world_spec
        world.begin(seeds, [plan.variation for plan in plans])
        policy.begin(world, seeds)
        pixels = np.empty((len(plans), steps + 1, spec.image_size, spec.image_size, 3), dtype=np.uint8)
        action = np.empty((len(plans), steps, spec.action_size), dtype=np.float32)
        state = {
            quantity.name: np.empty((len(plans), steps + 1, quantity.size), dtype=np.float32)
            for quantity in spec.quantities
        }
        for step in range(steps + 1):
            pixels[:, step] = world.render_pixels()
            for name, value in world.state().items():
                state[name][:, step] = value
            if step < steps:
                action[:, step] = np.clip(policy.act(world), spec.action_low, spec.action_high)
                world.advance(action[:, step])
                on_step()
    return [
        Episode(
            index=plan.index,
            seed=plan.seed,
            split=plan.split,
            variation=plan.variation,
            policy=plan.policy,
            pixels=pixels[n],
            action=action[n],
            state={name: value[n] for name, value in state.items()},
        )
        for n, plan in enumerate(plans)
    ]
