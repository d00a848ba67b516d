"""How programs that know nothing of us read a table: which files, and which rows of them do not count any more."""

from infra.storage import Store
from jepa.core.config import Config
from pipelines.store.reports.manifest import Part
from pipelines.store.reports.schema import table_columns
from pipelines.store.reports.units import committed_at_once


class FileOfTable(Config):
    """A file that holds rows of a table."""

    address: str
    rows: int
    """that count"""
    superseded: int = 0
    """that do not: their unit was evaluated again, or removed"""
    dead: tuple[tuple[int, int], ...] = ()
    """the first of the rows that do not count, and the one after the last, from 0 on"""


class TableView(Config):
    """A table as it is at this moment."""

    table: str
    files: tuple[FileOfTable, ...]
    sql: str
    """what DuckDB reads each row of the table once with; a file of it that is gone by then makes it fail"""


def view_of(store: Store, table: str) -> TableView:
    """Returns the files of a table, and the query that reads each row once.

    Raises:
        InputError: there is no such table.
        InfraError: a manifest, or the index of what is compacted, is damaged.
    """
    columns = [column.name for column in table_columns(table)]
    by_file: dict[str, list[Part]] = {}
    units, compacted = committed_at_once(store)
    for unit in units:
        for part in unit.parts:
            if part.table == table:
                by_file.setdefault(part.path if part.place is None else part.place.path, []).append(part)
    # Of the same moment as the units: by the next generation's sizes the dead rows of this one's files would count.
    sizes = {} if compacted is None else {file.path: file.rows for file in compacted.generation.files}
    files = tuple(_file(store, path, by_file[path], sizes.get(path)) for path in sorted(by_file))
    return TableView(table=table, files=files, sql=_sql(files, columns))


def _file(store: Store, path: str, parts: list[Part], size: int | None) -> FileOfTable:
    """Returns a file with the ranges of its rows that are of none of the parts; `size` is how many it has in all."""
    rows = sum(part.rows for part in parts)
    spans = sorted((part.place.first, part.place.first + part.rows) for part in parts if part.place is not None)
    dead, done = [], 0
    for first, end in (*spans, *([(size, size)] if size is not None else [])):
        if first > done:
            dead.append((done, first))
        done = max(done, end)
    superseded = sum(end - first for first, end in dead)
    return FileOfTable(address=store.address(path), rows=rows, superseded=superseded, dead=tuple(dead))


def _sql(files: tuple[FileOfTable, ...], columns: list[str]) -> str:
    """Returns a query of DuckDB; a table without files has no rows, and no types either."""
    if not files:
        return "SELECT " + ", ".join(f'NULL AS "{name}"' for name in columns) + " WHERE false"
    listed = ", ".join(_text(file.address) for file in files)
    dead = " OR ".join(
        f"(filename = {_text(file.address)} AND file_row_number >= {first} AND file_row_number < {end})"
        for file in files
        for first, end in file.dead
    )
    source = f"read_parquet([{listed}], union_by_name = true, hive_partitioning = false"
    if not dead:
        return f"SELECT * FROM {source})"
    numbered = f"{source}, filename = true, file_row_number = true)"
    return f"SELECT * EXCLUDE (filename, file_row_number) FROM {numbered} WHERE NOT ({dead})"


def _text(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
