"""What a search is asked, and what it answers, whatever ranks its candidates.

Shapes: P problems, S samples, E candidates that are kept, H action blocks, K actions in an action block, A action
dimensions.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from jepa.planning.cross_entropy import Cost
from jepa.planning.search.space import ActionSpace


@dataclass(frozen=True)
class SearchTask:
    """Action sequences of (H, K, A) are wanted for P problems, whose draws come from a seed each."""

    cost: Cost
    """Of raw candidates (P, S, H, K, A); may be NaN, which counts as worst."""
    space: ActionSpace
    seeds: Sequence[int]
    shape: tuple[int, int, int]
    at_once: int
    """Most candidates of all problems together that `cost` rolls out together."""
    first_PHKA: Tensor | None = None
    """Where to start, in units of half the action range, e.g. what is left of the plan of the look before."""
    kept_PEHKA: Tensor | None = None
    """Candidates that the look before kept, likewise."""


@dataclass(frozen=True)
class Found:
    """What a search found, raw: the plans, and the candidates that the next look starts from, where it keeps any."""

    action_PHKA: Tensor
    elite_PEHKA: Tensor | None = None
