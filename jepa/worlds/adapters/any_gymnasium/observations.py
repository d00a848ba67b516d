"""What a Gymnasium environment observes, as a flat vector: numbers as they are, options one-hot.

Gymnasium's own `flatten` casts to the type that the space declares; what an environment really returns may be of
another, so here each value goes through `jepa.core.input.conversions`.
"""

from typing import Any

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Space, Tuple
from numpy.typing import NDArray

from jepa.core.errors import InputError
from jepa.core.input.conversions import UnfitValueError, to_counts, to_numbers

WIDEST = 4096


def observation_size(world: str, space: Space[Any]) -> int:
    """Returns how many numbers an observation has.

    Raises:
        InputError: it is of a kind that has no fixed number of numbers, or has too many.
    """
    size = _size(world, space)
    if not 1 <= size <= WIDEST:
        raise InputError(
            f"world {world!r} observes {size} numbers, and from 1 to {WIDEST} can be recorded; "
            "choose an id that observes its state and renders pictures apart from it"
        )
    return size


def flat_observation(space: Space[Any], observation: Any) -> NDArray[np.float32]:
    """Returns an observation as a vector of `observation_size` numbers.

    Raises:
        UnfitValueError: it is not of its space's shape, or holds what cannot be stored; names the place in the vector.
    """
    parts: list[NDArray[Any]] = []
    _flatten(space, observation, "observation", parts)
    # Part by part, for whole numbers put beside floats would no longer be known as such.
    flat: list[NDArray[np.float32]] = []
    first = 0
    for part in parts:
        try:
            flat.append(to_numbers(part[None], "observation")[0])
        except UnfitValueError as error:
            column = None if error.column is None else error.column + first
            raise UnfitValueError(error.what, error.problem, column=column) from error
        first += len(part)
    return np.concatenate(flat)


def _size(world: str, space: Space[Any]) -> int:
    if isinstance(space, (Tuple, Dict)):
        parts = space.spaces.values() if isinstance(space, Dict) else space.spaces
        return sum(_size(world, part) for part in parts)
    if isinstance(space, Discrete):
        return int(space.n)
    if isinstance(space, MultiDiscrete):
        return int(space.nvec.sum())
    if isinstance(space, (Box, MultiBinary)):
        return int(np.prod(space.shape))
    raise InputError(
        f"world {world!r} observes a {type(space).__name__}, which has no fixed number of values; Box, Discrete, "
        "MultiDiscrete, MultiBinary, Tuple and Dict can be recorded, so wrap the environment to observe one"
    )


def _flatten(space: Space[Any], value: Any, what: str, parts: list[NDArray[Any]]) -> None:
    """Appends the values of one part of an observation; `what` leads to it."""
    if isinstance(space, Tuple):
        if not isinstance(value, (tuple, list)) or len(value) != len(space.spaces):
            raise UnfitValueError(what, f"is no tuple of {len(space.spaces)} parts")
        for place, (part, held) in enumerate(zip(space.spaces, value, strict=True)):
            _flatten(part, held, f"{what}[{place}]", parts)
        return
    if isinstance(space, Dict):
        lacking = [name for name in space.spaces if name not in value]
        if lacking:
            raise UnfitValueError(what, f"lacks {lacking[0]!r}, which the environment's space declares")
        for name, part in space.spaces.items():
            _flatten(part, value[name], f"{what}.{name}", parts)
        return
    array = np.asarray(value)
    if array.shape != space.shape:
        raise UnfitValueError(what, f"has the shape {array.shape} and the environment's space declares {space.shape}")
    if isinstance(space, (Discrete, MultiDiscrete)):
        parts.append(_one_hot(space, array, what))
    else:
        parts.append(array.reshape(-1))


def _one_hot(space: Discrete | MultiDiscrete, array: NDArray[Any], what: str) -> NDArray[np.float32]:
    counts = [int(space.n)] if isinstance(space, Discrete) else [int(count) for count in space.nvec.flat]
    options = to_counts(array.reshape(-1), what) - np.asarray(space.start).reshape(-1)
    for option, count in zip(options.tolist(), counts, strict=True):
        if not 0 <= option < count:
            raise UnfitValueError(what, f"is {array}, which is no value of {space}")
    return np.concatenate(
        [np.eye(count, dtype=np.float32)[option] for option, count in zip(options, counts, strict=True)]
    )
