"""Manifests of planning problems: the same content from every file, found when changed, kept while rows name them."""

import io
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
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


STITCHED = replace(PROBLEMS, problems=(drawn(0, goal_episode=3, goal_row=9), drawn(1, goal_episode=4, goal_row=0)))


def test_problems_within_episodes_keep_the_digest_and_the_columns_that_they_had() -> None:
    """Rows that users hold name them; the digest is that of the code before problems could be stitched."""
    assert PROBLEMS.digest == "64b680c3076d24e942ca76f37fa95b08384fcaf96d32fb05f3c1b5e4af781c33"
    assert not {"goal_episode", "goal_row"} & {*read_columns(to_parquet(PROBLEMS))}


def test_stitched_ones_name_both_episodes(local: Store) -> None:
    held = read_problems(local, write_problems(local, STITCHED))
    assert [(one.goal_episode, one.goal_row) for one in held.problems] == [(3, 9), (4, 0)]
    assert held.stitched and held.digest == STITCHED.digest != PROBLEMS.digest
    first, last = STITCHED.problems
    for other in (replace(last, goal_episode=5), replace(last, goal_row=1)):
        assert replace(STITCHED, problems=(first, other)).digest != STITCHED.digest


def read_columns(data: bytes) -> dict[str, Any]:
    table = pq.read_table(io.BytesIO(data))
    return {name: table[name] for name in table.column_names}


def edited(problems: ProblemManifest, **columns: Any) -> bytes:
    """Returns a manifest's file with some columns replaced, and without those that are None."""
    table = pq.read_table(io.BytesIO(to_parquet(problems)))
    for name, values in columns.items():
        table = table.drop_columns([name])
        table = table if values is None else table.append_column(name, values)
    written = io.BytesIO()
    pq.write_table(table, written)
    return written.getvalue()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (to_parquet(STITCHED)[:-40], "is no manifest of planning problems"),
        (to_parquet(STITCHED)[:700] + to_parquet(STITCHED)[701:], "is no manifest of planning problems"),
        (
            edited(STITCHED, goal_row=None),
            r"is no manifest of planning problems \(the file lacks the columns goal_row\)",
        ),
        (edited(STITCHED, goal_row=[[9, None]]), "is no manifest of planning problems"),
        (edited(STITCHED, goal_row=[[9, -1]]), r"is no manifest of .* \(column goal_row has a number below 0\)"),
        (
            edited(STITCHED, goal_episode=[["3", "4"]]),
            r"is no manifest of .* \(column goal_episode is not int64 through",
        ),
        (edited(PROBLEMS, start_row=[[-1, 3]]), "is no manifest of planning problems"),
        (edited(PROBLEMS, seed=None), r"is no manifest of planning problems \(the file lacks the columns seed\)"),
    ],
)
def test_a_file_that_was_cut_or_edited_is_refused_in_a_sentence(
    local: Store, tmp_path: Path, data: bytes, sentence: str
) -> None:
    (tmp_path / "mine.parquet").write_bytes(data)
    with pytest.raises(InputError, match=rf"^problems file '.*mine\.parquet' {sentence}[^\n]*$"):
        find_problems(local, str(tmp_path / "mine.parquet"))


def test_a_file_with_the_name_of_another_digest_was_changed(local: Store, tmp_path: Path) -> None:
    file = tmp_path / f"{STITCHED.digest}.parquet"
    file.write_bytes(to_parquet(STITCHED))
    assert find_problems(local, str(file)).digest == STITCHED.digest
    file.write_bytes(edited(STITCHED, goal_row=[[9, 1]]))
    with pytest.raises(InputError, match=r"was changed: its name is the digest of other problems than it holds"):
        find_problems(local, str(file))


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
