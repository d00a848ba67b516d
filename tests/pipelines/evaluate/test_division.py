"""Units that workers share: the same rows however they are divided, nothing half for a reader, nothing done twice."""

import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import timedelta
from itertools import islice
from pathlib import Path

import pandas as pd
import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from pipelines.evaluate import evaluate, job, plan_evaluation
from pipelines.evaluate.division import Division
from pipelines.evaluate.unit import EvaluationUnit, UnitDone, do_unit
from pipelines.store.garbage import delete_garbage, find_garbage
from pipelines.store.inventory import inventory
from pipelines.store.removal import plan_removal, remove
from pipelines.store.reports import plan_run, read_table, read_unit
from pipelines.store.reports.problems import write_problems
from pipelines.store.reports.slices import SLICES, delete_slices, is_of_attempt, slices_of
from pipelines.store.reports.verify import verify_reports
from pipelines.store.verify import verify_store
from tests.pipelines.evaluate.asked import config

TIMES = ("seconds", "plan_seconds", "run", "code_version", "created_at")
PLANNING: dict[str, object] = {"kinds": ["planning"], "seed": 5, "run": "shared"}


def rows(store: Store, table: str) -> pd.DataFrame:
    """Returns the rows of the run in their own order, with neither times nor what says who did them."""
    found: pd.DataFrame = read_table(store, table, run="shared").compute()
    if table == "metrics":
        found = found[found.metric != "plan_seconds"]
    kept: pd.DataFrame = found.drop(columns=[name for name in TIMES if name in found]).reset_index(drop=True)
    return kept


@pytest.fixture(scope="module")
def whole(judged_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store where each unit was done by one worker, in one piece."""
    folder = tmp_path_factory.mktemp("whole") / "store"
    shutil.copytree(judged_folder, folder)
    store = open_store(str(folder))
    evaluate(config(**PLANNING), store)
    return store


def assert_the_same_rows(store: Store, whole: Store) -> None:
    for table in ("metrics", "episodes", "films"):
        pd.testing.assert_frame_equal(rows(store, table), rows(whole, table), check_exact=True)
    assert not store.list(f"{SLICES}/"), "what is pooled is kept once"
    assert verify_store(store).ok


@pytest.mark.parametrize("size", [1, 3])
def test_units_that_are_divided_have_the_rows_of_whole_ones_bit_by_bit(mine: Store, whole: Store, size: int) -> None:
    evaluated = evaluate(config(**PLANNING, problems_per_slice=size), mine)
    assert {unit.key for unit in evaluated.units} == {
        unit.key for unit in plan_evaluation(config(**PLANNING), whole).units
    }
    assert_the_same_rows(mine, whole)


@pytest.mark.slow
def test_several_processes_share_a_unit(mine: Store, whole: Store) -> None:
    evaluate(config(**PLANNING, problems_per_slice=1, workers=4), mine)
    assert_the_same_rows(mine, whole)


@pytest.mark.slow
@pytest.mark.ray
def test_actors_share_a_unit(mine: Store, whole: Store, ray_cluster: None) -> None:
    evaluate(config(**PLANNING, problems_per_slice=1, workers=2, executor="ray"), mine)
    assert_the_same_rows(mine, whole)


def cut_off(store: Store, monkeypatch: pytest.MonkeyPatch, after: int, size: int = 1) -> list[str]:
    """Evaluates until so many slices are done, and returns their names."""
    done: list[str] = []

    def stopping(unit: EvaluationUnit) -> UnitDone:
        if len(done) == after:
            raise KeyboardInterrupt
        result = do_unit(unit)
        done.append(unit.name)
        return result

    with monkeypatch.context() as patch:
        patch.setattr(job, "do_unit", stopping)
        with pytest.raises(KeyboardInterrupt):
            evaluate(config(**PLANNING, problems_per_slice=size), store)
    return done


def watched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Returns a list that will hold the names of what evaluations do."""
    done: list[str] = []

    def noting(unit: EvaluationUnit) -> UnitDone:
        done.append(unit.name)
        return do_unit(unit)

    monkeypatch.setattr(job, "do_unit", noting)
    return done


def test_a_cut_off_evaluation_shows_nothing_half_and_goes_on_with_what_is_missing(
    mine: Store, whole: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = cut_off(mine, monkeypatch, after=6)  # of four units with four problems each
    assert len(set(before)) == 6
    first, second, *others = plan_evaluation(config(**PLANNING), mine).units
    assert read_unit(mine, first.key) is not None and read_unit(mine, second.key) is None
    assert [one.items for one in slices_of(mine, second.key)] == [range(0, 1), range(1, 2)]
    held = read_table(mine, "episodes", run="shared").compute()
    assert set(held.goal) | set(held.split) == {*first.part.split("/")}, "no row of the unit that is not whole"
    files = [path for path in mine.list("reports/kind=episodes/") if second.key in path]
    assert not files, "and none for who reads the files themselves"
    (run,) = (entry for entry in inventory(mine).runs if entry.run == "shared")
    assert (run.units, run.missing) == (1, 3)
    assert verify_store(mine).ok

    after = watched(monkeypatch)
    # Another size now: what is there counts, and the rest is divided again.
    evaluate(config(**PLANNING, problems_per_slice=3), mine)
    assert after == [
        f"{second.key}.2-3",
        f"{second.key}.3-4",
        *(f"{o.key}.{i}" for o in others for i in ("0-3", "3-4")),
    ]
    assert_the_same_rows(mine, whole)
    assert next(entry for entry in inventory(mine).runs if entry.run == "shared").missing == 0


def test_a_damaged_slice_is_done_again(mine: Store, whole: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off(mine, monkeypatch, after=2)
    unit = plan_evaluation(config(**PLANNING), mine).units[0]
    lost, torn = (one.parts[0].path for one in slices_of(mine, unit.key))
    mine.delete(lost)
    mine.write(torn, mine.read(torn)[:-1])
    assert {problem.path.rpartition("/")[2] for problem in verify_reports(mine).problems} == {
        path.rpartition("/")[2] for path in (lost, torn)
    }
    evaluate(config(**PLANNING, problems_per_slice=1), mine)
    assert_the_same_rows(mine, whole)


def test_an_evaluation_that_was_cut_off_before_it_pooled_only_pools(
    mine: Store, whole: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Division, "done", lambda *_: None)
        with pytest.raises(KeyError):
            evaluate(config(**PLANNING, problems_per_slice=2), mine)
    monkeypatch.setattr(job, "do_unit", lambda unit: pytest.fail("everything is solved"))
    evaluate(config(**PLANNING), mine)
    assert_the_same_rows(mine, whole)


def test_force_begins_from_scratch(mine: Store, whole: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_off(mine, monkeypatch, after=6)
    done = watched(monkeypatch)
    evaluate(config(**PLANNING, problems_per_slice=2, force=True), mine)
    assert len(done) == 8
    assert_the_same_rows(mine, whole)


def begun(store: Store, size: int, pieces: int = 0, *, force: bool = False) -> Division:
    """Returns an evaluation of the first unit, of four problems, that has done so many slices of that size."""
    plan = plan_evaluation(config(**PLANNING, force=force), store)
    for problems in plan.problems:
        write_problems(store, problems)
    plan_run(store, plan.run, [unit.key for unit in plan.units], plan.config.model_dump(mode="json"))
    division = Division(store, plan.units[:1], size)
    assert sum(unit.items is None for unit in division.work) == 0, "it is divided"
    for piece in division.work[:pieces]:
        division.done(piece, do_unit(piece))
    return division


def finish(division: Division, after: int) -> None:
    """Does the work that so many pieces have left, and what is added to it meanwhile."""
    for piece in islice(division.work, after, None):
        division.done(piece, do_unit(piece))
    assert len(division.committed) == 1


def assert_the_rows_of_the_first_unit(store: Store, whole: Store) -> None:
    for table in ("metrics", "episodes"):
        found, wanted = rows(store, table), rows(whole, table)
        first = found.iloc[0]
        same = wanted[(wanted.split == first.split) & (wanted.goal == first.goal)].reset_index(drop=True)
        pd.testing.assert_frame_equal(found, same, check_exact=True)
    assert not store.list(f"{SLICES}/"), "nothing is left over"
    assert verify_store(store).ok


def test_a_short_slice_of_another_evaluation_hides_no_longer_one(mine: Store, whole: Store) -> None:
    twos, ones = begun(mine, 2), begun(mine, 1, pieces=1)
    finish(twos, after=0)
    assert len(twos.work) == 2, "nothing was done again"
    finish(ones, after=1)
    assert_the_rows_of_the_first_unit(mine, whole)


@pytest.mark.parametrize("plain_first", [True, False])
def test_a_forced_evaluation_and_another_use_nothing_of_each_other(
    mine: Store, whole: Store, plain_first: bool
) -> None:
    plain = begun(mine, 2, pieces=1)
    forced = begun(mine, 2, pieces=1, force=True)
    assert [piece.items for piece in forced.work] == [(0, 2), (2, 4)], "it begins from scratch"
    for division in (plain, forced) if plain_first else (forced, plain):
        finish(division, after=1)
    assert_the_rows_of_the_first_unit(mine, whole)


def test_an_evaluation_takes_over_no_slice_of_a_forced_one(mine: Store, whole: Store) -> None:
    forced = begun(mine, 2, pieces=1, force=True)
    plain = begun(mine, 2)
    assert [piece.items for piece in plain.work] == [(0, 2), (2, 4)]
    finish(plain, after=0)
    finish(forced, after=1)
    assert_the_rows_of_the_first_unit(mine, whole)


def test_two_forced_evaluations_at_once_both_finish(mine: Store, whole: Store) -> None:
    first, second = begun(mine, 2, pieces=1, force=True), begun(mine, 2, pieces=1, force=True)
    assert [piece.items for piece in second.work] == [(0, 2), (2, 4)], "it begins from scratch"
    finish(first, after=1)
    finish(second, after=1)
    assert len(second.work) == 2, "the first has deleted nothing of the second"
    assert_the_rows_of_the_first_unit(mine, whole)


def test_slices_that_are_lost_on_the_way_are_done_again(
    mine: Store, whole: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def losing(unit: EvaluationUnit) -> UnitDone:
        done.append(unit.name)
        result = do_unit(unit)
        if len(done) == 2:
            mine.delete(f"{SLICES}/{unit.key}/0-2.json")
        return result

    monkeypatch.setattr(job, "do_unit", losing)
    evaluate(config(**PLANNING, problems_per_slice=2), mine)
    assert len(done) == 9 and done[-1] == done[0]
    assert_the_same_rows(mine, whole)


def test_slices_that_are_lost_again_and_again_are_given_up(mine: Store) -> None:
    division, done = begun(mine, 2), 0
    with pytest.raises(InfraError, match="again and again"):
        for piece in division.work:
            result = do_unit(piece)
            delete_slices(mine, piece.key)
            division.done(piece, result)
            done += 1
    assert done == 7


def test_what_a_killed_forced_evaluation_leaves_is_garbage(mine: Store, whole: Store) -> None:
    begun(mine, 2, pieces=1, force=True)
    left = set(mine.list(f"{SLICES}/"))
    assert len(left) == 3 and all(is_of_attempt(path) for path in left)
    assert verify_store(mine).ok
    sweep = find_garbage(mine, timedelta(0))
    assert {one.path: one.why for one in sweep.garbage if one.path in left} == dict.fromkeys(left, "ended attempt")
    finish(begun(mine, 2), after=0)
    assert set(mine.list(f"{SLICES}/")) == left, "it may be at work"
    delete_garbage(mine, find_garbage(mine, timedelta(0)))
    assert_the_rows_of_the_first_unit(mine, whole)


def test_what_is_left_of_an_evaluation_goes_with_its_run_or_as_garbage(
    mine: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(mine.list())
    cut_off(mine, monkeypatch, after=6)
    unit = plan_evaluation(config(**PLANNING), mine).units[1]
    slices = set(mine.list(f"{SLICES}/"))
    assert len(slices) == 2 * 3, "of each the mark, the rows of episodes and those of films"
    assert not [one for one in find_garbage(mine, timedelta(0)).garbage if one.path in slices], "it may go on"
    torn = next(path for path in slices if path.endswith("0-1.json"))
    mark = mine.read(torn)
    mine.delete(torn)
    assert {one.why for one in find_garbage(mine, timedelta(0)).garbage if one.path in slices} == {"no mark"}
    mine.write(torn, mark)

    removed = open_store(str(shutil.copytree(mine.uri, Path(mine.uri).with_name("removed"))))
    remove(removed, plan_removal(removed, "run", "shared"))
    left = set(removed.list()) - before
    assert not [path for path in left if path.startswith("reports/")]

    for path in mine.list("reports/runs/shared/"):
        mine.delete(path)
    garbage = [one for one in find_garbage(mine, timedelta(0)).garbage if one.path.startswith(SLICES)]
    assert {one.path for one in garbage} == slices and {one.why for one in garbage} == {"no run"}
    evaluate(config(**PLANNING, problems_per_slice=4), mine)
    mine.write(f"{SLICES}/{unit.key}/0-1.json", mark)
    sweep = find_garbage(mine, timedelta(0))
    assert [one.why for one in sweep.garbage if one.path.startswith(SLICES)] == ["superseded"]
    delete_garbage(mine, sweep)
    assert not mine.list(f"{SLICES}/")


@pytest.mark.slow
def test_a_driver_that_is_killed_loses_no_slice_that_was_done(mine: Store, whole: Store) -> None:
    keys = [unit.key for unit in plan_evaluation(config(**PLANNING), mine).units]
    command = [sys.executable, "-m", "flows.cli", "evaluate", "--store", mine.uri, "--model", "m0"]
    command += ["--protocol", "tiny-v1", "--kinds", "planning", "--seed", "5", "--run", "shared"]
    command += ["--executor", "local", "--problems-per-slice", "1"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None and not slices_of(mine, keys[0]):
            time.sleep(0.005)
        os.kill(process.pid, signal.SIGKILL)
    held = {path: mine.read(path) for key in keys for one in slices_of(mine, key) for path in one.paths}
    done = sum(len(slices_of(mine, key)) for key in keys) + 4 * sum(read_unit(mine, key) is not None for key in keys)
    assert 0 < done < 16, "it was killed on the way"
    division = Division(mine, plan_evaluation(config(**PLANNING), mine).units, 1)
    assert len(division.work) <= 16 - done + 4 * sum(read_unit(mine, key) is not None for key in keys)
    assert {path: mine.read(path) for path in held} == held
    evaluate(config(**PLANNING, problems_per_slice=1), mine)
    assert_the_same_rows(mine, whole)


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_its_own_slice(
    mine: Store, whole: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KILLED_ONCE", str(tmp_path / "killed"))
    monkeypatch.setattr(job, "do_unit", killed_once)
    evaluate(config(**PLANNING, problems_per_slice=1, workers=2), mine)
    assert (tmp_path / "killed").read_text().count("\n") == 17, "sixteen slices, one of them twice"
    assert_the_same_rows(mine, whole)


def killed_once(unit: EvaluationUnit) -> UnitDone:
    """Does a unit and leaves a line; the worker that does the third piece is killed."""
    mark = Path(os.environ["KILLED_ONCE"])
    with mark.open("a") as lines:
        lines.write(f"{unit.name}\n")
    if mark.read_text().count("\n") == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return do_unit(unit)
