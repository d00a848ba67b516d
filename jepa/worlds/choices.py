"""Values of an action that stand for one of several options, such as the buttons of a game.

An option without an order is one-hot: as many values as options, a 1 at the one that is picked. A whole number, or a
switch, is one value at the middle of its part of the action range, which is cut into equal parts.
Shapes: N copies, A action dimensions, C choices, n options of a choice.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from jepa.core.episodes import Actions


@dataclass(frozen=True)
class Choice:
    """Where one choice stands among the values of an action."""

    first: int
    """place of its first value"""
    options: int
    one_hot: bool
    """False where the options have an order and share one value"""

    @property
    def values(self) -> slice:
        """Returns the places of its values."""
        return slice(self.first, self.first + (self.options if self.one_hot else 1))

    def picked(self, action_NA: Actions, low: float, high: float) -> NDArray[np.int64]:
        """Returns the option that each action picks, (N,): the largest of one-hot values, else the part it lies in."""
        values_NV = np.asarray(action_NA)[:, self.values]
        if self.one_hot:
            largest_N: NDArray[np.int64] = values_NV.argmax(axis=1)
            return largest_N
        share_N = (values_NV[:, 0].astype(np.float64) - low) / (high - low)
        return np.clip((share_N * self.options).astype(np.int64), 0, self.options - 1)

    def written(self, option_N: NDArray[np.int64], low: float, high: float) -> Actions:
        """Returns the values that stand for an option each, (N, n) or (N, 1)."""
        if self.one_hot:
            return np.eye(self.options, dtype=np.float32)[option_N]
        share_N = (option_N.astype(np.float64) + 0.5) / self.options
        return (low + share_N * (high - low)).astype(np.float32)[:, None]


def with_options(
    action_NA: Actions, choices: Sequence[Choice], option_NC: NDArray[np.int64], low: float, high: float
) -> Actions:
    """Returns the actions with the values of each choice replaced by those that stand for the options."""
    written_NA = action_NA.copy()
    for choice, option_N in zip(choices, option_NC.T, strict=True):
        written_NA[:, choice.values] = choice.written(option_N, low, high)
    return written_NA


def carried_out(action_NA: Actions, choices: Sequence[Choice], low: float, high: float) -> Actions:
    """Returns what a world makes of actions: the values of each choice become those of the option that is picked."""
    if not choices:
        return action_NA
    picked = [choice.picked(action_NA, low, high) for choice in choices]
    return with_options(action_NA, choices, np.stack(picked, axis=1), low, high)
