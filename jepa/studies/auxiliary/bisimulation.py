"""Which states a model must tell apart: the largest bisimulation of a deterministic process, by partition refinement.

Two states are equivalent where the auxiliary quantity is the same in both, now and after any actions. The theorem: with
    T(E(s), a) = E(f(s, a))  and  P(E(s)) = p(s)  for all s and a
states that are not equivalent have different codes E(s), since {E(s) = E(s')} is itself a bisimulation. Equivalent
ones need not share theirs, and how far apart the others are is not said.
Shapes: S states, A actions, D dimensions of a code.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from jepa.worlds.counting.scene import MOST
from jepa.worlds.counting.world import counted

Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Process:
    """A deterministic process with finitely many states, and the quantity that is predicted from each."""

    next_SA: Whole
    """the state after each action"""
    label_S: Whole
    """the auxiliary quantity, by whole numbers"""


def classes(process: Process) -> Whole:
    """Returns the class of each state under the largest bisimulation, (S,), numbered from 0."""
    return rounds(process)[-1]


def rounds(process: Process) -> list[Whole]:
    """Returns the class of each state after each round of refinement, until a round changes nothing.

    The first round has the auxiliary quantity alone; round n tells apart what n - 1 actions bring to light.
    """
    found = [_numbered(process.label_S[:, None])]
    while True:
        now_S = found[-1]
        finer_S = _numbered(np.concatenate([now_S[:, None], now_S[process.next_SA]], axis=1))
        if finer_S.max() == now_S.max():
            return found
        found.append(finer_S)


def least_loss(process: Process, code_SD: ArrayLike) -> tuple[float, float]:
    """Returns the least transition loss and the least auxiliary loss that any tables T and P reach with these codes.

    Both are mean squared errors over all states, and actions: states with one code are predicted alike, at best by
    their mean, so that what is left is the spread within each code.
    """
    codes = np.asarray(code_SD, dtype=np.float64)
    codes = codes[:, None] if codes.ndim == 1 else codes
    group_S = _numbered(codes)
    transition = float(np.mean([_spread_within(codes[after_S], group_S) for after_S in process.next_SA.T]))
    return transition, _spread_within(process.label_S[:, None].astype(np.float64), group_S)


def separates(code_SD: ArrayLike, class_S: Whole) -> bool:
    """Returns whether states of different classes have different codes."""
    code_S = _numbered(np.asarray(code_SD).reshape(len(class_S), -1))
    return all(len(set(class_S[code_S == code])) == 1 for code in set(code_S))


def partitions(states: int, begun: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """Yields every way to give states codes, up to the names of the codes."""
    if len(begun) == states:
        yield begun
        return
    for code in range(max(begun, default=-1) + 2):
        yield from partitions(states, (*begun, code))


def counting_process(label_S: ArrayLike, steps: tuple[int, ...] = (-1, 1)) -> Process:
    """Returns the counting world as a table: states are the counts 0 to 8, actions the steps."""
    counts = np.arange(MOST + 1)
    return Process(np.stack([counted(counts, np.array(step)) for step in steps], axis=1), np.asarray(label_S))


def random_process(rng: np.random.Generator, states: int, actions: int, labels: int) -> Process:
    """Returns a process drawn uniformly, which most often has states that are equivalent."""
    return Process(rng.integers(states, size=(states, actions)), rng.integers(labels, size=states))


def _numbered(row_SD: NDArray[np.float64] | Whole) -> Whole:
    return np.asarray(np.unique(row_SD, axis=0, return_inverse=True)[1], dtype=np.int64).reshape(-1)


def _spread_within(value_SD: NDArray[np.float64], group_S: Whole) -> float:
    size = np.bincount(group_S).astype(np.float64)
    sums = np.zeros((len(size), value_SD.shape[1]))
    np.add.at(sums, group_S, value_SD)
    mean_SD = (sums / size[:, None])[group_S]
    return float(((value_SD - mean_SD) ** 2).sum(axis=1).mean())
