"""The values of an action, all in [-1, 1], and the action of a Gymnasium environment that they stand for.

A bounded Box of floats takes its values linearly. Everything that is counted is a choice (`jepa.worlds.choices`):
Discrete and MultiDiscrete one-hot, MultiBinary and a Box of whole numbers in equal parts of the range. Tuple and Dict
are their parts side by side.
Shapes: A action dimensions.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Space, Tuple
from numpy.typing import NDArray

from jepa.core.errors import InputError
from jepa.worlds.choices import Choice

LOW, HIGH = -1.0, 1.0
MOST_VALUES = 4096
MOST_LEVELS = 2**20
"""Parts of [-1, 1] that float32 tells apart with room to spare."""


def action_layout(world: str, space: Space[Any]) -> tuple[int, tuple[Choice, ...]]:
    """Returns how many values an action has, A, and which of them are choices.

    Raises:
        InputError: the space is of a kind, or of a size, that cannot be acted in.
    """
    choices: list[Choice] = []
    size = _lay_out(world, space, 0, choices)
    if not 1 <= size <= MOST_VALUES:
        raise InputError(f"world {world!r} takes actions of {size} values; from 1 to {MOST_VALUES} can be handled")
    return size, tuple(choices)


def to_action(space: Space[Any], action_A: NDArray[np.float32]) -> Any:
    """Returns the environment's action that values in [-1, 1] stand for."""
    return _take(space, iter(np.asarray(action_A, dtype=np.float32)))


def _lay_out(world: str, space: Space[Any], first: int, choices: list[Choice]) -> int:
    """Appends the choices of a space whose values begin at `first`, and returns where they end."""
    if isinstance(space, (Tuple, Dict)):
        for part in _parts(space):
            first = _lay_out(world, part, first, choices)
        return first
    if isinstance(space, (Discrete, MultiDiscrete)):
        for options in _option_counts(space):
            choices.append(Choice(first, options, one_hot=True))
            first += options
            if first > MOST_VALUES:  # before a million entries are listed
                break
        return first
    if isinstance(space, (Box, MultiBinary)):
        if not (isinstance(space, Box) and space.dtype.kind == "f"):
            levels = _level_counts(space)
            if max(levels, default=0) > MOST_LEVELS:
                raise InputError(f"world {world!r} takes whole numbers from a range of over {MOST_LEVELS}, in {space}")
            choices += [Choice(first + place, count, one_hot=False) for place, count in enumerate(levels)]
            return first + len(levels)
        if np.isfinite(_span(space)).all():
            return first + int(np.prod(space.shape))
    raise InputError(
        f"world {world!r} takes actions of {space}; a bounded Box or a Discrete space is needed, or a MultiDiscrete, "
        "MultiBinary, or a Tuple or Dict of these"
    )


def _take(space: Space[Any], values: Iterator[np.float32]) -> Any:
    """Returns a space's action from the next of the values."""
    if isinstance(space, Tuple):
        return tuple(_take(part, values) for part in space.spaces)
    if isinstance(space, Dict):
        return {name: _take(part, values) for name, part in space.spaces.items()}
    if isinstance(space, Discrete):
        return space.start + space.dtype.type(_pick_one_hot(int(space.n), values))
    if isinstance(space, MultiDiscrete):
        picked = [_pick_one_hot(options, values) for options in _option_counts(space)]
        return (space.start + np.array(picked).reshape(space.shape)).astype(space.dtype)
    if isinstance(space, Box) and space.dtype.kind == "f":
        share = (np.array(_next(values, int(np.prod(space.shape))), dtype=np.float64) - LOW) / (HIGH - LOW)
        action = (space.low + share.reshape(space.shape) * _span(space)).astype(space.dtype)
        return np.clip(action, space.low, space.high)
    levels = _level_counts(space)
    picked = [
        int(Choice(0, count, one_hot=False).picked(np.array([[value]]), LOW, HIGH)[0])
        for count, value in zip(levels, _next(values, len(levels)), strict=True)
    ]
    least = space.low.astype(object) if isinstance(space, Box) else 0
    # Python's whole numbers, for low + level may not fit the type of the level.
    return np.asarray(np.array(picked, dtype=object).reshape(space.shape or ()) + least).astype(space.dtype)


def _parts(space: Tuple[Any] | Dict) -> list[Space[Any]]:
    return list(space.spaces.values()) if isinstance(space, Dict) else list(space.spaces)


def _option_counts(space: Discrete | MultiDiscrete) -> list[int]:
    return [int(space.n)] if isinstance(space, Discrete) else [int(options) for options in space.nvec.flat]


def _level_counts(space: Any) -> list[int]:
    if isinstance(space, MultiBinary):
        return [2] * int(np.prod(space.shape))
    return [int(high) - int(low) + 1 for low, high in zip(space.low.flat, space.high.flat, strict=True)]


def _span(space: Box) -> NDArray[np.float64]:
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(space.high.astype(np.float64) - space.low.astype(np.float64))


def _pick_one_hot(options: int, values: Iterator[np.float32]) -> int:
    return int(np.argmax(_next(values, options)))


def _next(values: Iterator[np.float32], count: int) -> list[np.float32]:
    return [next(values) for _ in range(count)]
