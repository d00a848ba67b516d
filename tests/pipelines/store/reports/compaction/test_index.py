"""The index of what is compacted gives back the manifests that it was made of, each field and its type."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest

from pipelines.store.parquet import parquet_bytes, read_parquet
from pipelines.store.reports.compaction.index import decoded, encoded
from pipelines.store.reports.manifest import Part, Place, UnitManifest

PLACE = Place("reports/kind=metrics/compacted-000002-0123abcd-0.parquet", "ab" * 32, 7)
PART = Part(table="metrics", path="reports/kind=metrics/part-a.0123456789ab.parquet", rows=3, sha256="cd" * 32)
FACTS: dict[str, Any] = {"run": "r0", "code_version": "1", "schema_version": 1, "key": "a"}
FACTS |= {"created_at": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)}
UNITS = {
    "all fields": {
        **{"model": "m0", "model_digest": "1" * 64, "dataset": "d0", "dataset_version": 2, "dataset_digest": "2" * 64},
        **{"world": "two_room", "protocol_digest": "3" * 64, "evaluation_version": 3, "problems_digest": "4" * 64},
        **{
            "training_step": 500,
            "factor": "door",
            "factor_value": 1.0,
            "heads": ("inverse-1a2b3c4d", "reach-5e6f7a8b"),
        },
        **{"kinds": frozenset({"probing", "latent"}), "revision": 3, "token": "0123abcd"},
    },
    "of earlier code": {"kinds": None},
    "without rows": {"kinds": frozenset(), "parts": ()},
    "a whole second elsewhere": {"created_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=2)))},
}


def unit(**facts: Any) -> UnitManifest:
    return UnitManifest(**{**FACTS, "parts": (PART.model_copy(update={"place": PLACE}),), **facts})


def typed(one: UnitManifest) -> dict[str, Any]:
    return {name: [type(value), value] for name, value in one}


@pytest.mark.parametrize("facts", UNITS.values(), ids=UNITS)
def test_a_unit_comes_out_of_the_index_as_it_went_in(facts: dict[str, Any]) -> None:
    one = unit(**facts)
    found = decoded(encoded([one]))[one.key]
    assert typed(found) == typed(one) and found == one
    assert [(type(part), part, part.place) for part in found.parts] == [(Part, part, part.place) for part in one.parts]
    assert found.name == one.name and found.model_dump_json() == one.model_dump_json()


def test_a_manifest_of_other_code_is_looked_through_as_if_it_lay_loose() -> None:
    def index(**changes: Any) -> bytes:
        table = read_parquet(encoded([unit()]))
        document = {**json.loads(table["manifest"][0].as_py()), **changes}
        document = {name: value for name, value in document.items() if value is not ...}
        return parquet_bytes(table.set_column(3, "manifest", pa.array([json.dumps(document)])))

    assert decoded(index(later="what nobody here knows", heads=...))["a"] == unit()
    with pytest.raises(ValueError, match="heads"):
        decoded(index(later="", heads={"inverse": 1}))
    with pytest.raises(ValueError, match="run"):
        decoded(index(run=...))
