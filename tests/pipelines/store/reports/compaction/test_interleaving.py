"""Many who write, evaluate again, compact, clean up and read the same store, in random orders of their single steps."""

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.storage import Store, open_store
from infra.storage.local import LocalStore
from pipelines.store.garbage import delete_garbage, find_garbage
from pipelines.store.removal import plan_removal, remove
from pipelines.store.reports import plan_run, run_plans
from pipelines.store.reports.compaction.compact import compact
from pipelines.store.reports.verify import verify_reports
from tests.pipelines.store.reports.compaction.stage import (
    InTurn,
    in_all_ways,
    listed,
    of_glob,
    planned,
    put,
    rows_of,
    seen,
)

OPERATIONS = ("read", "write", "write_if_absent", "exists", "stamps", "list", "delete")
KEYS = ("a", "b", "c")
SEEDS = range(6)


class Turns:
    """Lets one of several threads go on at a time; whose turn is next is drawn before each operation of a store."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._waiting: dict[int, threading.Event] = {}
        self._failed: list[BaseException] = []

    def play(self, acts: Sequence[Callable[[], object]]) -> None:
        """Does all acts at once, step by step; raises what the first that failed raised."""
        threads = [threading.Thread(target=self._act, args=(number, act)) for number, act in enumerate(acts)]
        self._waiting = {number: threading.Event() for number in range(len(acts))}
        self._numbers: dict[int | None, int] = {}
        for thread in threads:
            thread.start()
        self._next()
        for thread in threads:
            thread.join()
        if self._failed:
            raise self._failed[0]

    def step(self) -> None:
        """Waits until it is this thread's turn again; a thread that plays no part just goes on."""
        number = self._numbers.get(threading.get_ident())
        if number is not None:
            self._waiting[number].clear()
            self._next()
            self._waiting[number].wait()

    def _act(self, number: int, act: Callable[[], object]) -> None:
        self._numbers[threading.get_ident()] = number
        self._waiting[number].wait()
        try:
            act()
        except BaseException as error:
            self._failed.append(error)
        finally:
            del self._waiting[number]
            self._next()

    def _next(self) -> None:
        if self._waiting:
            self._waiting[self._random.choice(sorted(self._waiting))].set()


@contextmanager
def in_steps(turns: Turns, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Has every operation of a local store wait for its turn."""

    def patched(name: str) -> Callable[..., Any]:
        real = getattr(LocalStore, name)

        def operation(self: LocalStore, *given: Any) -> Any:
            turns.step()
            return real(self, *given)

        return operation

    with monkeypatch.context() as patch:
        for name in OPERATIONS:
            patch.setattr(LocalStore, name, patched(name))
        patch.setattr("os.fsync", lambda descriptor: None)
        for module in ("units", "tables", "runs.plans", "compaction.compact", "compaction.sweep"):
            patch.setattr(f"pipelines.store.reports.{module}.ThreadPool", InTurn)
        yield


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("compacted", [False, True], ids=["never compacted before", "compacted before"])
def test_every_reader_sees_each_row_once_and_no_commit_is_lost(
    seed: int, compacted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(str(tmp_path))
    committed = dict.fromkeys(KEYS, 1)  # the newest attempt at each unit that was committed before a reader begins
    plans = {("a",)}  # that were written before a reader begins
    plan_run(store, "p", ["a"], {})
    for key in KEYS:
        put(store, key, 1)
    if compacted:
        compact(store)
        put(store, "b", 2, force=True)
        committed["b"] = 2

    def again(key: str, attempts: list[int]) -> Callable[[], None]:
        def act() -> None:
            for attempt in attempts:
                put(store, key, attempt, force=True)
                committed[key] = max(committed[key], attempt)

        return act

    def read() -> None:
        for _ in range(3):
            least, before = dict(committed), set(plans)
            found = seen(rows_of(store, "metrics"))
            assert all(found.get(key, 0) >= attempt for key, attempt in least.items()), (found, least)
            assert set(listed(store, "p")["p"]) >= before and set(listed(store)["p"]) >= before

    def plan() -> None:
        for key in KEYS:
            plan_run(store, "p", [key], {})
            plans.add((key,))

    def new() -> None:
        put(store, "d", 1)
        committed["d"] = 1

    def clean() -> None:
        sweep = find_garbage(store, timedelta(days=1))
        delete_garbage(store, sweep)

    # One writer of each unit, whose attempts rise, so that a reader knows what it must see at least.
    acts: list[Callable[[], object]] = [again("a", [3, 4]), again("b", [3]), new, plan, plan, read, read, clean]
    acts += [lambda: compact(store), lambda: compact(store)]
    turns = Turns(seed)
    with in_steps(turns, monkeypatch):
        turns.play(acts)
    right = {"a": 4, "b": 3, "c": 1, "d": 1}
    assert in_all_ways(store, [*KEYS, "d"]) == right
    compact(store)
    assert in_all_ways(store, [*KEYS, "d"]) == right and verify_reports(store).ok
    assert planned(store) == {"p": sorted((key,) for key in KEYS)}
    assert len(store.list("reports/")) == 8 and set(of_glob(store).values()) == {1}


@pytest.mark.parametrize("seed", range(3))
def test_of_two_who_do_one_unit_again_one_stands_whole(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store: Store = open_store(str(tmp_path))
    put(store, "a", 1)
    compact(store)
    turns = Turns(seed)
    acts = [lambda attempt=attempt: put(store, "a", attempt, force=True) for attempt in (2, 3)]
    with in_steps(turns, monkeypatch):
        turns.play([*acts, lambda: compact(store), lambda: put(store, "a", 9)])
    (stands,) = in_all_ways(store, ["a"]).values()
    assert stands in (2, 3)
    compact(store)
    assert in_all_ways(store, ["a"]) == {"a": stands} and len(store.list("reports/")) == 6


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("compacted", [False, True], ids=["never compacted before", "compacted before"])
def test_what_is_removed_stays_so_until_it_is_planned_again_and_then_stands(
    seed: int, compacted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(str(tmp_path))
    for key in KEYS:
        put(store, key, 1, run=f"r-{key}")
        plan_run(store, f"r-{key}", [key], {"seed": 0})
    if compacted:
        compact(store)
    removals = {key: plan_removal(store, "run", f"r-{key}") for key in "ab"}
    gone: set[str] = set()

    def once_more() -> None:
        remove(store, removals["a"])
        plan_run(store, "r-a", ["a"], {"seed": 1})
        put(store, "a", 2, run="r-a")

    def for_good() -> None:
        remove(store, removals["b"])
        gone.add("b")

    def read() -> None:
        for _ in range(4):
            removed = set(gone)
            assert not {key for key in removed if f"r-{key}" in listed(store)}
            assert not removed & seen(rows_of(store, "metrics")).keys()

    def clean() -> None:
        delete_garbage(store, find_garbage(store, timedelta(days=1)))

    turns = Turns(seed)
    with in_steps(turns, monkeypatch):
        turns.play([once_more, for_good, read, clean, lambda: compact(store), lambda: compact(store)])
    for _ in range(2):
        assert in_all_ways(store, KEYS) == {"a": 2, "c": 1}
        assert planned(store) == {"r-a": [("a",)], "r-c": [("c",)]} and verify_reports(store).ok
        assert run_plans(store, "r-a")[0].config == {"seed": 1}
        compact(store)
    assert len(store.list("reports/")) == 8 and set(of_glob(store).values()) == {1}
