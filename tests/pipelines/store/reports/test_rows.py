"""Rows: refused by name where they do not fit, and read with the schema of today whatever the file's was."""

import math

import pyarrow as pa
import pytest

from pipelines.store.parquet import parquet_bytes
from pipelines.store.reports import SCHEMA_VERSION, SchemaError
from pipelines.store.reports.rows import from_parquet, to_arrow, to_pandas
from pipelines.store.reports.schema import CONTEXT_COLUMNS, row_columns, table_schema
from tests.narrow import present
from tests.pipelines.reports import synthetic

SHARED = {**synthetic.context().model_dump(), "schema_version": SCHEMA_VERSION}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"valeu": 1.0}, "its schema lacks.*valeu"),
        ({"run": "mine"}, "its schema lacks.*run"),
        ({"value": None}, "lacks the columns.*value"),
        ({"value": "high"}, "column 'value'.*float"),
        ({"n": 0.5}, "column 'n'.*int"),
        ({"planner": 3}, "column 'planner'.*string"),
    ],
)
def test_rows_that_do_not_fit_are_refused_by_name(change: dict[str, object], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        to_arrow("metrics", [{**synthetic.planning_metrics()[0], **change}], SHARED)


def test_a_row_that_lacks_a_needed_column_is_refused() -> None:
    for column in row_columns("metrics"):
        row = {name: value for name, value in synthetic.planning_metrics()[0].items() if name != column.name}
        if column.optional:
            assert to_arrow("metrics", [row], SHARED)[column.name].null_count == 1
        else:
            with pytest.raises(SchemaError, match=column.name):
                to_arrow("metrics", [row], SHARED)


def test_a_missing_interval_is_null_and_not_a_number_that_is_none() -> None:
    nan = float("nan")
    row = synthetic.metric("latent", "sigreg", 1.5, ci_low=nan, ci_high=nan)
    table = to_arrow("metrics", [row, {**row, "value": nan}], SHARED)
    assert table["ci_low"].to_pylist() == table["ci_high"].to_pylist() == [None, None]
    # A figure itself may come out as not a number: a training that diverged says so.
    assert table["value"].null_count == 0 and math.isnan(present(table["value"].to_pylist()[1]))


def test_a_file_from_before_a_column_was_added_reads_as_null_there() -> None:
    whole = to_arrow("metrics", synthetic.planning_metrics(), SHARED)
    optional = [column.name for column in CONTEXT_COLUMNS if column.optional]
    assert optional == [
        "model_digest",
        "dataset_version",
        "dataset_digest",
        "protocol_digest",
        "evaluation_version",
        "problems_digest",
        "training_step",
        "factor",
        "factor_value",
    ]
    read = from_parquet(parquet_bytes(whole.drop_columns(optional)), "metrics")
    assert read.schema == table_schema("metrics")
    assert all(read[name].null_count == len(whole) for name in optional)
    assert read.drop_columns(optional) == whole.drop_columns(optional)
    assert to_pandas(read).dtypes.equals(to_pandas(whole).dtypes)


def test_a_column_that_later_code_adds_is_left_out() -> None:
    whole = to_arrow("metrics", synthetic.planning_metrics(), SHARED)
    more = whole.append_column("hue", pa.array(["red"] * len(whole)))
    assert from_parquet(parquet_bytes(more), "metrics") == whole


def test_a_file_that_lacks_what_every_row_needs_is_refused() -> None:
    less = to_arrow("metrics", synthetic.planning_metrics(), SHARED).drop_columns(["value", "unit"])
    with pytest.raises(SchemaError, match=r"lacks the columns \['value', 'unit'\]"):
        from_parquet(parquet_bytes(less), "metrics")
