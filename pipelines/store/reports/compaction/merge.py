"""The files of a table that a compaction writes: rows of many units one after the other, units of a model together."""

from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from infra.errors import InfraError
from infra.storage import Store
from pipelines.store.parquet import parquet_bytes
from pipelines.store.reports.compaction.generation import CompactedFile, is_superseded
from pipelines.store.reports.compaction.put import TakenError
from pipelines.store.reports.manifest import Place
from pipelines.store.sealed import read_if_there, sha256

FILE_BYTES = 256 * 2**20
"""In memory, of the rows that make a file; on disk a table of figures has a twentieth of them or less."""
BINARY_BYTES = 64 * 2**20
"""The same of a table with images, which are compressed already: who shows one run reads no more than a file or two."""
ROWS_A_GROUP = 2**14
"""Rows of a group: units are in the order of world, model and evaluation, so that a query passes over most groups."""


class Slot(NamedTuple):
    """A part of a unit, of which a place is looked for."""

    key: str
    part: int
    """its number among the unit's parts"""


class TableFiles:
    """Takes the rows of one table, a part after the other, and writes a file as often as there are enough."""

    def __init__(self, store: Store, table: str, stem: str) -> None:
        """Takes what the names of the files begin with, which nobody else uses."""
        self.places: dict[Slot, Place] = {}
        self.files: list[CompactedFile] = []
        self._store, self._table, self._stem = store, table, stem
        self._chunks: list[pa.Table] = []
        self._waiting: list[tuple[Slot, int]] = []
        self._rows = self._bytes = 0
        self._limit = FILE_BYTES

    def add(self, slot: Slot, rows: pa.Table) -> None:
        """Takes the rows of a part; what is of another schema than those before begins another file."""
        if self._chunks and not rows.schema.equals(self._chunks[0].schema):
            rows = self._as_before(rows)
        if not self._chunks:
            self._limit = BINARY_BYTES if any(pa.types.is_binary(kind) for kind in rows.schema.types) else FILE_BYTES
        self._waiting.append((slot, self._rows))
        self._chunks.append(rows)
        self._rows += len(rows)
        self._bytes += rows.nbytes
        if self._bytes >= self._limit:
            self.flush()

    def _as_before(self, rows: pa.Table) -> pa.Table:
        """Returns rows with the columns of those before, if both can have them without loss; else ends the file."""
        before = self._chunks[0].schema
        try:
            schema = pa.unify_schemas([before, rows.schema])
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            self.flush()
            return rows
        lacking = {*schema.names} - {*before.names}, {*schema.names} - {*rows.schema.names}
        if any(not schema.field(name).nullable for names in lacking for name in names):
            self.flush()
            return rows
        self._chunks = [with_columns(chunk, schema) for chunk in self._chunks]
        return with_columns(rows, schema)

    def flush(self) -> None:
        """Writes what waits as one file, and reads it back.

        Raises:
            TakenError: another compaction was quicker.
            InfraError: what is read is not what was written.
        """
        if not self._chunks:
            return
        table = pa.concat_tables(self._chunks)
        data = parquet_bytes(table, rows_a_group=ROWS_A_GROUP)
        path = f"reports/kind={self._table}/{self._stem}-{len(self.files)}.parquet"
        file = write_checked(self._store, self._table, path, data, len(table))
        self.files.append(file)
        self.places |= {slot: Place(path, file.sha256, first) for slot, first in self._waiting}
        self._chunks, self._waiting, self._rows, self._bytes = [], [], 0, 0


def with_columns(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """Returns rows with the columns of a schema; those that they lack are null."""
    if rows.schema.equals(schema):
        return rows
    columns = [
        rows[field.name] if field.name in rows.schema.names else pa.nulls(len(rows), field.type) for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def write_checked(store: Store, table: str, path: str, data: bytes, rows: int) -> CompactedFile:
    """Writes a file and reads it back: what it takes the place of will be deleted.

    Raises:
        TakenError: it is gone, for another one has put the generation of its number, and swept.
        InfraError: what is read is not what was written.
    """
    store.write(path, data)
    digest = sha256(data)
    found = read_if_there(store, path)
    if found is None and is_superseded(store, path):
        raise TakenError(f"{store.address(path)} is gone: another compaction was quicker")
    if found is None or sha256(found) != digest:
        raise InfraError(f"{store.address(path)} is not what was written; nothing is compacted, try again")
    return CompactedFile(table=table, path=path, rows=rows, sha256=digest, bytes=len(data))


def places_of(tables: Sequence[TableFiles]) -> dict[Slot, Place]:
    """Returns where the rows of all parts lie now."""
    return {slot: place for table in tables for slot, place in table.places.items()}
