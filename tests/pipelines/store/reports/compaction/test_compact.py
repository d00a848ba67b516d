"""Compaction: whoever reads sees each row once before, after and while it works, and wherever it is cut off."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pandas as pd
import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from pipelines.store.reports import plan_run, read_table, read_unit, read_units
from pipelines.store.reports.compaction import merge
from pipelines.store.reports.compaction.compact import compact, plan_compaction
from pipelines.store.reports.verify import verify_reports
from pipelines.store.sealed import read_if_there
from tests.pipelines.store.reports.compaction.stage import (
    Killed,
    copied,
    in_all_ways,
    of_glob,
    planned,
    put,
    seen,
    watched,
)

KEYS = [*"abcdef"]
RIGHT = {"a": 1, "b": 1, "c": 2, "d": 1, "e": 2, "f": 1}
"""What readers of the prepared store see."""
PLANS = {"p": [("a", "b"), ("e",)], "q": [("f", "not done")]}
"""What units its runs list."""
FILES = 8
"""That are left when all is compacted: of two tables, index, plans and generation, each of these with its copy."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Four units are compacted; of one there is a newer attempt; two lie loose, one done twice. So are plans."""
    store = open_store(str(tmp_path_factory.mktemp("store")))
    for key in "abcd":
        put(store, key, 1)
    plan_run(store, "p", ["a", "b"], {"seed": 0})
    compact(store)
    plan_run(store, "p", ["e"], {"seed": 0})
    plan_run(store, "q", ["f", "not done"], {"seed": 0})
    put(store, "c", 2, force=True)
    put(store, "e", 1)
    put(store, "e", 2, force=True)
    put(store, "f", 1)
    return store


@pytest.fixture
def fresh(prepared: Store, tmp_path: Path) -> Callable[[], Store]:
    """Gives another copy of the prepared store each time."""
    numbers: Iterator[int] = iter(range(10**6))
    return lambda: copied(prepared, tmp_path / f"copy-{next(numbers)}")


def test_a_store_of_many_units_becomes_a_handful_of_files(store: Store) -> None:
    for key in KEYS:
        put(store, key, 1)
    before = {table: read_table(store, table).compute().reset_index(drop=True) for table in ("metrics", "training")}
    assert plan_compaction(store).taken == 6
    made = compact(store)
    assert (made.taken, made.units, made.left) == (6, 6, ())
    files = store.list("reports/")
    assert len(files) == 6 and len([path for path in files if path.startswith("reports/kind=")]) == 2
    for table, frame in before.items():
        after = read_table(store, table).compute().reset_index(drop=True)
        pd.testing.assert_frame_equal(after, frame)
    assert in_all_ways(store, KEYS) == dict.fromkeys(KEYS, 1)
    assert verify_reports(store).ok and not verify_reports(store).unknown
    again = compact(store)
    assert (again.generation, again.taken, again.deleted) == (made.generation, 0, 0), "nothing is left to do"


def test_what_was_done_again_takes_the_place_of_compacted_rows(fresh: Callable[[], Store]) -> None:
    store = fresh()
    assert in_all_ways(store, KEYS) == RIGHT
    assert put(store, "a", 9) == read_unit(store, "a") and in_all_ways(store, KEYS)["a"] == 1, "the first commit stands"
    assert plan_compaction(store).model_dump(include={"taken", "dropped", "plans"}) == {
        **{"taken": 3, "dropped": 4, "plans": 2}
    }
    made = compact(store)
    assert (made.taken, made.dropped, made.units, made.plans) == (3, 4, 6, 2)
    assert in_all_ways(store, KEYS) == RIGHT and planned(store) == PLANS and len(store.list("reports/")) == FILES
    assert of_glob(store) == {(f"{key}/{row}", attempt): 1 for key, attempt in RIGHT.items() for row in (0, 1)}
    assert verify_reports(store).ok


def test_a_reader_at_any_step_sees_each_row_once(fresh: Callable[[], Store], monkeypatch: pytest.MonkeyPatch) -> None:
    store = fresh()
    early = read_table(store, "metrics")  # read only later, when its files are gone
    doubled = []

    def look(number: int, operation: str, path: str) -> None:
        assert in_all_ways(store, KEYS) == RIGHT and planned(store) == PLANS, (number, operation, path)
        assert seen(early.compute()) == RIGHT
        doubled.append(max(of_glob(store).values()))

    with watched(monkeypatch, look):
        compact(store)
    assert seen(early.compute()) == RIGHT
    assert len(doubled) > 15 and max(doubled) == 2 and max(of_glob(store).values()) == 1


def test_cut_off_at_any_step_it_loses_nothing_and_the_next_one_finishes(
    fresh: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends, at = False, 0
    while not ends:
        store, ends = fresh(), True

        def kill(number: int, operation: str, path: str, at: int = at) -> None:
            if number == at:
                raise Killed(operation, path)

        with watched(monkeypatch, kill):
            try:
                compact(store)
            except Killed:
                ends = False
        assert in_all_ways(store, KEYS) == RIGHT and planned(store) == PLANS, f"cut off at step {at}"
        assert verify_reports(store).ok, f"cut off at step {at}"
        compact(store)
        assert in_all_ways(store, KEYS) == RIGHT and planned(store) == PLANS
        assert len(store.list("reports/")) == FILES, store.list("reports/")
        assert max(of_glob(store).values()) == 1
        at += 1
    assert at > 15


def evaluate_much(store: Store) -> None:
    """Adds a unit, and does again one that is compacted, one that is loose, and one that was done again before."""
    put(store, "g", 1)
    for key in "afc":
        put(store, key, 5, force=True)
    for _ in range(2):
        plan_run(store, "p", ["b", "a"], {"seed": 1})
        plan_run(store, "q", ["g"], {"seed": 1})


Act = tuple[Callable[[Store], object], dict[str, int], dict[str, list[tuple[str, ...]]]]
ACTS: dict[str, Act] = {
    "another compaction": (compact, {}, {}),
    "evaluations": (evaluate_much, {"g": 1, "a": 5, "f": 5, "c": 5}, {"q": [("f", "not done"), ("g",)]}),
}
"""What others do, and what changes by it of rows and plans."""


@pytest.mark.parametrize("act", ACTS)
def test_what_others_do_at_any_step_stands(
    act: str, fresh: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    right, plans, keys = RIGHT | ACTS[act][1], PLANS | ACTS[act][2], [*KEYS, "g"]
    steps, at = 1, 0
    while at < steps:
        store = fresh()

        def other(number: int, operation: str, path: str, at: int = at, store: Store = store) -> None:
            if number == at:
                ACTS[act][0](store)
                assert in_all_ways(store, keys) == right and planned(store) == plans, (operation, path)

        with watched(monkeypatch, other) as taken:
            compact(store)
        assert in_all_ways(store, keys) == right and planned(store) == plans, f"at step {at}"
        compact(store)
        assert in_all_ways(store, keys) == right and planned(store) == plans
        assert len(store.list("reports/")) == FILES
        steps, at = len(taken), at + 1


def test_the_first_compaction_of_a_store_and_a_unit_done_again_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then a manifest is overwritten in its place; whoever compacts must neither lose nor shadow it."""
    steps, at = 1, 0
    while at < steps:
        store = open_store(str(tmp_path / f"{at}"))
        for key in "ab":
            put(store, key, 1)

        def first(number: int, operation: str, path: str, at: int = at, store: Store = store) -> None:
            if number == at:
                compact(store)

        with watched(monkeypatch, first) as taken:
            put(store, "a", 2, force=True)
        assert in_all_ways(store, ["a", "b"]) == {"a": 2, "b": 1}, f"at step {at}"
        compact(store)
        assert in_all_ways(store, ["a", "b"]) == {"a": 2, "b": 1} and len(store.list("reports/")) == 6
        steps, at = len(taken), at + 1


@pytest.mark.parametrize("read_back", range(3), ids=["metrics", "training", "the index"])
def test_one_whose_file_another_one_has_swept_begins_again(
    read_back: int, fresh: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, reads = fresh(), count()

    def read(store: Store, path: str) -> bytes | None:
        if next(reads) == read_back:
            compact(store)
        return read_if_there(store, path)

    monkeypatch.setattr(merge, "read_if_there", read)
    compact(store)
    assert next(reads) > read_back and in_all_ways(store, KEYS) == RIGHT and planned(store) == PLANS
    assert len(store.list("reports/")) == FILES


@pytest.mark.parametrize("data", [None, b"other bytes"], ids=["gone", "other bytes"])
def test_one_whose_file_is_not_what_was_written_stops_and_loses_nothing(
    data: bytes | None, fresh: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = fresh()
    with monkeypatch.context() as patch:
        patch.setattr(merge, "read_if_there", lambda store, path: data)
        with pytest.raises(InfraError, match="is not what was written; nothing is compacted"):
            compact(store)
    assert in_all_ways(store, KEYS) == RIGHT and planned(store) == PLANS


def test_a_damaged_compacted_file_is_named_and_its_units_are_done_again(fresh: Callable[[], Store]) -> None:
    store = fresh()
    compact(store)
    path = next(path for path in store.list("reports/kind=metrics/"))
    store.write(path, b"damaged")
    assert [problem.path for problem in verify_reports(store).problems] == [path]
    (sentence,) = compact(store).left
    assert path in sentence and "is damaged: its units are left as they are; evaluate them again" in sentence
    assert not read_units(store, KEYS)
    for key in KEYS:
        put(store, key, 7)
    assert in_all_ways(store, KEYS) == dict.fromkeys(KEYS, 7)
    compact(store)
    assert in_all_ways(store, KEYS) == dict.fromkeys(KEYS, 7) and verify_reports(store).ok
    assert path not in store.list("reports/")


@pytest.mark.parametrize(
    "which", ["reports/manifests/compacted/", "reports/compacted/units-", "reports/compacted/plans-"]
)
def test_a_damaged_index_is_read_from_its_copy_and_written_again(which: str, fresh: Callable[[], Store]) -> None:
    store = fresh()
    compact(store)
    path = next(path for path in store.list(which) if "-1.parquet" not in path)
    store.write(path, b"damaged")
    assert in_all_ways(store, KEYS) == RIGHT and planned(store) == PLANS
    assert [problem.path for problem in verify_reports(store).problems] == [path]
    compact(store)
    assert in_all_ways(store, KEYS) == RIGHT and planned(store) == PLANS and verify_reports(store).ok
