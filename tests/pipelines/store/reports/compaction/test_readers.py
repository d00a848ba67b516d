"""Readers between whose single steps a store is compacted, and frames that were opened before that."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.storage import Store, open_store
from infra.storage.local import LocalStore
from pipelines.store.reports import committed_units, read_table, read_unit
from pipelines.store.reports.compaction.compact import compact
from pipelines.store.reports.tables import ReportFileGoneError
from tests.pipelines.store.reports.compaction.stage import InTurn, put, seen

OPERATIONS = ("read", "stamps", "list", "exists")
KEYS = [*"abc"]


def test_a_frame_that_was_opened_before_finds_its_rows_where_they_lie_now(store: Store) -> None:
    for key in KEYS:
        put(store, key, 1)
    loose = read_table(store, "metrics")
    compact(store)
    once = read_table(store, "metrics")
    put(store, "d", 1)
    put(store, "c", 2, force=True)
    compact(store)
    # Nothing of it was read so far; `c` was done again, and its rows are those of nobody now.
    for frame in (loose, once):
        with pytest.raises(ReportFileGoneError, match="was evaluated again meanwhile; read again"):
            frame.compute()
    unchanged = read_table(store, "metrics", units=[unit for unit in committed_units(store) if unit.key != "c"])
    put(store, "e", 1)
    compact(store)
    assert seen(unchanged.compute()) == {"a": 1, "b": 1, "d": 1}


READS: dict[str, Callable[[Store], object]] = {
    "all units": lambda store: {unit.key for unit in committed_units(store)} == {*KEYS},
    "a unit": lambda store: read_unit(store, "a") is not None,
}


@pytest.mark.parametrize("compacted", [False, True], ids=["never compacted before", "compacted before"])
@pytest.mark.parametrize("read", READS)
def test_whatever_is_compacted_between_two_steps_of_a_reader_it_misses_nothing(
    read: str, compacted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, at = 1, 0
    while at < steps:
        store = open_store(str(tmp_path / f"{at}"))
        put(store, "a", 1)
        if compacted:
            compact(store)
        for key in "bc":
            put(store, key, 1)
        taken: list[str] = []
        with monkeypatch.context() as patch:
            for name in OPERATIONS:
                patch.setattr(LocalStore, name, before(getattr(LocalStore, name), taken, at))
            patch.setattr("os.fsync", lambda descriptor: None)
            for module in ("units", "runs.plans", "compaction.compact", "compaction.sweep"):
                patch.setattr(f"pipelines.store.reports.{module}.ThreadPool", InTurn)
            assert READS[read](store), f"{read} at step {at}, before {taken[at:][:1]}"
        steps, at = min(len(taken), 12), at + 1


def before(real: Callable[..., Any], taken: list[str], at: int) -> Callable[..., Any]:
    """Returns an operation of a store before whose step of this number the store is compacted."""

    def operation(self: LocalStore, path: str = "") -> Any:
        if "busy" not in taken:
            taken.append(path)
            if len(taken) == at + 1:
                taken.append("busy")
                compact(self)
                taken.remove("busy")
        return real(self, path)

    return operation
