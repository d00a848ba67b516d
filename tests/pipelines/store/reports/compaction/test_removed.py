"""`jepa rm` of a run and of a model in a compacted store, cut off at any step, and while others compact."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.store.inventory import inventory
from pipelines.store.removal import Kind, kinds_of, plan_removal, remove
from pipelines.store.reports import committed_units, plan_run
from pipelines.store.reports.compaction.compact import compact
from pipelines.store.reports.verify import verify_reports
from pipelines.store.verify import verify_store
from tests.pipelines.store.reports.compaction.stage import Killed, copied, in_all_ways, of_glob, planned, put, watched
from tests.pipelines.store.test_model_handle import committed

KEYS = [*"abcde"]
LEFT = {"a": 1, "c": 2}
"""What is left of rows without the run `r1`, which did these for another run, or lists what that one lists."""
ROWS = {("a/0", 1), ("a/1", 1), ("c/0", 2), ("c/1", 2)}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Two runs, one of each model, with compacted and loose units and plans; one unit is of both."""
    store = open_store(str(tmp_path_factory.mktemp("store")))
    for number in (0, 1):
        committed(store, number, f"m{number}")
    plan_run(store, "r0", ["a", "c"], {})
    plan_run(store, "r1", ["b", "c"], {})
    put(store, "a", 1, run="r0")
    put(store, "b", 1, run="r1", model="m1")
    put(store, "c", 1, run="r1")
    compact(store)
    plan_run(store, "r1", ["d", "e", "not done"], {})
    put(store, "c", 2, run="r1", force=True)
    put(store, "d", 1, run="r1", model="m1")
    put(store, "e", 1, run="r1", model="m1")
    store.write("reports/r1/report.html", b"<html></html>")
    return store


@pytest.fixture
def fresh(prepared: Store, tmp_path: Path) -> Callable[[], Store]:
    """Gives another copy of the prepared store each time."""
    numbers: Iterator[int] = iter(range(10**6))
    return lambda: copied(prepared, tmp_path / f"copy-{next(numbers)}")


def killed(store: Store, kind: Kind, name: str, at: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Removes something, is killed before step `at`, and returns whether it was."""
    removal = plan_removal(store, kind, name)

    def kill(number: int, operation: str, path: str) -> None:
        if number == at:
            raise Killed(operation, path)

    with watched(monkeypatch, kill):
        try:
            remove(store, removal)
        except Killed:
            return True
    return False


def test_a_run_whose_removal_is_cut_off_at_any_step_goes_wholly_and_takes_nothing_else(
    fresh: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    at, cut = 0, True
    while cut:
        store = fresh()
        cut = killed(store, "run", "r1", at, monkeypatch)
        seen = in_all_ways(store, KEYS)
        assert LEFT.items() <= seen.items() and planned(store)["r0"] == [("a", "c")], f"cut off at step {at}"
        assert verify_store(store).ok
        of_model = [unit for unit in committed_units(store) if unit.model == "m1"]
        if of_model:
            with pytest.raises(InputError, match="run 'r1' holds figures of it"):
                plan_removal(store, "model", "m1")
        if "run" in kinds_of(store, "r1"):
            remove(store, plan_removal(store, "run", "r1"))
        else:
            assert not of_model and "reports/r1/report.html" not in store.list(), f"cut off at step {at}"
        compact(store)
        assert in_all_ways(store, KEYS) == LEFT, f"cut off at step {at}"
        # `c` was done for it, and stays for the other one that lists it: as a name, so does the run.
        assert planned(store) == {"r0": [("a", "c")]} and set(of_glob(store)) == ROWS
        assert len(store.list("reports/")) == 8 and verify_store(store).ok
        at += 1
    assert at > 20


def test_a_model_whose_removal_is_cut_off_at_any_step_goes_wholly_and_takes_no_figures(
    fresh: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    at, cut = 0, True
    while cut:
        store = fresh()
        remove(store, plan_removal(store, "run", "r1"))
        reports = {path: store.read(path) for path in store.list("reports/")}
        cut = killed(store, "model", "m1", at, monkeypatch)
        held = inventory(store)
        assert held.damaged == () and verify_reports(store).ok, f"cut off at step {at}"
        # Once its first file is gone nothing takes it for whole.
        whole = [entry.model.partition("@")[0] for entry in held.models]
        assert whole in (["m0", "m1"] if at == 0 else [], ["m0"]), f"cut off at step {at}"
        if cut:
            assert kinds_of(store, "m1") == ["model"]
            remove(store, plan_removal(store, "model", "m1"))
        assert kinds_of(store, "m1") == [] and [entry.model[:2] for entry in inventory(store).models] == ["m0"]
        assert {path: store.read(path) for path in store.list("reports/")} == reports
        at += 1
    assert at == 6


@pytest.mark.parametrize("compacted", [False, True], ids=["never compacted before", "compacted before"])
def test_what_is_removed_at_any_step_of_a_compaction_does_not_come_back(
    compacted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the first generation nothing says that a unit was removed, and who compacts may have read all of it."""
    steps, at = 1, 0
    while at < steps:
        store = open_store(str(tmp_path / f"{at}"))
        put(store, "x", 1, run="other")
        if compacted:
            compact(store)
        for key in "ab":
            put(store, key, 1, run=f"r-{key}")
            plan_run(store, f"r-{key}", [key, "x"], {})

        def other(number: int, operation: str, path: str, at: int = at, store: Store = store) -> None:
            if number == at:
                remove(store, plan_removal(store, "run", "r-a"))

        with watched(monkeypatch, other) as taken:
            compact(store)
        for _ in range(2):
            assert in_all_ways(store, ["x", "a", "b"]) == {"x": 1, "b": 1}, f"at step {at}"
            assert planned(store) == {"r-b": [("b", "x")]} and verify_store(store).ok, f"at step {at}"
            compact(store)
        assert len(store.list("reports/")) == 8
        steps, at = len(taken), at + 1


def test_a_compaction_that_begins_while_a_run_is_removed_does_not_bring_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, at = 1, 0
    while at < steps:
        store = open_store(str(tmp_path / f"{at}"))
        for key in "ab":
            put(store, key, 1, run=f"r-{key}")
            plan_run(store, f"r-{key}", [key], {})
        removal = plan_removal(store, "run", "r-a")

        def other(number: int, operation: str, path: str, at: int = at, store: Store = store) -> None:
            if number == at:
                compact(store)

        with watched(monkeypatch, other) as taken:
            remove(store, removal)
        assert in_all_ways(store, ["a", "b"]) == {"b": 1} and planned(store) == {"r-b": [("b",)]}, f"at step {at}"
        steps, at = len(taken), at + 1
