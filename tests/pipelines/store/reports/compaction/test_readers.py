"""Readers between whose single steps a store is compacted, and frames that were opened before that."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.storage import Store, open_store
from infra.storage.local import LocalStore
from pipelines.store.removal import plan_removal, remove
from pipelines.store.reports import committed_units, read_table, read_unit, tables
from pipelines.store.reports.compaction.compact import compact
from pipelines.store.reports.tables import ReportFileGoneError
from pipelines.store.sealed import read_if_there
from tests.pipelines.store.reports.compaction.stage import InTurn, put, seen

OPERATIONS = ("read", "stamps", "list", "exists")
KEYS = [*"abc"]


def test_a_frame_that_was_opened_before_finds_its_rows_where_they_lie_now(store: Store) -> None:
    for key in KEYS:
        put(store, key, 1)
    units = committed_units(store)
    loose, exact = read_table(store, "metrics"), read_table(store, "metrics", units=units)
    compact(store)
    once = read_table(store, "metrics")
    put(store, "d", 1)
    put(store, "c", 2, force=True)
    compact(store)
    # Nothing of it was read so far; `c` was done again, and its rows are those of nobody now.
    for _ in range(2):
        assert seen(loose.compute()) == seen(once.compute()) == {"a": 1, "b": 1, "c": 2}
        # Who asked for these units reads other tables of them, too: the rows must be of the same attempt.
        with pytest.raises(ReportFileGoneError, match="was evaluated again meanwhile; read again"):
            exact.compute()
        put(store, "e", 1)
        compact(store)
    remove(store, plan_removal(store, "run", "r"))
    assert seen(loose.compute()) == {}
    with pytest.raises(ReportFileGoneError, match="is gone"):
        exact.compute()


def test_rows_of_a_removed_run_are_none_and_a_lost_file_is_an_error(store: Store) -> None:
    for key in KEYS:
        put(store, key, 1, run=f"r-{key}")
    metrics, training = read_table(store, "metrics"), read_table(store, "training")
    remove(store, plan_removal(store, "run", "r-a"))
    assert seen(metrics.compute()) == {"b": 1, "c": 1}
    (lost,) = (path for path in store.list("reports/kind=training/") if "part-b" in path)
    store.delete(lost)
    with pytest.raises(ReportFileGoneError, match=f"report file {lost} is gone: lost"):
        training.compute()


def test_a_frame_of_units_that_nobody_does_again_is_read_whatever_is_compacted(store: Store) -> None:
    for key in KEYS:
        put(store, key, 1)
    unchanged = read_table(store, "metrics", units=committed_units(store))
    for key in "de":
        put(store, key, 1)
        compact(store)
        assert seen(unchanged.compute()) == dict.fromkeys(KEYS, 1)


def test_a_frame_is_computed_while_units_are_done_again_and_compacted_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each of its first reads the file that it is about to read goes."""
    store = open_store(str(tmp_path))
    for key in KEYS:
        put(store, key, 1)
    frame = read_table(store, "metrics")
    attempts = iter(range(2, 8))

    def read(store: Store, path: str) -> bytes | None:
        if (attempt := next(attempts, None)) is not None:
            put(store, "a", attempt, force=True)
            compact(store)
        return read_if_there(store, path)

    monkeypatch.setattr(tables, "read_if_there", read)
    assert seen(frame.compute(scheduler="sync")) == {"a": 7, "b": 1, "c": 1}
    assert next(attempts, None) is None


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
