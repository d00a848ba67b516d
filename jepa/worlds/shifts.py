"""What of a world can be made other than in training: its factors of variation, and options that training never varies.

A shifted world is the same world under one other value, which all of its episodes have.
"""

from typing import TYPE_CHECKING

from jepa.core.errors import InputError
from jepa.worlds.declarations import Factor, Shift

if TYPE_CHECKING:
    from jepa.worlds.world import WorldSpec


def shifts_of(spec: "WorldSpec") -> tuple[Shift, ...]:
    """Returns all of a world that can be made other than in training: the factors of variation first."""
    return (*map(_of_factor, spec.factors), *spec.shifts)


def find_shift(spec: "WorldSpec", name: str) -> Shift:
    """Returns what of a world can be made other than in training, by its name.

    Raises:
        InputError: there is no such thing; the message lists what there is, with the values that are possible.
    """
    known = shifts_of(spec)
    for one in known:
        if one.name == name:
            return one
    offers = f"choose of: {', '.join(map(str, known))}" if known else "nothing of it can be shifted"
    raise InputError(f"world {spec.name!r} has no factor {name!r}; {offers}")


def _of_factor(factor: Factor) -> Shift:
    low, high = factor.possible or (factor.low, factor.high)
    held = f"drawn from {factor.low:g} to {factor.high:g} in training"
    return Shift(factor.name, None, low, high, factor.unit, held, tuple(factor.training_support()))
