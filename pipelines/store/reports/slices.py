"""Slices of units: the finer rows of some items of a unit that several workers share, until the unit is pooled.

They lie in `reports/slices/<key of the unit>/<first>-<end>…`, apart from the tables, so that no reader of these sees
half a unit or a row twice. A slice counts when its mark does, `<first>-<end>.json`, which is written last. A unit that
is committed needs its slices no more.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError

from infra.errors import InfraError
from infra.storage import Store
from jepa.core.config import Config
from pipelines.store.reports.units import Context, Part
from pipelines.store.reports.version import SCHEMA_VERSION
from pipelines.store.sealed import read_if_there, seal, sha256, unseal

if TYPE_CHECKING:
    from pipelines.store.reports.rows import Rows

SLICES = "reports/slices"
MARK = re.compile(rf"{SLICES}/(?P<key>[^/]+)/(?P<first>\d+)-(?P<end>\d+)\.json")
FILE = re.compile(rf"{SLICES}/(?P<key>[^/]+)/\d+-\d+\.[^/]+")


class Slice(Config):
    """The mark of a slice: which items of a unit it has, and its files."""

    key: str
    """of the unit"""
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
        return f"{_stem(self.key, self.items)}.json", *(part.path for part in self.parts)


def write_slice(
    store: Store, key: str, items: range, tables: "Mapping[str, Rows]", context: Context, seconds: Mapping[str, float]
) -> Slice:
    """Writes the rows of some items of a unit, and last the mark; raises as `write_tables` does."""
    from pipelines.store.parquet import parquet_bytes
    from pipelines.store.reports.rows import to_arrow

    stem, parts = _stem(key, items), []
    shared = {**context.model_dump(), "schema_version": SCHEMA_VERSION}
    for table, rows in tables.items():
        data = parquet_bytes(to_arrow(table, rows, shared))
        digest = sha256(data)
        path = f"{stem}.{table}.{digest[:12]}.parquet"
        store.write(path, data)
        parts.append(Part(table=table, path=path, rows=len(rows), sha256=digest))
    mark = Slice(
        key=key,
        first=items.start,
        end=items.stop,
        world=context.world,
        parts=tuple(parts),
        seconds=dict(seconds),
    )
    store.write(f"{stem}.json", seal(mark.model_dump_json(indent=1).encode()))
    return mark


def read_mark(store: Store, key: str, items: range) -> Slice | None:
    """Returns the mark of a slice; None where it is not done, or it or a file of it is lost or damaged."""
    return _whole(store, f"{_stem(key, items)}.json")


def slices_of(store: Store, key: str) -> list[Slice]:
    """Returns the slices of a unit that are whole, in the order of their items, none of which is in two of them."""
    paths = sorted(
        (int(mark["first"]), int(mark["end"]), path)
        for path in store.list(f"{SLICES}/{key}/")
        if (mark := MARK.fullmatch(path))
    )
    found: list[Slice] = []
    for first, _, path in paths:
        if found and first < found[-1].end:
            continue  # two evaluations at once divided the unit in two ways
        if (one := _whole(store, path)) is not None:
            found.append(one)
    return found


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
        InfraError: a file is lost or damaged.
    """
    from pipelines.store.reports.rows import from_parquet
    from pipelines.store.reports.schema import row_columns

    tables: dict[str, list[dict[str, Any]]] = {}
    for part in mark.parts:
        data = read_if_there(store, part.path)
        if data is None or not part.fits(data):
            raise InfraError(f"{store.address(part.path)} is lost or damaged; evaluate again")
        columns = [column.name for column in row_columns(part.table)]
        tables[part.table] = from_parquet(data, part.table, columns).to_pylist()
    return tables


def delete_slices(store: Store, key: str) -> None:
    """Deletes all slices of a unit, their marks first: without them the rest is no slice."""
    for path in slice_paths(store, key):
        store.delete(path)


def slice_paths(store: Store, key: str) -> list[str]:
    """Returns the files of all slices of a unit, the marks first."""
    return sorted(store.list(f"{SLICES}/{key}/"), key=lambda path: (not path.endswith(".json"), path))


def sliced_units(store: Store) -> dict[str, list[str]]:
    """Returns the files of slices by the key of their unit."""
    found: dict[str, list[str]] = {}
    for path in store.list(f"{SLICES}/"):
        # A run may be called `slices`, whose page lies beside the folders.
        if file := FILE.fullmatch(path):
            found.setdefault(file["key"], []).append(path)
    return found


def parse_mark(store: Store, path: str, data: bytes) -> Slice:
    """Returns the mark that some bytes are.

    Raises:
        InfraError: they are not those that were written.
    """
    try:
        mark = Slice.model_validate_json(unseal(data))
        if f"{_stem(mark.key, mark.items)}.json" != path:
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


def _stem(key: str, items: range) -> str:
    return f"{SLICES}/{key}/{items.start}-{items.stop}"
