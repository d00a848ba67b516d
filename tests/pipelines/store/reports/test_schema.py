"""The schema: three tables for all, and those that evaluations declare."""

import pytest

from jepa.core.errors import InputError
from jepa.evaluation.declarations import Column, Table
from jepa.evaluation.evaluation import EVALUATIONS, Evaluation
from pipelines.store.reports.schema import row_columns, table_schema, tables
from tests.narrow import present


def test_tables_are_those_for_all_and_those_of_the_evaluations() -> None:
    assert list(tables())[:3] == ["metrics", "training", "claims"]
    of_evaluations = {
        "episodes",
        "films",
        "steps",
        "doses",
        "predictions",
        "pictures",
        "spectrum",
        "geometry",
        "regret_problems",
        "regret_candidates",
    }
    assert set(tables()) == {"metrics", "training", "claims", "shifts", *of_evaluations}
    assert row_columns("steps")[0].name == "split"
    with pytest.raises(InputError, match="report table 'luck' is not known; choose one of: metrics, training"):
        row_columns("luck")


def test_every_column_has_a_meaning_and_stands_once() -> None:
    for table in tables():
        schema = table_schema(table)
        assert len(set(schema.names)) == len(schema.names)
        assert all(present(field.metadata)[b"meaning"] for field in schema)
        assert schema.names[0] == "run" and schema.names[-1] == "schema_version"


def test_two_evaluations_may_share_a_table_but_not_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Table("steps", (Column("split", "string", "mine"),))
    kind = type("Luck", (Evaluation,), {"tables": (mine,)})
    monkeypatch.setitem(EVALUATIONS._entries, "luck", kind)
    with pytest.raises(InputError, match="declares the table 'steps', which another one declares"):
        tables()
    monkeypatch.setattr(kind, "tables", EVALUATIONS.get("surprise").tables)
    assert "steps" in tables()
