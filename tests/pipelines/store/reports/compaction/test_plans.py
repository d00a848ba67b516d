"""Plans of runs in a store that is compacted: each is found once, by every way to ask, and a new one adds to them."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from pipelines.store.garbage import find_garbage
from pipelines.store.inventory import inventory
from pipelines.store.removal import plan_removal, remove
from pipelines.store.reports import latest_run, plan_run, run_names, run_plans, units_of_run
from pipelines.store.reports.compaction import index
from pipelines.store.reports.compaction.compact import compact
from pipelines.store.reports.compaction.index import read_compacted
from pipelines.store.reports.runs.plan import plan_path
from pipelines.store.reports.verify import verify_reports
from pipelines.store.sealed import read_if_there, seal, unseal
from tests.pipelines.store.reports.compaction.stage import Killed, in_all_ways, planned, put, watched

KEYS = [*"abc"]


@pytest.fixture
def local(tmp_path: Path) -> Store:
    """Each unit is of a run of its own, and `all` lists every one and one that is not done."""
    store = open_store(str(tmp_path / "store"))
    for key in KEYS:
        plan_run(store, f"r-{key}", [key], {"seed": 0})
        put(store, key, 1, run=f"r-{key}")
    plan_run(store, "all", [*KEYS, "x"], {"seed": 0, "nested": {"é": [1.5, None]}})
    return store


def answers(store: Store) -> list[object]:
    """Returns what is said of runs in all ways to ask."""
    runs = {run: [unit.key for unit in units_of_run(store, run)] for run in run_names(store)}
    dependent = plan_removal(store, "run", "all").model_dump(exclude={"paths", "units"})
    unknown = [sentence for sentence in verify_reports(store).unknown if "not done" in sentence]
    return [run_plans(store), runs, latest_run(store), inventory(store).runs, dependent, unknown]


def test_plans_lie_in_one_file_and_every_question_is_answered_as_before(local: Store) -> None:
    before = answers(local)
    assert compact(local).plans == 4
    assert local.list("reports/runs/") == [] and len(local.list("reports/compacted/plans-")) == 2
    assert answers(local) == before and verify_reports(local).ok
    files = local.list()
    assert plan_run(local, "all", ["x", *KEYS], {"seed": 7}) in run_plans(local, "all")
    assert local.list() == files and answers(local) == before, "what is planned already changes nothing"
    assert not find_garbage(local, timedelta(days=-1)).garbage
    newer = plan_run(local, "all", ["y"], {})
    assert run_plans(local, "all") == [before[0][-1], newer]  # type: ignore[index]  # the list of plans
    compact(local)
    assert local.list("reports/runs/") == [] and run_plans(local, "all")[1] == newer


def test_a_field_of_later_code_and_a_damaged_plan_are_kept(local: Store) -> None:
    path = plan_path("all", [*KEYS, "x"])
    more = json.loads(unseal(local.read(path))) | {"mood": "good"}
    local.write(path, seal(json.dumps(more, indent=1, ensure_ascii=False).encode()))
    local.write(plan_path("r-a", ["a"]), b"{}")
    (sentence,) = compact(local).left
    assert "r-a" in sentence and "is damaged" in sentence and local.list("reports/runs/") == [plan_path("r-a", ["a"])]
    compacted = read_compacted(local)
    assert compacted is not None
    (document,) = [plan.document for stem, plan in compacted.plans.items() if stem.startswith("all/")]
    assert json.loads(document) == more
    plan_run(local, "r-a", ["a"], {})
    assert not compact(local).left and sorted(planned(local)) == ["all", "r-a", "r-b", "r-c"]


def test_rows_are_read_where_the_plans_are_lost_and_a_sentence_says_so(local: Store) -> None:
    compact(local)
    lost = local.list("reports/compacted/plans-")
    for path in lost:
        local.write(path, b"damaged")
    assert in_all_ways(local, KEYS) == dict.fromkeys(KEYS, 1)
    index._READ.clear()  # as in another process
    assert in_all_ways(local, KEYS) == dict.fromkeys(KEYS, 1)
    put(local, "d", 1)
    for ask in (run_plans, compact, lambda store: plan_run(store, "r-a", ["a"], {})):
        with pytest.raises(InfraError, match="which units belong to which run, and so is its copy; restore one"):
            ask(local)
    found = verify_reports(local).problems
    assert sorted(problem.path for problem in found) == lost and all("no copy of it" in one.detail for one in found)


def test_a_generation_of_before_has_no_plans_and_gets_them(local: Store) -> None:
    right = planned(local)
    compact(local)
    (path,) = local.list("reports/manifests/compacted/")
    plans = read_compacted(local)
    assert plans is not None
    document = json.loads(unseal(local.read(path))) | {"schema_version": "compacted-1"}
    for name in ("plans", "copy_of_plans", "withdrawn_plans"):
        document.pop(name)
    for where in (path, *local.list("reports/compacted/0")):
        local.write(where, seal(json.dumps(document, indent=1).encode()))
    for one in local.list("reports/compacted/plans-"):
        local.delete(one)
    for stem, plan in plans.plans.items():
        local.write(f"reports/runs/{stem}.json", seal(f"{plan.document}".encode()))
    assert planned(local) == right and in_all_ways(local, KEYS) == dict.fromkeys(KEYS, 1) and verify_reports(local).ok
    compact(local)
    assert planned(local) == right and local.list("reports/runs/") == []


def test_a_reader_whose_generation_is_superseded_while_it_reads_takes_the_next(
    local: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The files of the old one are gone already, and the old one itself is not."""
    compact(local)
    put(local, "d", 1)
    plan_run(local, "later", ["d"], {})
    (old,) = local.list("reports/manifests/compacted/")
    busy: list[str] = []

    def kill(number: int, operation: str, path: str) -> None:
        if operation == "delete" and path == old:
            raise Killed

    def read(store: Store, path: str) -> bytes | None:
        if "units-" in path and not busy:
            busy.append(path)
            with watched(monkeypatch, kill), pytest.raises(Killed):
                compact(store)
        return read_if_there(store, path)

    index._READ.clear()
    monkeypatch.setattr(index, "read_if_there", read)
    found = read_compacted(local)
    assert busy and found is not None and "d" in found.units and len(found.plans) == 5


def test_a_run_that_is_removed_and_planned_again_while_a_compaction_deletes_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The late deletion of a plan that was compacted must not strike one that was written since."""
    steps, at = 1, 0
    while at < steps:
        store = open_store(str(tmp_path / f"{at}"))
        put(store, "a", 1)
        plan_run(store, "r", ["a"], {"seed": 0})

        def again(number: int, operation: str, path: str, at: int = at, store: Store = store) -> None:
            if number == at:
                remove(store, plan_removal(store, "run", "r"))
                assert planned(store) == {}, (operation, path)
                plan_run(store, "r", ["a"], {"seed": 1})
                put(store, "a", 2)

        with watched(monkeypatch, again) as taken:
            compact(store)
        for _ in range(2):
            assert planned(store) == {"r": [("a",)]} and in_all_ways(store, ["a"]) == {"a": 2}, f"at step {at}"
            (plan,) = run_plans(store)
            assert plan.config == {"seed": 1} and verify_reports(store).ok
            compact(store)
        assert store.list("reports/runs/") == []
        steps, at = len(taken), at + 1
    assert at > 10
