"""Compaction: takes units that lie loose into few files, their manifests into one index, plans of runs into one file.

Every step leaves a store in which each row is read once. Files are written first, and nobody reads them. The generation
is put last, in one step: from then on readers take what it names. What it supersedes is deleted after that, by names
that nobody uses again. Whoever is killed half-way leaves files that no generation names; the next compaction deletes
them. Of two at once one puts its generation; the other one finds that its number is taken, and begins again.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from infra.errors import InfraError
from infra.processes.pool import ThreadPool
from infra.storage import Store
from jepa.core.config import Config
from pipelines.store.reports.compaction.generation import (
    INDEXES,
    CompactedFile,
    Generation,
    Withdrawn,
    commit_generation,
    is_left_over,
    keep_copy,
)
from pipelines.store.reports.compaction.index import read_compacted
from pipelines.store.reports.compaction.old_files import NotWholeError, OldFiles
from pipelines.store.reports.compaction.plans import KeptPlan
from pipelines.store.reports.compaction.put import ATTEMPTS, Content, TakenError, put_generation
from pipelines.store.reports.compaction.verify import damaged_index
from pipelines.store.reports.manifest import Name, Place, UnitManifest, parse_unit
from pipelines.store.reports.runs.plan import parse_plan
from pipelines.store.reports.runs.plans import PlanSnapshot, loose_plans, read_plans
from pipelines.store.reports.units import READERS, Snapshot, look
from pipelines.store.sealed import read_if_there, unseal

if TYPE_CHECKING:
    from pipelines.store.reports.compaction.merge import TableFiles

SMALL = 16 * 2**20
"""Bytes of a file below which it is written again together with what comes on top."""

WITHDRAWN_STAY = timedelta(days=90)
"""How long it is kept in mind that a unit was removed: nobody who began to write it before writes on for so long."""


class Compaction(Config):
    """What a compaction did, or would do."""

    generation: int
    """number of what is compacted now; 0 where nothing ever was"""
    taken: int = 0
    """units whose rows lay loose"""
    dropped: int = 0
    """rows in compacted files of units that were evaluated again or removed"""
    units: int = 0
    """that are compacted now"""
    plans: int = 0
    """plans of runs that lay loose"""
    files: tuple[CompactedFile, ...] = ()
    """that hold their rows"""
    deleted: int = 0
    """files that were superseded"""
    left: tuple[str, ...] = ()
    """sentences about units that stay as they are"""

    def lines(self) -> list[str]:
        """Returns what was done, for people."""
        lines = [f"left: {sentence}" for sentence in self.left]
        lines += [f"{file.path}: {file.rows:,} rows, {file.bytes:,} bytes" for file in self.files]
        what = f"{self.units:,} units lie in {len(self.files)} files"
        done = f"{self.taken:,} taken in, {self.dropped:,} rows dropped, {self.deleted:,} files deleted"
        return [*lines, f"{what}: {done}; plans of runs taken in: {self.plans:,}"]


def compact(store: Store, *, take: bool = True) -> Compaction:
    """Compacts the report tables of a store, and deletes what is superseded.

    Args:
        store: the store.
        take: False only writes again the files that hold rows of units that were removed or evaluated again.

    Raises:
        InfraError: the store cannot be read or written, what is compacted is damaged, or others are always quicker.
    """
    from pipelines.store.reports.compaction.sweep import sweep

    if read_compacted(store) is None:
        if not take:
            return Compaction(generation=0)
        # From now on nobody overwrites a manifest; what was overwritten before that, the look below sees.
        commit_generation(store, Generation(number=1))
    for _ in range(ATTEMPTS):
        try:
            plans = loose_plans(store)  # before what is compacted is read
            snapshot = look(store)
            made = _Compactor(store, snapshot, PlanSnapshot(plans, snapshot.compacted)).run(take)
        except TakenError:
            continue
        if (compacted := read_compacted(store)) is not None:
            keep_copy(store, compacted.generation)
        return made.model_copy(update={"deleted": sweep(store)})
    raise InfraError(f"report tables of store {store.uri!r} are compacted by others all the time; try again later")


def plan_compaction(store: Store) -> Compaction:
    """Returns what a compaction would take and drop, without reading any rows."""
    plans = loose_plans(store)  # before what is compacted is read
    snapshot = look(store)
    compacted = snapshot.compacted
    planned = len(PlanSnapshot(plans, compacted).loose_standing())
    loose = [stands for key in snapshot.loose if isinstance(stands := snapshot.standing(key), Name)]
    if compacted is None:
        return Compaction(generation=0, taken=len(loose), plans=planned)
    alive = standing_units(snapshot)
    return Compaction(
        generation=compacted.generation.number,
        taken=len(loose),
        dropped=sum(dead_rows(compacted.generation.files, alive).values()),
        units=len(alive),
        plans=planned,
        files=compacted.generation.files,
    )


def standing_units(snapshot: Snapshot) -> list[UnitManifest]:
    """Returns the compacted units that stand: those of which nothing newer lies loose."""
    keys = () if snapshot.compacted is None else snapshot.compacted.units
    return [stands for key in keys if isinstance(stands := snapshot.standing(key), UnitManifest)]


def dead_rows(files: Sequence[CompactedFile], units: Sequence[UnitManifest]) -> dict[str, int]:
    """Returns how many rows of each file are of none of the units, by its path, where there are any."""
    alive: Counter[str] = Counter()
    for unit in units:
        for part in unit.parts:
            if part.place is not None:
                alive[part.place.path] += part.rows
    return {file.path: file.rows - alive[file.path] for file in files if file.rows != alive[file.path]}


def unit_order(unit: UnitManifest) -> tuple[str, str, str, list[str], str]:
    """Sorts units by what queries ask for."""
    return unit.world, unit.model, unit.model_digest or "", sorted(unit.kinds or ()), unit.key


class _Compactor:
    """One attempt at the next generation."""

    def __init__(self, store: Store, snapshot: Snapshot, plans: PlanSnapshot) -> None:
        if snapshot.compacted is None:
            raise InfraError(f"the generations of store {store.uri!r} are gone; restore {INDEXES} from a backup")
        self._store, self._snapshot, self._old = store, snapshot, snapshot.compacted
        self._planned = plans
        self._number = self._old.generation.number + 1
        self._token = uuid.uuid4().hex[:8]
        self._tables: dict[str, TableFiles] = {}
        self._left: list[str] = []
        self._files = OldFiles(store, snapshot.compacted.generation.files)

    def run(self, take: bool) -> Compaction:
        """Writes the files, then the index, then the generation; where there is nothing to do it writes none.

        Raises:
            TakenError: another one has put the generation of this number.
        """
        alive = standing_units(self._snapshot)
        dead = dead_rows(self._old.generation.files, alive)
        loose = list(self._loose()) if take else []
        new = {unit.key for unit in loose}
        plans = self._plans(take)
        again = self._files_to_write(loose, dead)
        if take:
            self._name_damaged([file.path for file in self._old.generation.files if file.path not in again])
        same = self._old.units.keys() == {unit.key for unit in alive} and self._old.plans == plans
        if not new and not again and same and self._is_tidy():
            files, index = self._old.generation.files, self._old.units
            return Compaction(generation=self._number - 1, units=len(index), files=files, left=tuple(self._left))
        units = self._rewrite(sorted([*alive, *loose], key=unit_order), again)
        files = (
            *(file for file in self._old.generation.files if file.path not in again),
            *(file for table in self._tables.values() for file in table.files),
        )
        withdrawn = self._still_withdrawn(self._old.generation.withdrawn, self._snapshot.loose, new)
        loose_stems, held = self._planned.loose, {*plans} - self._old.plans.keys()
        withdrawn_plans = self._still_withdrawn(self._old.generation.withdrawn_plans, loose_stems, held)
        put_generation(self._store, self._old, Content(units, files, plans, withdrawn, withdrawn_plans), self._token)
        return Compaction(
            generation=self._number,
            taken=sum(unit.key in new for unit in units),
            dropped=sum(dead.values()),
            units=len(units),
            plans=len(held),
            files=files,
            left=tuple(self._left),
        )

    def _loose(self) -> Iterator[UnitManifest]:
        """Yields the units that stand and lie loose, those whose manifest can be read."""
        standing = [self._snapshot.standing(key) for key in self._snapshot.loose]
        names = [one for one in standing if isinstance(one, Name)]

        def read(name: Name) -> UnitManifest | None:
            data = read_if_there(self._store, name.path)
            try:
                return None if data is None else parse_unit(self._store, name.path, data)
            except InfraError as error:
                self._left.append(str(error))
                return None

        with ThreadPool(READERS, "read-unit") as pool:
            yield from (unit for unit in pool.map(read, names) if unit is not None)

    def _files_to_write(self, loose: Sequence[UnitManifest], dead: Mapping[str, int]) -> set[str]:
        """Returns the paths of files that are written again: with dead rows, or small where others come on top."""
        grown = {part.table for unit in loose for part in unit.parts}
        small = [file for file in self._old.generation.files if file.bytes < SMALL and file.path not in dead]
        counts = Counter(file.table for file in small)
        again = [file for file in self._old.generation.files if file.path in dead]
        again += [file for file in small if file.table in grown or counts[file.table] > 1]
        return {file.path for file in again if dead.get(file.path) == file.rows or self._can_be_read(file.path)}

    def _can_be_read(self, path: str) -> bool:
        try:
            self._files.compacted(path)
        except NotWholeError as error:
            self._leave(f"{error}: its units are left as they are; evaluate them again")
            return False
        return True

    def _name_damaged(self, paths: Iterable[str]) -> None:
        """Says which of the files that are left as they are have lost a byte, or all."""
        for path in paths:
            try:
                self._files.check(path)
            except NotWholeError as error:
                self._leave(f"{error}: its units are left as they are; evaluate them again")

    def _is_tidy(self) -> bool:
        """Returns whether index and plans are whole, and nothing lies there of a compaction that was cut off."""
        files = [*self._store.list("reports/kind="), *self._store.list(f"{INDEXES}/")]
        left = any(is_left_over(path, self._old.generation) for path in files)
        return not left and not any(damaged_index(self._store, self._old))

    def _leave(self, sentence: str) -> None:
        if sentence not in self._left:
            self._left.append(sentence)

    def _plans(self, take: bool) -> dict[str, KeptPlan]:
        """Returns the plans of runs that stand: the compacted ones, and those that lie loose if these are taken."""
        kept = {stem: one for stem in self._old.plans if isinstance(one := self._planned.standing(stem), KeptPlan)}
        for name, data in read_plans(self._store, self._planned.loose_standing() if take else []).items():
            if data is None:
                continue  # removed, or compacted by another one, whose generation is put before this one
            try:
                parse_plan(self._store, name.path, data)
            except InfraError as error:
                self._leave(str(error))
                continue
            kept[name.key] = KeptPlan(name.revision, name.token, unseal(data).decode())
        return kept

    def _still_withdrawn(
        self, every: Sequence[Withdrawn], loose: Collection[str], held: Collection[str]
    ) -> list[Withdrawn]:
        """Returns what was removed and of which somebody who works for long may yet write what does not count.

        Args:
            every: what was removed.
            loose: of what something lies loose.
            held: what is compacted now and was not before.
        """
        now = datetime.now(UTC)
        return [one for one in every if (now - one.at < WITHDRAWN_STAY or one.key in loose) and one.key not in held]

    def _rewrite(self, units: Sequence[UnitManifest], again: set[str]) -> list[UnitManifest]:
        """Writes the rows of units that lie loose, or in a file of these, and returns all units with their places."""
        from pipelines.store.reports.compaction.merge import Slot, places_of

        taken = []
        for unit in units:
            moving = {
                Slot(unit.key, number): part
                for number, part in enumerate(unit.parts)
                if part.place is None or part.place.path in again
            }
            try:
                rows = {slot: self._files.rows(part) for slot, part in moving.items()}
            except NotWholeError as error:
                self._left.append(f"unit {unit.key} is left as it is: {error}")
                continue
            for slot, part in moving.items():
                self._table(part.table).add(slot, rows[slot])
            taken.append(unit)
        for table in self._tables.values():
            table.flush()
        places = places_of(list(self._tables.values()))
        return [
            _placed(unit, [places.get(Slot(unit.key, number), part.place) for number, part in enumerate(unit.parts)])
            for unit in taken
        ]

    def _table(self, name: str) -> "TableFiles":
        from pipelines.store.reports.compaction.merge import TableFiles

        if name not in self._tables:
            self._tables[name] = TableFiles(self._store, name, f"compacted-{self._number:06d}-{self._token}")
        return self._tables[name]


def _placed(unit: UnitManifest, places: Sequence[Place | None]) -> UnitManifest:
    placed = zip(unit.parts, places, strict=True)
    parts = tuple(part.model_copy(update={"place": place}) for part, place in placed)
    return unit.model_copy(update={"parts": parts})
