"""Committed units of work: what one evaluation of one part, or one training, wrote, found by its manifest.

A unit's key says what was done, by content, and not for whom: two runs that ask for the same unit share it. Its files
count when a manifest names them, one that lies loose or one in the index of what is compacted; of several the one with
the highest revision stands, and of one that is both loose and compacted, what is compacted.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from infra.errors import InfraError
from infra.processes.pool import ThreadPool
from infra.storage import Store
from jepa.core.errors import InputError
from pipelines.store.reports.compaction.generation import REREADS
from pipelines.store.reports.compaction.index import Compacted, read_compacted
from pipelines.store.reports.manifest import (
    MANIFESTS,
    Name,
    Part,
    UnitManifest,
    manifest_name,
    manifest_path,
    parse_unit,
    standing,
    warn_once,
)
from pipelines.store.sealed import Problem, read_if_there, sha256

READERS = 16
"""Threads that read manifests: what is waited for is an object store's latency, not its bandwidth."""

HELD = 50_000
"""Manifests that a process keeps, so that a store is not read again for each question."""

_PARSED: dict[tuple[str, str | None], UnitManifest | None] = {}
"""Manifests by address and stamp: one that is replaced has another stamp."""


@dataclass(frozen=True)
class Snapshot:
    """Which manifests there are at one moment."""

    loose: Mapping[str, Sequence[Name]]
    """by key: the names of those that lie loose"""
    stamps: Mapping[str, str | None]
    """of each of them, by its path"""
    compacted: Compacted | None

    def standing(self, key: str) -> "Name | UnitManifest | None":
        """Returns the name of the manifest that stands for a key, or the unit itself where it is compacted."""
        held = self.compacted
        loose = self.loose.get(key, ())
        return standing(loose, None, 0) if held is None else standing(loose, held.units.get(key), held.revision(key))

    def revision(self, key: str) -> int:
        """Returns the highest revision of a key of which there is a trace, 0 where there is none."""
        loose = max((name.revision for name in self.loose.get(key, ())), default=0)
        return max(loose, self.compacted.revision(key) if self.compacted is not None else 0)

    def loose_stamps(self, key: str) -> list[str | None]:
        """Returns the stamps of the manifests of a key that lie loose."""
        return [self.stamps[name.path] for name in sorted(self.loose.get(key, ()))]

    def superseded(self) -> list[Name]:
        """Returns the names of the loose manifests that what is compacted supersedes.

        One that only a loose one supersedes waits until that is compacted, too: a listing need not show both of two
        files of which one came and the other went while it was made.
        """
        held = self.compacted
        every = sorted(name for names in self.loose.values() for name in names)
        return [] if held is None else [name for name in every if name.revision <= held.revision(name.key)]


def look(store: Store, key: str | None = None) -> Snapshot:
    """Returns which manifests there are, of one key or of all."""
    # In this order: what is compacted between the two is then found in both, and not in neither.
    stamps = store.stamps(f"{MANIFESTS}/" if key is None else f"{MANIFESTS}/{key}.")
    names = {path: name for path in stamps if (name := manifest_name(path)) is not None}
    loose: dict[str, list[Name]] = {}
    for name in names.values():
        if key is None or name.key == key:
            loose.setdefault(name.key, []).append(name)
    return Snapshot(loose, {path: stamps[path] for path in names}, read_compacted(store))


def read_unit(store: Store, key: str) -> UnitManifest | None:
    """Returns the manifest of a committed unit of work, all of whose files are whole.

    None where it is not done yet, or not as this code reads it, or where a file of it is lost or damaged: it is done
    again then, and a sentence in the log names the file.
    """
    return _read_whole(store, key, look(store, key), _Files(store))


def read_units(store: Store, keys: Sequence[str]) -> dict[str, UnitManifest]:
    """Returns, of some units, those that are committed and whole, by their keys; see `read_unit`."""
    snapshot, files = look(store), _Files(store)
    with ThreadPool(READERS, "read-unit") as pool:
        found = zip(keys, pool.map(lambda key: _read_whole(store, key, snapshot, files), keys), strict=True)
        return {key: unit for key, unit in found if unit is not None}


def damaged_parts(store: Store, unit: UnitManifest) -> Iterator[Problem]:
    """Yields the files of a unit that are lost or damaged, or are none of their table, as readers would find."""
    return _Files(store).damaged(unit)


def committed_units(store: Store) -> list[UnitManifest]:
    """Returns the manifests of all committed units, in order of their keys.

    Units of another major version of the schema are left out, and a sentence in the log says so. Their files are
    checked when they are read.

    Raises:
        InfraError: a manifest, or the index of what is compacted, is damaged.
    """
    return committed_at_once(store)[0]


def committed_at_once(store: Store) -> tuple[list[UnitManifest], Compacted | None]:
    """Returns the manifests of all committed units, and what was compacted at the same moment; see `committed_units`.

    Raises:
        InfraError: a manifest, or the index of what is compacted, is damaged.
    """
    for _ in range(REREADS):
        snapshot = look(store)
        try:
            return _committed(store, snapshot), snapshot.compacted
        except FileNotFoundError:
            continue  # compacted or removed since it was listed
    raise InfraError(f"report tables of store {store.uri!r} change all the time while they are read; try again")


def _committed(store: Store, snapshot: Snapshot) -> list[UnitManifest]:
    compacted = {} if snapshot.compacted is None else snapshot.compacted.units
    standing = [snapshot.standing(key) for key in {*snapshot.loose, *compacted}]
    loose = {one.path: snapshot.stamps[one.path] for one in standing if isinstance(one, Name)}
    names = {path: (store.address(path), stamp) for path, stamp in loose.items()}
    unread = [path for path, name in names.items() if name not in _PARSED]
    with ThreadPool(READERS, "read-unit") as pool:
        read = dict(zip(unread, pool.map(lambda path: parse_unit(store, path, store.read(path)), unread), strict=True))
    found = [read[path] if path in read else _PARSED[name] for path, name in names.items()]
    if len(_PARSED) > HELD:
        _PARSED.clear()
    _PARSED.update({names[path]: unit for path, unit in read.items() if loose[path] is not None})
    found += [one for one in standing if isinstance(one, UnitManifest)]
    return sorted((unit for unit in found if unit is not None), key=lambda unit: manifest_path(unit.key))


def _read_whole(store: Store, key: str, snapshot: Snapshot, files: "_Files") -> UnitManifest | None:
    said = ""
    for _ in range(REREADS):
        stands = snapshot.standing(key)
        if stands is None:
            return None
        try:
            unit = (
                stands if isinstance(stands, UnitManifest) else parse_unit(store, stands.path, store.read(stands.path))
            )
            wrong = None if unit is None else next(files.damaged(unit), None)
            if unit is None or wrong is None:
                return unit
            reason = f" ({wrong.detail})" if wrong.detail else ""
            said = f"{store.address(wrong.path)} is {wrong.kind}{reason}: unit {key} counts as not done"
        except InfraError as error:
            said = f"{error}; the unit counts as not done"
        except FileNotFoundError:
            said = f"the manifest of unit {key} is gone: it counts as not done"
        seen, snapshot = snapshot, look(store, key)
        if snapshot.standing(key) == stands and snapshot.loose_stamps(key) == seen.loose_stamps(key):
            break  # it was not compacted, removed or replaced meanwhile
    warn_once(said)
    return None


class _Files:
    """The files of units, looked at once however many units have rows in one."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._compacted: dict[str, str | None] = {}

    def damaged(self, unit: UnitManifest) -> Iterator[Problem]:
        """Yields the files of a unit that are lost, damaged, or none of their table."""
        for part in unit.parts:
            if part.place is not None:
                # Whether the rows are those of the table was looked at when they were compacted.
                digest = self._digest(part.place.path)
                if digest != part.place.sha256:
                    yield Problem(path=part.place.path, kind="missing" if digest is None else "damaged")
            elif (data := read_if_there(self._store, part.path)) is None:
                yield Problem(path=part.path, kind="missing")
            elif not part.fits(data):
                yield Problem(path=part.path, kind="damaged")
            elif wrong := misfit(part, data):
                yield Problem(path=part.path, kind="damaged", detail=wrong)

    def _digest(self, path: str) -> str | None:
        if path not in self._compacted:
            data = read_if_there(self._store, path)
            self._compacted[path] = None if data is None else sha256(data)
        return self._compacted[path]


def misfit(part: Part, data: bytes) -> str:
    """Returns what a file has that its table has not; nothing is known of a table that nothing here declares."""
    import pyarrow as pa

    from pipelines.store.reports.rows import check_parquet
    from pipelines.store.reports.schema import SchemaError

    try:
        check_parquet(data, part.table, part.rows)
    except InputError:
        return ""
    except SchemaError as error:
        return str(error)
    except (pa.ArrowException, OSError):
        return "it is no Parquet file"
    return ""
