"""Episodes simulated again from their recorded start: untouched once, and from the event on with each perturbation.

Untouched and struck replays are the same up to the event, so that what comes before it is simulated, rendered and
encoded once for all perturbations and strengths.
Shapes: N episodes of equal length, T frames an action block apart, K actions in an action block (the frameskip), A
action dimensions; F frames from the event on.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Actions, Episode, Pixels, State
from jepa.core.seeds import numpy_generator
from jepa.planning.execution import stack_states
from jepa.worlds.perturbations import Perturbation
from jepa.worlds.world import World, make_world


@dataclass(frozen=True)
class Untouched:
    """How N episodes went, and the states from which they go on otherwise."""

    pixels_NTHWC: Pixels
    action_NTKA: Actions
    before_event: State
    """One frame before the event's."""
    at_event: State


class Replays:
    """Some episodes side by side in their world; opened by `replaying`."""

    def __init__(self, world: World, episodes: Sequence[Episode], frameskip: int, event: int) -> None:
        self._world, self._episodes, self._event = world, episodes, event
        blocks = episodes[0].steps // frameskip
        action_NLA = np.stack([episode.action[: blocks * frameskip] for episode in episodes])
        self._action_NTKA = action_NLA.reshape(len(episodes), blocks, frameskip, -1)
        self._untouched: Untouched | None = None

    def untouched(self) -> Untouched:
        """Returns the episodes as they went, T frames of them."""
        world = self._world
        world.restore(stack_states([world.state_at(episode, 0) for episode in self._episodes]))
        states: list[State] = []
        pixels = [world.render_pixels()]
        for frame in range(self._action_NTKA.shape[1]):
            if frame in (self._event - 1, self._event):
                states.append(world.state())
            self._advance(frame)
            pixels.append(world.render_pixels())
        if self._event == self._action_NTKA.shape[1]:
            states.append(world.state())
        self._untouched = Untouched(np.stack(pixels, axis=1), self._action_NTKA, *states)
        return self._untouched

    def struck(
        self, perturbation: Perturbation, seed: int, frames: Mapping[float | None, int]
    ) -> Iterator[tuple[Pixels, NDArray[np.bool_]]]:
        """Yields, for each strength, frames (N, F, H, W, 3) from the event on, and which episodes were struck (N,).

        Each episode draws for itself, what it draws is the same for all strengths.

        Args:
            perturbation: of the world.
            seed: of what is drawn.
            frames: F by strength; the full strength is None.
        """
        untouched = self._untouched or self.untouched()
        rngs = [numpy_generator(seed, "perturbation", perturbation.name, one.index) for one in self._episodes]
        drawn = [rng.bit_generator.state for rng in rngs]
        for strength, count in frames.items():
            for rng, state in zip(rngs, drawn, strict=True):
                rng.bit_generator.state = state
            self._world.restore(untouched.before_event if perturbation.before_step else untouched.at_event)
            struck_N = self._world.perturb(perturbation.name, rngs, strength)
            if perturbation.before_step:
                self._advance(self._event - 1)
            pixels = [self._world.render_pixels()]
            for frame in range(self._event, self._event + count - 1):
                self._advance(frame)
                pixels.append(self._world.render_pixels())
            yield np.stack(pixels, axis=1), struck_N

    def _advance(self, frame: int) -> None:
        """Steps from that frame to the next."""
        for step in range(self._action_NTKA.shape[2]):
            self._world.advance(np.ascontiguousarray(self._action_NTKA[:, frame, step]))


@contextmanager
def replaying(
    episodes: Sequence[Episode], world_name: str, world_options: Mapping[str, object], frameskip: int, event: int
) -> Iterator[Replays]:
    """Gives the replays of episodes of equal length in a world of their own.

    Args:
        episodes: of one length, which has at least `event` action blocks.
        world_name: world that they were recorded in.
        world_options: its options.
        frameskip: K, environment steps between two frames.
        event: frame that is the first to show a perturbation.
    """
    world = make_world(world_name, len(episodes), **world_options)
    try:
        yield Replays(world, episodes, frameskip, event)
    finally:
        world.close()
