"""The pieces of work that missing units are divided into: whole units, and slices that are pooled when all are there.

Which slices there are depends on their size alone, and what they hold on the unit alone; so any number of workers, at
any time, leave the same rows. Slices of another size that are there already are used.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from infra.errors import InfraError
from infra.storage import Store
from jepa.evaluation import EvaluationResult
from jepa.evaluation.evaluation import DivisibleEvaluation
from pipelines.evaluate.unit import EvaluationUnit, UnitDone, commit
from pipelines.store.reports import UnitManifest, read_unit
from pipelines.store.reports.slices import delete_slices, missing_items, read_slice, slices_of


class Division:
    """The work of an evaluation, and the units that come of it."""

    def __init__(self, store: Store, units: Sequence[EvaluationUnit], size: int) -> None:
        """Takes the units that are missing, and the most items of a slice; units whose slices are there are pooled."""
        self._store = store
        self.work: list[EvaluationUnit] = []
        """whole units and slices, none of them done yet"""
        self.pieces = 0
        """all of them, also those that were done before"""
        self.committed: dict[str, UnitManifest] = {}
        """manifests of the units that are whole now, by their keys"""
        self._left: Counter[str] = Counter()
        for unit in units:
            self._add(unit, size)

    def done(self, piece: EvaluationUnit, result: UnitDone) -> None:
        """Takes what came of a piece, and pools its unit where it was the last one of it."""
        if result.manifest is not None:
            self.committed[piece.key] = result.manifest
        self._left[piece.key] -= 1
        if piece.items is not None and not self._left[piece.key]:
            self._pool(replace(piece, items=None))

    def _add(self, unit: EvaluationUnit, size: int) -> None:
        if unit.count is None:
            self.work.append(unit)
            self.pieces += 1
            return
        if unit.force:
            delete_slices(self._store, unit.key)
        there = slices_of(self._store, unit.key)
        if not there and unit.count <= size:
            self.work.append(unit)
            self.pieces += 1
            return
        pieces = [
            replace(unit, items=(one.start, one.stop))
            for gap in missing_items(there, unit.count)
            for one in _slices(gap, size)
        ]
        self.work += pieces
        self.pieces += len(there) + len(pieces)
        self._left[unit.key] = len(pieces)
        if not pieces:
            self._pool(unit)

    def _pool(self, unit: EvaluationUnit) -> None:
        """Commits a unit whose slices are all there, unless another evaluation was the first to do so."""
        store = self._store
        committed = None if unit.force else read_unit(store, unit.key)
        if committed is None:
            evaluation, slices = unit.evaluation(), slices_of(store, unit.key)
            if unit.count is None or not isinstance(evaluation, DivisibleEvaluation):
                raise TypeError(f"evaluation {unit.kind!r} cannot be divided")
            if missing_items(slices, unit.count):
                raise InfraError(f"slices of unit {unit.key} are lost or damaged; evaluate again")
            found = EvaluationResult()
            for one in slices:
                found.extend(EvaluationResult(tables=read_slice(store, one), seconds=one.seconds))
            result = evaluation.pool(unit.part, found, unit.seed)
            committed = commit(unit, result, slices[0].world, store)
        self.committed[unit.key] = committed
        delete_slices(store, unit.key)


def _slices(items: range, size: int) -> Iterator[range]:
    """Yields neighbouring items, as many as one slice may have; none ends within a whole multiple of the size."""
    start = items.start
    while start < items.stop:
        stop = min(items.stop, (start // size + 1) * size)
        yield range(start, stop)
        start = stop
