"""What probes are to read: the physical quantities side by side, angles as cosine and sine.

An angle and the same after a full turn are one place far apart as numbers, which no probe could learn.
Shapes: N frames, d dimensions of a quantity, Q of all targets together.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import EpisodeSource, State
from jepa.worlds.declarations import Quantity
from jepa.worlds.registry import WORLDS

Floats = NDArray[np.float32]

TURNS = {"radian": 2 * np.pi, "degree": 360.0}
"""Units of angles, and a full turn in each."""

log = logging.getLogger(__name__)


def probed_quantities(source: EpisodeSource, motion: bool = False) -> list[Quantity]:
    """Returns the quantities to look for in the latents: those of the world that say so, and all that it does not know.

    A recording may hold columns of its own, and lack some that the world has.

    Args:
        source: the episodes.
        motion: also those that no single frame shows, such as velocities.
    """
    known = WORLDS.get(source.world).world_spec.quantities if source.world in WORLDS else ()
    names = {quantity.name for quantity in known}
    own = [Quantity(name, size, "of the recording") for name, size in source.quantities.items() if name not in names]
    wanted = [quantity for quantity in known if quantity.probe or (motion and quantity.motion)]
    return [*(one for one in wanted if source.quantities.get(one.name) == one.size), *own]


def finite_quantities(quantities: Iterable[Quantity], states: Iterable[State]) -> list[Quantity]:
    """Returns those that are a number in every frame; the others, e.g. of a sensor with gaps, are named in the log."""
    states = list(states)
    found = []
    for quantity in quantities:
        if all(np.isfinite(state[quantity.name]).all() for state in states):
            found.append(quantity)
        else:
            log.warning("quantity %r is not probed: it is not a number in every frame", quantity.name)
    return found


@dataclass(frozen=True)
class Targets:
    """Quantities in the order in which they stand side by side."""

    quantities: tuple[Quantity, ...]

    @property
    def columns(self) -> dict[str, slice]:
        """Returns the targets of each quantity by its name, and all of them under `all`."""
        found, first = {"all": slice(None)}, 0
        for quantity in self.quantities:
            size = quantity.size * (2 if quantity.unit in TURNS else 1)
            found[quantity.name] = slice(first, first + size)
            first += size
        return found

    def values(self, state: State) -> Floats:
        """Returns the targets, (N, Q); of an angle with d dimensions d cosines, then d sines."""
        parts = []
        for quantity in self.quantities:
            value_Nd = np.asarray(state[quantity.name], dtype=np.float64)
            if quantity.unit in TURNS:
                angle_Nd = value_Nd * (2 * np.pi / TURNS[quantity.unit])
                value_Nd = np.concatenate([np.cos(angle_Nd), np.sin(angle_Nd)], axis=1)
            parts.append(value_Nd)
        return np.concatenate(parts, axis=1).astype(np.float32)

    def shown(self, quantity: Quantity, state: State, predicted_NQ: Floats) -> tuple[Floats, Floats]:
        """Returns what is true and what was read of a quantity in its own unit, both (N, d).

        True angles are in (-½, ½] of a turn, those read within half a turn of them, so that 179° and -179° are near.
        """
        true_Nd = np.asarray(state[quantity.name], dtype=np.float32)
        read_NQ = predicted_NQ[:, self.columns[quantity.name]]
        if quantity.unit not in TURNS:
            return true_Nd, read_NQ
        turn, size = TURNS[quantity.unit], quantity.size
        read_Nd = np.arctan2(read_NQ[:, size:], read_NQ[:, :size]) * (turn / (2 * np.pi))
        true_Nd = _wrapped(true_Nd, turn)
        return true_Nd, true_Nd + _wrapped(read_Nd - true_Nd, turn)


def _wrapped(angle: Floats, turn: float) -> Floats:
    wrapped: Floats = (turn / 2 - np.mod(turn / 2 - angle, turn)).astype(np.float32)
    return wrapped
