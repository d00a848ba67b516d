"""Writes the report tables and reads them back as Dask frames.

A unit of work (one evaluation of one model, one training) writes a file for each of its tables and then one manifest
that names them, the only thing that makes them visible: readers see a unit whole or not at all. File names follow from
the unit's key, so a unit that was killed and done again overwrites its own files and leaves no second copy of a row.
"""

import io
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from infra.storage import Store, open_store
from jepa.core.config import Config
from jepa.core.errors import InputError
from pipelines.store.reports.schema import SCHEMA_VERSION, SchemaError, row_columns, table_schema

if TYPE_CHECKING:
    import dask.dataframe as dd

Rows = Sequence[Mapping[str, Any]]

MANIFESTS = "reports/manifests"
PARTS_PER_PARTITION = 16
"""A unit's file is small; several of them make a partition that is worth a Dask task."""
READERS = 16
"""Threads that read manifests and parts: what is waited for is an object store's latency, not its bandwidth."""


class Context(Config):
    """What the rows of one unit of work have in common."""

    run: str = Field(min_length=1)
    """Id of the run."""
    model: str = ""
    """Name of the model; empty where a table is about a dataset alone."""
    dataset: str = ""
    """Name of the dataset."""
    world: str = ""
    """Registered name of the world."""
    code_version: str
    """Version of the code."""
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    """When the unit was made."""


class Part(Config):
    """One committed file of one table."""

    table: str
    path: str
    rows: int


class UnitManifest(Config):
    """What a unit of work wrote; it exists when all of its parts do."""

    key: str
    schema_version: int
    run: str
    model: str
    dataset: str
    world: str
    code_version: str
    created_at: datetime
    parts: tuple[Part, ...]


def write_tables(store: Store, tables: Mapping[str, Rows], key: str, context: Context) -> UnitManifest:
    """Writes the tables of one unit of work and commits them together.

    Args:
        store: where to.
        tables: rows by table; a row holds the table's own columns (`schema.TABLES`), optional ones may be left out.
        key: names the unit; the same key is the same unit, whose first commit stands. It should hold the run and
            whatever else tells units apart.
        context: the columns that all rows share.

    Returns:
        The manifest that stands in the store.

    Raises:
        SchemaError: a row has a column that the schema does not know, lacks one that it needs, or has a wrong type.
        InputError: the key has characters that a file name should not have, or a table is not known.
    """
    _check_key(key)
    arrow_tables = {table: to_arrow(table, rows, context) for table, rows in tables.items()}
    if committed := read_unit(store, key):
        return committed
    parts = []
    for table, arrow in arrow_tables.items():
        path = f"reports/kind={table}/part-{key}.parquet"
        store.write(path, _parquet_bytes(arrow))
        parts.append(Part(table=table, path=path, rows=arrow.num_rows))
    manifest = UnitManifest(key=key, schema_version=SCHEMA_VERSION, parts=tuple(parts), **context.model_dump())
    store.write_if_absent(_manifest_path(key), manifest.model_dump_json(indent=1).encode())
    # Where another worker did the same unit and committed first, its manifest names the same files.
    return read_unit(store, key) or manifest


def write_table(store: Store, table: str, rows: Rows, key: str, context: Context) -> UnitManifest:
    """Writes one table as a unit of its own, `<key>-<table>`; see `write_tables`."""
    return write_tables(store, {table: rows}, f"{key}-{table}", context)


def read_unit(store: Store, key: str) -> UnitManifest | None:
    """Returns the manifest of a committed unit of work, None where it is not done yet."""
    path = _manifest_path(key)
    return UnitManifest.model_validate_json(store.read(path)) if store.exists(path) else None


def committed_units(store: Store | str) -> list[UnitManifest]:
    """Returns the manifests of all committed units, in order of their keys."""
    store = _opened(store)
    paths = [path for path in store.list(f"{MANIFESTS}/") if path.endswith(".json")]
    with ThreadPoolExecutor(READERS) as pool:
        return [UnitManifest.model_validate_json(data) for data in pool.map(store.read, paths)]


def committed_parts(store: Store | str, table: str, run: str | None = None) -> list[str]:
    """Returns the paths of a table's committed files within the store, of one run or of all.

    Raises:
        SchemaError: a file was written with another version of the schema.
        InputError: there is no such table.
    """
    row_columns(table)
    paths = []
    for unit in committed_units(store):
        if run is not None and unit.run != run:
            continue
        if unit.schema_version != SCHEMA_VERSION:
            raise SchemaError(
                f"report unit {unit.key!r} has schema version {unit.schema_version}, this code reads {SCHEMA_VERSION}; "
                f"use the code version {unit.code_version} that wrote it, or evaluate again"
            )
        paths += [part.path for part in unit.parts if part.table == table]
    return paths


def read_table(
    store: Store | str, table: str, columns: Sequence[str] | None = None, run: str | None = None
) -> "dd.DataFrame":
    """Returns a table of the store as a Dask DataFrame with the fixed schema, however many files there are, even none.

    Args:
        store: a store or its URI.
        table: `metrics`, `episodes`, `steps`, `predictions`, `pictures` or `training`.
        columns: those to read; all by default. Dask also leaves out of itself what a query does not use.
        run: read this run alone.

    Raises:
        InputError: there is no such table or column.
    """
    import dask.dataframe as dd  # workers write tables and never read them: they are spared its import

    store = _opened(store)
    names = table_schema(table).names
    if unknown := [column for column in columns or () if column not in names]:
        raise InputError(f"column {unknown[0]!r} is not in report table {table!r}; choose from: {', '.join(names)}")
    paths = committed_parts(store, table, run)
    partitions = [paths[i : i + PARTS_PER_PARTITION] for i in range(0, len(paths), PARTS_PER_PARTITION)] or [[]]
    meta = _to_pandas(table_schema(table).empty_table())
    frame = dd.from_map(read_parts, partitions, uri=store.uri, table=table, columns=None, meta=meta)
    return frame[list(columns)] if columns is not None else frame


def read_parts(paths: Sequence[str], uri: str, table: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Returns some files of a table as one pandas frame; a Dask worker calls it, on whatever machine it runs."""
    schema = table_schema(table)
    wanted = schema if columns is None else pa.schema([schema.field(column) for column in columns])
    filesystem, root = open_store(uri).arrow()

    def read(path: str) -> pa.Table:
        # Opened as one file: the `kind=` in the path would otherwise come back as a column.
        with filesystem.open_input_file(f"{root}/{path}") as file:
            return pq.read_table(file, columns=wanted.names).cast(wanted)

    with ThreadPoolExecutor(min(READERS, len(paths) or 1)) as pool:
        tables = list(pool.map(read, paths))
    return _to_pandas(pa.concat_tables(tables) if tables else wanted.empty_table())


def to_arrow(table: str, rows: Rows, context: Context) -> pa.Table:
    """Returns rows as an Arrow table with the fixed schema.

    Raises:
        SchemaError: a row has a column that the schema does not know, lacks one that it needs, or has a wrong type.
        InputError: there is no such table.
    """
    own = row_columns(table)
    known, needed = {c.name for c in own}, {c.name for c in own if not c.optional}
    for index, row in enumerate(rows):
        if unknown := row.keys() - known:
            raise SchemaError(f"row {index} of table {table!r} has columns that its schema lacks: {sorted(unknown)}")
        if missing := {name for name in needed if row.get(name) is None}:
            raise SchemaError(f"row {index} of table {table!r} lacks the columns {sorted(missing)}")
    shared = {**context.model_dump(), "schema_version": SCHEMA_VERSION}
    arrays = []
    for column in table_schema(table):
        given = column.name in known
        values = [_plain(row.get(column.name)) if given else shared[column.name] for row in rows]
        try:
            # Arrow itself would cut a fraction off without a word.
            if pa.types.is_integer(column.type) and not all(isinstance(value, int | None) for value in values):
                raise TypeError(f"got {next(value for value in values if not isinstance(value, int | None))!r}")
            arrays.append(pa.array(values, type=column.type))
        except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, OverflowError) as error:
            raise SchemaError(f"column {column.name!r} of table {table!r} should be {column.type}: {error}") from error
    return pa.Table.from_arrays(arrays, schema=table_schema(table))


def _plain(value: Any) -> Any:
    """Returns numpy arrays and scalars as what Arrow takes."""
    return value.tolist() if hasattr(value, "tolist") else value


def _parquet_bytes(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _to_pandas(table: pa.Table) -> pd.DataFrame:
    """Returns numpy columns for numbers, Arrow-backed ones for text, bytes and lists, the same for no rows and many."""
    text = pd.StringDtype("pyarrow")

    def dtype(arrow_type: pa.DataType) -> Any:
        if pa.types.is_string(arrow_type):
            return text
        return pd.ArrowDtype(arrow_type) if pa.types.is_list(arrow_type) or pa.types.is_binary(arrow_type) else None

    return table.to_pandas(types_mapper=dtype)


def _opened(store: Store | str) -> Store:
    return open_store(store) if isinstance(store, str) else store


def _manifest_path(key: str) -> str:
    return f"{MANIFESTS}/{key}.json"


def _check_key(key: str) -> None:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._=-]*", key):
        raise InputError(
            f"report key {key!r} should be letters, digits, '.', '_', '=' and '-', a letter or digit first"
        )
