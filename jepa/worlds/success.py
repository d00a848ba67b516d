"""What counts as success: the kinds of tests that a world declares, and when a sequence of them has been passed.

A world's usual test is its package's own, passed by the first state that meets it. Stricter kinds ask for more: to stay
at the goal for some steps, to have come by a route that is physically possible, not to have been there at the start.
Shapes: T environment steps, N copies.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

USUAL = "usual"
"""The success kind that every world has: its `success`, passed by the first state that meets it."""


@dataclass(frozen=True)
class SuccessKind:
    """A test of success that a world has, by name; `World.meets` says which copies meet it now."""

    name: str
    description: str
    """The test of a state in words."""
    quantities: tuple[str, ...] = ()
    """Quantities of a goal that it looks at; none are those of the goal kind."""
    held: int = 1
    """States in a row that must meet it, one an environment step."""
    legal_route: bool = False
    """Whether every move up to then must be one of `World.legal_moves`."""
    drops_solved: bool = True
    """Whether problems are left out whose start meets the test already."""
    goal_kinds: tuple[str, ...] = ()
    """Goal kinds whose problems it is meant for; none are all of them."""


def first_success(
    met_TN: NDArray[np.bool_], held: int = 1, legal_TN: NDArray[np.bool_] | None = None
) -> NDArray[np.int64]:
    """Returns the environment step at which each copy has succeeded, and -1 where it never has, (N,).

    Args:
        met_TN: whether the test is met, (T+1, N), the start first: `World.meets` after each environment step.
        held: states in a row that must meet it; `SuccessKind.held`. The step is that of the last of them.
        legal_TN: whether each move is legal, (T, N): `World.legal_moves` of successive states, for success kinds with
            `legal_route`. Nothing counts from the first illegal move on.

    Raises:
        ValueError: `held` is below 1, or there is not one move between each two states.
    """
    if held < 1:
        raise ValueError(f"held must be at least 1, got {held}")
    counted_TN = np.asarray(met_TN, dtype=bool)
    if legal_TN is not None:
        if len(legal_TN) != len(counted_TN) - 1:
            raise ValueError(f"{len(counted_TN)} states need {len(counted_TN) - 1} moves, got {len(legal_TN)}")
        counted_TN = counted_TN.copy()
        counted_TN[1:] &= np.logical_and.accumulate(legal_TN, axis=0)
    run_N = np.zeros(counted_TN.shape[1], dtype=np.int64)
    first_N = np.full(counted_TN.shape[1], -1, dtype=np.int64)
    for step, counted_N in enumerate(counted_TN):
        run_N = np.where(counted_N, run_N + 1, 0)
        first_N = np.where((first_N < 0) & (run_N >= held), step, first_N)
    return first_N
