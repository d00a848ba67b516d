"""Rows of a table as plain dictionaries, as the cells and the judges of a study know them."""

from collections.abc import Sequence
from typing import Any

from infra.storage import Store
from pipelines.store.reports import UnitManifest, read_table
from pipelines.store.reports.schema import row_columns


def own_rows(store: Store, table: str, units: Sequence[UnitManifest], also: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Returns the rows of some units with the table's own columns, and further ones; what is missing is None."""
    columns = row_columns(table)
    frame = read_table(store, table, units=units).compute()[[*(column.name for column in columns), *also]]
    # A figure that is not a number is a figure, as in a notebook, and no missing one.
    needed = [column.name for column in columns if not column.optional]
    plain = frame.astype(object).where(frame.notna() | frame.columns.isin(needed), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]
