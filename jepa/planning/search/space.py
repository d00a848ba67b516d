"""The space that a search moves in: actions in units of half the action range, and what a world makes of them."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

CarriedOut = Callable[[Tensor], Tensor]
"""Takes raw actions (…, A) and returns what a world makes of them."""


@dataclass(frozen=True)
class ActionSpace:
    """Bounds of raw actions, scalar or (A,), on the device to work on; a search sees each value in [-1, 1]."""

    low: Tensor
    high: Tensor
    carried_out: CarriedOut | None = None
    """What the world makes of actions; None where it takes every value as it is."""

    @property
    def centre(self) -> Tensor:
        """Returns the raw action that is 0 in the search's units."""
        return (self.high + self.low) / 2

    @property
    def half_range(self) -> Tensor:
        """Returns how much of a raw action is 1 in the search's units."""
        return (self.high - self.low) / 2

    def raw(self, unit: Tensor) -> Tensor:
        """Returns raw actions of those in the search's units."""
        return unit * self.half_range + self.centre

    def unit(self, raw: Tensor) -> Tensor:
        """Returns actions in the search's units of raw ones."""
        return (raw - self.centre) / self.half_range

    def done(self, unit: Tensor) -> Tensor:
        """Returns what the world would carry out, in the search's units."""
        return unit if self.carried_out is None else self.unit(self.carried_out(self.raw(unit)))

    def candidates(self, unit: Tensor) -> Tensor:
        """Returns actions that the world can carry out, within the bounds, in the search's units."""
        # Options are picked before values are clipped: at the bound several would be equal, and the first would win.
        return self.done(unit).clamp(-1, 1)
