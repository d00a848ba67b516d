"""Compaction: takes the units that lie loose into few files, and their manifests into one index.

Every step leaves a store in which each row is read once. Files are written first, and nobody reads them. The generation
is put last, in one step: from then on readers take what it names. What it supersedes is deleted after that, by names
that nobody uses again. Whoever is killed half-way leaves files that no generation names; the next compaction deletes
them. Of two at once one puts its generation; the other one finds that its number is taken, and begins again.
"""

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
    Spared,
    Withdrawn,
    commit_generation,
    is_left_over,
    keep_copy,
)
from pipelines.store.reports.compaction.index import Compacted, encoded, read_compacted
from pipelines.store.reports.compaction.verify import damaged_index
from pipelines.store.reports.manifest import Name, Part, Place, UnitManifest, parse_unit
from pipelines.store.reports.problems import problems_path
from pipelines.store.reports.units import READERS, Snapshot, look, misfit
from pipelines.store.sealed import read_if_there

if TYPE_CHECKING:
    import pyarrow as pa

    from pipelines.store.reports.compaction.merge import TableFiles

ATTEMPTS = 5
"""How often a compaction begins again when another one, or a removal, was quicker."""
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
        return [*lines, f"{what}: {done}"]


class TakenError(InfraError):
    """Another compaction, or a removal, has put the generation of this number."""


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
            made = _Compactor(store, look(store)).run(take)
        except TakenError:
            continue
        if (compacted := read_compacted(store)) is not None:
            keep_copy(store, compacted.generation)
        return made.model_copy(update={"deleted": sweep(store)})
    raise InfraError(f"report tables of store {store.uri!r} are compacted by others all the time; try again later")


def plan_compaction(store: Store) -> Compaction:
    """Returns what a compaction would take and drop, without reading any rows."""
    snapshot = look(store)
    compacted = snapshot.compacted
    loose = [stands for key in snapshot.loose if isinstance(stands := snapshot.standing(key), Name)]
    if compacted is None:
        return Compaction(generation=0, taken=len(loose))
    alive = standing_units(snapshot)
    return Compaction(
        generation=compacted.generation.number,
        taken=len(loose),
        dropped=sum(dead_rows(compacted.generation.files, alive).values()),
        units=len(alive),
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

    def __init__(self, store: Store, snapshot: Snapshot) -> None:
        if snapshot.compacted is None:
            raise InfraError(f"the generations of store {store.uri!r} are gone; restore {INDEXES} from a backup")
        self._store, self._snapshot, self._old = store, snapshot, snapshot.compacted
        self._number = self._old.generation.number + 1
        self._token = uuid.uuid4().hex[:8]
        self._tables: dict[str, TableFiles] = {}
        self._left: list[str] = []
        self._files = _OldFiles(store, snapshot.compacted.generation.files)

    def run(self, take: bool) -> Compaction:
        """Writes the files, then the index, then the generation; where there is nothing to do it writes none.

        Raises:
            TakenError: another one has put the generation of this number.
        """
        alive = standing_units(self._snapshot)
        dead = dead_rows(self._old.generation.files, alive)
        loose = list(self._loose()) if take else []
        new = {unit.key for unit in loose}
        again = self._files_to_write(loose, dead)
        withdrawn = self._still_withdrawn(new)
        same = self._old.units.keys() == {unit.key for unit in alive}
        if not new and not again and same and self._is_tidy():
            files, index = self._old.generation.files, self._old.units
            return Compaction(generation=self._number - 1, units=len(index), files=files, left=tuple(self._left))
        units = self._rewrite(sorted([*alive, *loose], key=unit_order), again)
        files = (
            *(file for file in self._old.generation.files if file.path not in again),
            *(file for table in self._tables.values() for file in table.files),
        )
        put_generation(self._store, self._old, units, files, withdrawn, self._token)
        return Compaction(
            generation=self._number,
            taken=sum(unit.key in new for unit in units),
            dropped=sum(dead.values()),
            units=len(units),
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
        except _NotWholeError as error:
            self._left.append(f"{error}: its units are left as they are; evaluate them again")
            return False
        return True

    def _is_tidy(self) -> bool:
        """Returns whether the index is whole, and nothing lies there of a compaction that was cut off."""
        files = self._store.list("reports/kind=")
        left = any(is_left_over(path, self._old.generation) for path in files)
        return not left and not any(damaged_index(self._store, self._old))

    def _still_withdrawn(self, new: set[str]) -> list[Withdrawn]:
        """Returns the removed units of which somebody who works for long may yet write what does not count."""
        now = datetime.now(UTC)
        every = self._old.generation.withdrawn
        kept = [one for one in every if now - one.at < WITHDRAWN_STAY or one.key in self._snapshot.loose]
        return [one for one in kept if one.key not in new and one.key not in self._old.units]

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
            except _NotWholeError as error:
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


def put_generation(
    store: Store,
    old: Compacted,
    units: Sequence[UnitManifest],
    files: Sequence[CompactedFile],
    withdrawn: Sequence[Withdrawn],
    token: str,
) -> None:
    """Writes the index of units, and then the generation that follows another one.

    Raises:
        TakenError: another one has put the generation of this number; the files of this one are deleted.
    """
    from pipelines.store.reports.compaction.merge import write_checked

    number = old.generation.number + 1
    data = encoded(units)
    stem = f"{INDEXES}/units-{number:06d}-{token}"
    index = write_checked(store, "", f"{stem}.parquet", data, len(units))
    store.write(f"{stem}-1.parquet", data)
    problems = sorted({problems_path(unit.problems_digest) for unit in units if unit.problems_digest})
    generation = Generation(
        number=number,
        index=index,
        copy_of_index=f"{stem}-1.parquet",
        files=tuple(files),
        withdrawn=tuple(withdrawn),
        parts=tuple(Spared(path=path) for path in (*(file.path for file in files), *problems)),
    )
    if not commit_generation(store, generation):
        for path in generation.named - old.generation.named - {generation.path}:
            if f"-{number:06d}-{token}" in path:
                store.delete(path)
        raise TakenError(f"generation {number} of store {store.uri!r} is another one's")


class _NotWholeError(Exception):
    """A file is not as it was committed; the message says which."""


class _OldFiles:
    """The rows of parts as they lie in a store; a compacted file is read once."""

    def __init__(self, store: Store, files: Sequence[CompactedFile]) -> None:
        self._store = store
        self._digests = {file.path: file.sha256 for file in files}
        self._read: dict[str, pa.Table] = {}

    def rows(self, part: Part) -> "pa.Table":
        """Returns the rows of a part, with all columns of its file, also those that this code does not know.

        Raises:
            _NotWholeError: the file is lost or damaged, or not of its table.
        """
        from pipelines.store.parquet import read_parquet

        if part.place is not None:
            return self.compacted(part.place.path).slice(part.place.first, part.rows)
        data = read_if_there(self._store, part.path)
        if data is None or not part.fits(data):
            raise _NotWholeError(f"{self._store.address(part.path)} is {'lost' if data is None else 'damaged'}")
        if wrong := misfit(part, data):
            raise _NotWholeError(f"{self._store.address(part.path)} is damaged ({wrong})")
        table = read_parquet(data)
        if len(table) != part.rows:
            raise _NotWholeError(f"{self._store.address(part.path)} has {len(table)} rows, and not {part.rows}")
        return table

    def compacted(self, path: str) -> "pa.Table":
        """Returns all rows of a compacted file; raises as `rows` does."""
        from pipelines.store.parquet import read_parquet
        from pipelines.store.sealed import sha256

        if path not in self._read:
            data = read_if_there(self._store, path)
            if data is None or sha256(data) != self._digests[path]:
                raise _NotWholeError(f"{self._store.address(path)} is {'lost' if data is None else 'damaged'}")
            self._read[path] = read_parquet(data)
        return self._read[path]


def _placed(unit: UnitManifest, places: Sequence[Place | None]) -> UnitManifest:
    placed = zip(unit.parts, places, strict=True)
    parts = tuple(part.model_copy(update={"place": place}) for part, place in placed)
    return unit.model_copy(update={"parts": parts})
