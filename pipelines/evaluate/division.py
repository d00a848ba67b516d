"""The pieces of work that missing units are divided into: whole units, and slices that are pooled when all are there.

Which slices there are depends on their size alone, and what they hold on the unit alone; so any number of workers, at
any time, leave the same rows. Slices of another size that are there already are used, but for a forced unit: its slices
are this evaluation's own, and begin from scratch.

Evaluations of the same unit may run at once. Whoever has all of it commits it, and deletes its slices, those of other
evaluations among them but for the forced ones' own; who finds its slices gone takes the unit that was committed.
"""

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from infra.errors import InfraError
from infra.storage import Store
from jepa.evaluation import EvaluationResult
from jepa.evaluation.evaluation import DivisibleEvaluation
from pipelines.evaluate.unit import EvaluationUnit, UnitDone, commit
from pipelines.store.reports import UnitManifest, read_unit
from pipelines.store.reports.slices import (
    LostSliceError,
    Slice,
    delete_slices,
    missing_items,
    read_slice,
    slices_of,
)

ROUNDS = 3
"""How often items of a unit whose slices are lost are done again before it is given up."""


class Division:
    """The work of an evaluation, and the units that come of it."""

    def __init__(self, store: Store, units: Sequence[EvaluationUnit], size: int) -> None:
        """Takes the units that are missing, and the most items of a slice; units whose slices are there are pooled."""
        self._store, self._size = store, size
        self._attempt = uuid.uuid4().hex[:16]
        """under which this evaluation keeps slices of forced units"""
        self.work: list[EvaluationUnit] = []
        """whole units and slices to do; more may come at the end of it, where slices are lost"""
        self.pieces = 0
        """all of them, also those that were done before"""
        self.committed: dict[str, UnitManifest] = {}
        """manifests of the units that are whole now, by their keys"""
        self._left: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        """how often slices of units were lost"""
        for unit in units:
            self._add(replace(unit, attempt=self._attempt) if unit.force else unit)

    def done(self, piece: EvaluationUnit, result: UnitDone) -> None:
        """Takes what came of a piece, and pools its unit where it was the last one of it."""
        if result.manifest is not None:
            self.committed[piece.key] = result.manifest
        self._left[piece.key] -= 1
        if piece.items is not None and not self._left[piece.key]:
            self._pool(replace(piece, items=None))

    def _add(self, unit: EvaluationUnit) -> None:
        there = [] if unit.count is None else slices_of(self._store, unit.key, unit.attempt)
        if unit.count is None or (not there and unit.count <= self._size):
            self.work.append(unit)
            self.pieces += 1
            return
        self.pieces += len(there)
        self._divide(unit, there)

    def _divide(self, unit: EvaluationUnit, there: Sequence[Slice]) -> None:
        """Adds the pieces that a unit lacks, and pools it where it lacks none."""
        pieces = [
            replace(unit, items=(one.start, one.stop))
            for gap in missing_items(there, _count(unit))
            for one in _slices(gap, self._size)
        ]
        self.work += pieces
        self.pieces += len(pieces)
        self._left[unit.key] = len(pieces)
        if not pieces:
            self._pool(unit)

    def _pool(self, unit: EvaluationUnit) -> None:
        """Commits a unit, unless another evaluation was the first to do so; slices that are lost are done again.

        Raises:
            InfraError: they were lost again and again.
        """
        # Who commits deletes slices afterwards: where some are gone, the unit may be there by now.
        committed = self._standing(unit) or self._pooled(unit) or self._standing(unit)
        if committed is not None:
            self.committed[unit.key] = committed
            delete_slices(self._store, unit.key)
            if unit.attempt:
                delete_slices(self._store, unit.key, unit.attempt)
            return
        self._lost[unit.key] += 1
        if self._lost[unit.key] > ROUNDS:
            raise InfraError(f"slices of unit {unit.key} are lost or damaged again and again; evaluate again")
        self._divide(unit, slices_of(self._store, unit.key, unit.attempt))

    def _standing(self, unit: EvaluationUnit) -> UnitManifest | None:
        """Returns what is committed, which is nothing to a forced unit."""
        return None if unit.force else read_unit(self._store, unit.key)

    def _pooled(self, unit: EvaluationUnit) -> UnitManifest | None:
        """Commits what the slices of a unit make together; None where some are lost."""
        evaluation, slices = unit.evaluation(), slices_of(self._store, unit.key, unit.attempt)
        if not isinstance(evaluation, DivisibleEvaluation):
            raise TypeError(f"evaluation {unit.kind!r} cannot be divided")
        if missing_items(slices, _count(unit)):
            return None
        found = EvaluationResult()
        try:
            for one in slices:
                found.extend(EvaluationResult(tables=read_slice(self._store, one), seconds=one.seconds))
        except LostSliceError:
            return None
        result = evaluation.pool(unit.part, found, unit.seed)
        return commit(unit, result, slices[0].world, self._store)


def _count(unit: EvaluationUnit) -> int:
    """Returns how many items a unit has that is divided."""
    if unit.count is None:
        raise TypeError(f"unit {unit.key} has no items and cannot be divided")
    return unit.count


def _slices(items: range, size: int) -> Iterator[range]:
    """Yields neighbouring items, as many as one slice may have; none ends within a whole multiple of the size."""
    start = items.start
    while start < items.stop:
        stop = min(items.stop, (start // size + 1) * size)
        yield range(start, stop)
        start = stop
