"""Slices of units: the finer rows of some items of a unit that several workers share, until the unit is pooled.

They lie in `reports/slices/<key of the unit>/<first>-<end>…`, apart from the tables, so that no reader of these sees
half a unit or a row twice. A slice counts when its mark does, `<first>-<end>.json`, which is written last. A unit that
is committed needs its slices no more. An evaluation that does a unit again from scratch keeps the slices of it in a
folder of its own, `<key of the unit>/<attempt>/…`, where no other one looks.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from infra.errors import InfraError
from infra.storage import Store
from jepa.core.config import Config
from pipelines.store.reports.manifest import Context, Part
from pipelines.store.reports.version import SCHEMA_VERSION
from pipelines.store.sealed import read_if_there, seal, sha256, unseal

if TYPE_CHECKING:
    from pipelines.store.reports.rows import Rows

SLICES = "reports/slices"
_FOLDER = rf"{SLICES}/(?P<key>[^/]+)/((?P<attempt>[^/]+)/)?"
MARK = re.compile(rf"{_FOLDER}(?P<first>\d+)-(?P<end>\d+)\.json")
FILE = re.compile(rf"{_FOLDER}\d+-\d+\.[^/]+")


class LostSliceError(InfraError):
    """A file of a slice is lost or damaged, or another evaluation deleted it, for the unit is committed."""


class Slice(Config):
    """The mark of a slice: which items of a unit it has, and its files."""

    key: str
    """of the unit"""
    attempt: str = ""
    """at the unit from scratch that the slice is of; empty where any evaluation may use it"""
    first: int
    end: int
    """the item after its last"""
    world: str
    """that the items are of"""
    schema_version: int = SCHEMA_VERSION
    parts: tuple[Part, ...]
    seconds: dict[str, float] = Field(default_factory=dict)
    """wall times that the unit's rows will tell, by what they are filed under"""

    @property
    def items(self) -> range:
        """Returns its items."""
        return range(self.first, self.end)

    @property
    def paths(self) -> tuple[str, ...]:
        """Returns its files, the mark among them."""
        return f"{_stem(self.key, self.items, self.attempt)}.json", *(part.path for part in self.parts)


def write_slice(
    store: Store,
    key: str,
    items: range,
    tables: "Mapping[str, Rows]",
    context: Context,
    seconds: Mapping[str, float],
    attempt: str = "",
) -> Slice:
    """Writes the rows of some items of a unit, and last the mark; raises as `write_tables` does."""
    from pipelines.store.parquet import parquet_bytes
    from pipelines.store.reports.rows import to_arrow

    stem, parts = _stem(key, items, attempt), []
    shared = {**context.model_dump(), "schema_version": SCHEMA_VERSION}
    for table, rows in tables.items():
        data = parquet_bytes(to_arrow(table, rows, shared))
        digest = sha256(data)
        path = f"{stem}.{table}.{digest[:12]}.parquet"
        store.write(path, data)
        parts.append(Part(table=table, path=path, rows=len(rows), sha256=digest))
    mark = Slice(
        key=key,
        attempt=attempt,
        first=items.start,
        end=items.stop,
        world=context.world,
        parts=tuple(parts),
        seconds=dict(seconds),
    )
    store.write(f"{stem}.json", seal(mark.model_dump_json(indent=1).encode()))
    return mark


def read_mark(store: Store, key: str, items: range, attempt: str = "") -> Slice | None:
    """Returns the mark of a slice; None where it is not done, or it or a file of it is lost or damaged."""
    return _whole(store, f"{_stem(key, items, attempt)}.json")


def slices_of(store: Store, key: str, attempt: str = "") -> list[Slice]:
    """Returns those slices of a unit, or of an attempt at it, that are whole and together have the most of its items.

    They are in the order of their items, none of which is in two of them: evaluations at once may have divided the unit
    in several ways.
    """
    paths = [path for path in _files(store, key, attempt) if MARK.fullmatch(path)]
    return _most_items([one for path in paths if (one := _whole(store, path)) is not None])


def _most_items(slices: Sequence[Slice]) -> list[Slice]:
    """Returns slices with the most items of which no two share one, by the best choices among those that end first."""
    ordered = sorted(slices, key=lambda one: (one.end, one.first))
    ends = [one.end for one in ordered]
    # Of the first n slices: the most items. Beside the last of them: how many slices end before it begins.
    most, before = [0], []
    for n, one in enumerate(ordered):
        before.append(bisect_right(ends, one.first, hi=n))
        most.append(max(most[n], most[before[n]] + len(one.items)))
    chosen, n = [], len(ordered)
    while n:
        if most[n] == most[n - 1]:
            n -= 1
        else:
            chosen.append(ordered[n - 1])
            n = before[n - 1]
    return chosen[::-1]


def missing_items(slices: Sequence[Slice], count: int) -> list[range]:
    """Returns the items of a unit of so many that are in none of its slices, as `slices_of` gives them."""
    gaps, done = [], 0
    for one in slices:
        gaps.append(range(done, one.first))
        done = one.end
    return [gap for gap in (*gaps, range(done, count)) if gap]


def read_slice(store: Store, mark: Slice) -> dict[str, list[dict[str, Any]]]:
    """Returns the rows of a slice by table, with the table's own columns; a missing value is None.

    Raises:
        LostSliceError: a file is lost or damaged.
    """
    from pipelines.store.reports.rows import from_parquet
    from pipelines.store.reports.schema import row_columns

    tables: dict[str, list[dict[str, Any]]] = {}
    for part in mark.parts:
        data = read_if_there(store, part.path)
        if data is None or not part.fits(data):
            raise LostSliceError(f"{store.address(part.path)} is lost or damaged; evaluate again")
        columns = [column.name for column in row_columns(part.table)]
        tables[part.table] = from_parquet(data, part.table, columns).to_pylist()
    return tables


def delete_slices(store: Store, key: str, attempt: str = "") -> None:
    """Deletes the slices of a unit that any evaluation may use, or those of one attempt, their marks first."""
    for path in _files(store, key, attempt):
        store.delete(path)


def slice_paths(store: Store, key: str) -> list[str]:
    """Returns the files of all slices of a unit, also of attempts; marks first, without which the rest is no slice."""
    return sorted(store.list(f"{SLICES}/{key}/"), key=lambda path: (not path.endswith(".json"), path))


def sliced_units(store: Store) -> dict[str, list[str]]:
    """Returns the files of slices by the key of their unit."""
    found: dict[str, list[str]] = {}
    for path in store.list(f"{SLICES}/"):
        # A run may be called `slices`, whose page lies beside the folders.
        if file := FILE.fullmatch(path):
            found.setdefault(file["key"], []).append(path)
    return found


def is_of_attempt(path: str) -> bool:
    """Returns whether a file of a slice is an attempt's own."""
    file = FILE.fullmatch(path)
    return file is not None and file["attempt"] is not None


def parse_mark(store: Store, path: str, data: bytes) -> Slice:
    """Returns the mark that some bytes are.

    Raises:
        InfraError: they are not those that were written.
    """
    try:
        mark = Slice.model_validate_json(unseal(data))
        if mark.paths[0] != path:
            raise ValueError("it is the mark of another slice")
    except (ValidationError, ValueError) as error:
        raise InfraError(f"{store.address(path)} is damaged; evaluate again") from error
    return mark


def damaged_files(store: Store, mark: Slice) -> Iterator[Part]:
    """Yields the files of a slice that are lost or damaged."""
    for part in mark.parts:
        data = read_if_there(store, part.path)
        if data is None or not part.fits(data):
            yield part


def _whole(store: Store, path: str) -> Slice | None:
    data = read_if_there(store, path)
    try:
        mark = None if data is None else parse_mark(store, path, data)
    except InfraError:
        return None
    if mark is None or mark.schema_version != SCHEMA_VERSION or any(damaged_files(store, mark)):
        return None
    return mark


def _files(store: Store, key: str, attempt: str) -> list[str]:
    """Returns the files of an attempt's slices, or of those of none, the marks first."""
    paths = slice_paths(store, key)
    return [path for path in paths if (file := FILE.fullmatch(path)) and (file["attempt"] or "") == attempt]


def _stem(key: str, items: range, attempt: str) -> str:
    return "/".join(filter(None, (SLICES, key, attempt, f"{items.start}-{items.stop}")))
