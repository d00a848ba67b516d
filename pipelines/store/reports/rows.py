"""Rows as Arrow tables of the fixed schema, read back from Parquet files and as pandas frames."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from jepa.evaluation.declarations import Column
from pipelines.store.parquet import open_parquet, read_parquet
from pipelines.store.reports.schema import ARROW_TYPES, SchemaError, row_columns, table_columns, table_schema

if TYPE_CHECKING:
    from pyarrow.parquet import ParquetFile

Rows = Sequence[Mapping[str, Any]]


def to_arrow(table: str, rows: Rows, shared: Mapping[str, Any]) -> pa.Table:
    """Returns rows as an Arrow table with the fixed schema.

    Args:
        table: name of the table.
        rows: each with the table's own columns; optional ones may be left out, and a NaN in them is a missing value.
        shared: the values of the context and provenance columns.

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
    arrays = []
    for column in table_columns(table):
        values = [_plain(row.get(column.name), column) if column.name in known else shared[column.name] for row in rows]
        try:
            arrays.append(_array(values, column))
        except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, OverflowError) as error:
            raise SchemaError(f"column {column.name!r} of table {table!r} should be {column.type}: {error}") from error
    return pa.Table.from_arrays(arrays, schema=table_schema(table))


def from_parquet(data: bytes, table: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Returns some columns of a table's file, by default all, with the schema of today.

    Optional columns that were added after the file was written are null.

    Raises:
        SchemaError: it lacks a column that every row needs, or a value of it, or holds values of another type.
        pa.ArrowException, OSError: it is no Parquet file.
    """
    schema = wanted_schema(table, columns)
    parquet = open_parquet(data)
    held = _held(parquet, table, schema)
    found = read_parquet(parquet, [name for name in schema.names if name in held])
    arrays = [
        _as_wanted(found[field.name], field, table)
        if field.name in held
        else pa.nulls(parquet.metadata.num_rows, field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def check_parquet(data: bytes, table: str, rows: int) -> None:
    """Passes where a file is one of a table with so many rows.

    Raises:
        SchemaError: it has another number of rows, or `from_parquet` refuses it.
        InputError: there is no such table.
        pa.ArrowException, OSError: it is no Parquet file.
    """
    if (held := len(from_parquet(data, table))) != rows:
        raise SchemaError(f"a file of table {table!r} has {held} rows, and not {rows}")


def _held(parquet: "ParquetFile", table: str, schema: pa.Schema) -> set[str]:
    """Returns the names of a file's columns, among which all are that every row needs."""
    names = parquet.schema_arrow.names
    if lacking := [field.name for field in schema if field.name not in names and not field.nullable]:
        raise SchemaError(f"a file of table {table!r} lacks the columns {lacking}")
    if twice := sorted({name for name in schema.names if names.count(name) > 1}):
        raise SchemaError(f"a file of table {table!r} has the columns {twice} twice")
    return set(names)


def _as_wanted(column: "pa.ChunkedArray[Any]", field: "pa.Field[Any]", table: str) -> "pa.ChunkedArray[Any]":
    try:
        cast = column.cast(field.type)
    except pa.ArrowException as error:
        reason = f"holds {column.type}, which is no {field.type}"
        raise SchemaError(f"column {field.name!r} of a file of table {table!r} {reason}") from error
    if cast.null_count and not field.nullable:
        raise SchemaError(f"column {field.name!r} of a file of table {table!r} lacks {cast.null_count} values")
    return cast


def wanted_schema(table: str, columns: Sequence[str] | None = None) -> pa.Schema:
    """Returns the schema of some columns of a table, by default of all."""
    schema = table_schema(table)
    return schema if columns is None else pa.schema([schema.field(column) for column in columns])


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """Returns numpy columns for numbers, Arrow-backed ones for text, bytes and lists, the same for no rows and many.

    A whole number or a truth value that may be missing has pandas' nullable type: a version is no fraction, and Dask
    would make texts of truth values.
    """
    text = pd.StringDtype("pyarrow")

    def dtype(arrow_type: pa.DataType) -> Any:
        if pa.types.is_string(arrow_type):
            return text
        return pd.ArrowDtype(arrow_type) if pa.types.is_list(arrow_type) or pa.types.is_binary(arrow_type) else None

    frame = table.to_pandas(types_mapper=dtype)
    optional = [field for field in table.schema if field.nullable]
    counted = dict.fromkeys((field.name for field in optional if pa.types.is_integer(field.type)), "Int64")
    said = dict.fromkeys((field.name for field in optional if pa.types.is_boolean(field.type)), "boolean")
    return frame.astype(counted | said)


def _array(values: list[Any], column: Column) -> "pa.Array[Any]":
    # Arrow itself would cut a fraction off without a word.
    if column.type == "int" and not all(isinstance(value, int | None) for value in values):
        raise TypeError(f"got {next(value for value in values if not isinstance(value, int | None))!r}")
    return pa.array(values, type=ARROW_TYPES[column.type])


def _plain(value: Any, column: Column) -> Any:
    """Returns numpy arrays and scalars as what Arrow takes, and no number as no value where none is needed."""
    value = value.tolist() if hasattr(value, "tolist") else value
    return None if column.optional and isinstance(value, float) and math.isnan(value) else value
