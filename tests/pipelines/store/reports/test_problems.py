"""Manifests of planning problems: the same content from every file, found when changed, kept while rows name them."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from jepa.planning.problem_manifest import DrawnProblem, ProblemManifest, same_states
from pipelines.store.garbage import find_garbage
from pipelines.store.reports import write_tables
from pipelines.store.reports.problems import find_problems, problems_path, read_problems, to_parquet, write_problems
from pipelines.store.reports.verify import verify_reports
from tests.pipelines.reports import synthetic


def drawn(number: int, **changes: object) -> DrawnProblem:
    start = {"agent_position": np.array([0.1 * number, 1 / 3], dtype=np.float32), "door": np.zeros(1, np.float32)}
    goal = {name: value + np.float32(0.2) for name, value in start.items()}
    one = DrawnProblem(number, "test", "uniform", 25, 40 + number, 3, 2**62 + number, start, goal)
    return replace(one, **changes)  # type: ignore[arg-type]


PROBLEMS = ProblemManifest("two_room", 64, 7, (drawn(0), drawn(1)), "d0@1", "d" * 64)


@pytest.fixture
def local(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "store"))


def test_they_come_back_bit_by_bit(store: Store) -> None:
    digest = write_problems(store, PROBLEMS)
    held = read_problems(store, digest)
    assert held.digest == digest == PROBLEMS.digest and repr(held) == repr(PROBLEMS)
    for one, other in zip(held.problems, PROBLEMS.problems, strict=True):
        assert same_states(one.start, other.start) and same_states(one.goal, other.goal)
        assert replace(one, start={}, goal={}) == replace(other, start={}, goal={})
    assert store.list("problems/") == [problems_path(digest)]


@pytest.mark.parametrize(
    "other",
    [
        replace(PROBLEMS, world="pusht"),
        replace(PROBLEMS, image_size=32),
        replace(PROBLEMS, dataset_digest="e" * 64),
        replace(PROBLEMS, problems=PROBLEMS.problems[:1]),
        replace(PROBLEMS, problems=(drawn(0), drawn(1, start_row=4))),
        replace(PROBLEMS, problems=(drawn(0), drawn(1, goal=drawn(2).goal))),
    ],
)
def test_whatever_is_solved_is_in_the_digest(other: ProblemManifest) -> None:
    assert other.digest != PROBLEMS.digest == replace(PROBLEMS, dataset="renamed@1").digest


def test_they_are_found_by_a_beginning_of_their_digest_or_in_a_file(local: Store, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"problems 'abcd' are not in store .*; evaluate planning first"):
        find_problems(local, "abcd")
    digest = write_problems(local, PROBLEMS)
    assert find_problems(local, digest[:6]).digest == digest
    with pytest.raises(InputError, match=rf"problems '0{digest[:5]}' are not .*; choose one of: {digest[:8]}"):
        find_problems(local, f"0{digest[:5]}")
    (tmp_path / "mine.parquet").write_bytes(to_parquet(PROBLEMS))
    assert find_problems(local, str(tmp_path / "mine.parquet")).digest == digest
    (tmp_path / "odd.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"odd\.parquet' is no manifest of planning problems"):
        find_problems(local, str(tmp_path / "odd.parquet"))


def test_a_changed_or_missing_one_is_named(local: Store) -> None:
    digest = write_problems(local, PROBLEMS)
    write_tables(local, {"metrics": synthetic.planning_metrics()}, "unit", synthetic.context(problems_digest=digest))
    assert verify_reports(local).ok
    local.write(problems_path(digest), to_parquet(replace(PROBLEMS, seed=8)))
    assert [(one.path, one.kind) for one in verify_reports(local).problems] == [(problems_path(digest), "damaged")]
    with pytest.raises(InfraError, match=f"{digest}.parquet is damaged"):
        read_problems(local, digest)
    assert write_problems(local, PROBLEMS) == digest and verify_reports(local).ok, "what is damaged is written again"
    local.delete(problems_path(digest))
    assert [(one.path, one.kind) for one in verify_reports(local).problems] == [(problems_path(digest), "missing")]


def test_those_that_rows_name_are_no_garbage(local: Store) -> None:
    named, other = write_problems(local, PROBLEMS), write_problems(local, replace(PROBLEMS, seed=8))
    write_tables(local, {"metrics": synthetic.planning_metrics()}, "unit", synthetic.context(problems_digest=named))
    garbage = find_garbage(local, timedelta(seconds=-60)).garbage
    assert [(one.path, one.why) for one in garbage] == [(problems_path(other), "no figures")]
