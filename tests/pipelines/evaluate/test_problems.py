"""Problems are drawn once, stored, named by every row, and given to any model again."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from infra.storage import Store
from jepa.core.errors import InputError
from pipelines.evaluate import evaluate, plan_evaluation
from pipelines.evaluate.problems import check_problems
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.store import Dataset
from pipelines.store.reports import read_table
from pipelines.store.reports.problems import problem_digests, problems_path, read_problems, to_parquet
from pipelines.store.verify import verify_store
from tests.pipelines.evaluate.asked import config
from tests.pipelines.small_dataset import small_dataset


def test_rows_of_planning_and_no_others_carry_the_digest_of_what_was_solved(judged: Store) -> None:
    (digest,) = problem_digests(judged)
    problems = read_problems(judged, digest)
    assert (problems.world, problems.image_size, problems.dataset) == ("two_room", 32, "d0@1")
    metrics = read_table(judged, "metrics").compute()
    assert set(metrics[metrics.evaluation == "planning"].problems_digest) == {digest}
    assert metrics[metrics.evaluation != "planning"].problems_digest.isna().all()
    episodes = read_table(judged, "episodes").compute()
    columns = (episodes[name] for name in ("split", "goal", "problem", "episode", "start_row"))
    solved = set(zip(*columns, strict=True))
    assert solved == {(one.split, one.goal_kind, one.number, one.episode, one.start_row) for one in problems.problems}
    assert verify_store(judged).ok


def test_the_same_problems_are_judged_again_by_their_digest_or_file(mine: Store, tmp_path: Path) -> None:
    (digest,) = problem_digests(mine)
    drawn = plan_evaluation(config(), mine)
    assert plan_evaluation(config(problems=digest[:8]), mine).units == drawn.units, "nothing is done twice"
    file = tmp_path / "mine.parquet"
    shutil.copy(Path(mine.uri) / problems_path(digest), file)
    mine.delete(problems_path(digest))
    asked = config(problems=str(file), kinds=["planning"], seed=1, run="again")
    evaluate(asked, mine)
    again = read_table(mine, "episodes", run="again").compute()
    assert set(again.problems_digest) == {digest} and set(again.seed) == {1}
    first = read_table(mine, "episodes", run="m0").compute()
    assert set(zip(again.episode, again.start_row, again.goal_state, strict=True)) == set(
        zip(first.episode, first.start_row, first.goal_state, strict=True)
    )
    assert problem_digests(mine) == [digest], "the file's problems lie in the store now"


def test_stitched_problems_are_judged_with_another_model_under_a_protocol_that_stitches(
    mine: Store, tmp_path: Path
) -> None:
    protocol = tmp_path / "stitched.yaml"
    small = {"samples": 8, "elites": 2, "iterations": 1}
    planning = {"pairs": "stitched", "offsets": [12], "problems": 3, "planners": {"cem": small, "oracle": small}}
    planning |= {"frames_shown": 0, "position_frames": 50, "position_probe": {"hidden": 8, "steps": 1}}
    protocol.write_text(json.dumps({"name": "mine-v1", "planning": planning}))
    asked = config(protocol=str(protocol), kinds=["planning"], run="stitched")
    evaluate(asked, mine)
    first = read_table(mine, "episodes", run="stitched").compute()
    (digest,) = set(first.problems_digest)
    solved = {(one.split, one.episode, one.goal_episode, one.goal_row) for one in read_problems(mine, digest).problems}
    columns = ["split", "episode", "goal_episode", "goal_row"]
    assert set(first[columns].itertuples(index=False, name=None)) == solved
    assert (first.episode != first.goal_episode).all()
    pretrain(
        PretrainConfig(dataset="d0", name="m1", recipe="smoke", steps=2, executor="local", workers=1, seed=1), mine
    )
    evaluate(asked.model_copy(update={"model": "m1", "problems": digest[:10], "seed": 7, "run": "other"}), mine)
    again = read_table(mine, "episodes", run="other").compute()
    assert set(again.problems_digest) == {digest} and set(again.model) != set(first.model)
    assert set(again.goal_state) == set(first.goal_state)
    with pytest.raises(
        InputError, match="have `pairs: stitched` and protocol 'tiny-v1' says 'episode'; choose a proto"
    ):
        plan_evaluation(config(problems=digest, kinds=["planning"]), mine)
    with pytest.raises(InputError, match="which a menu of regret_decomposition needs; choose problems within episodes"):
        plan_evaluation(config(problems=digest, kinds=["regret_decomposition"]), mine)
    problems, file = read_problems(mine, digest), tmp_path / "edited.parquet"
    other = replace(problems.problems[0], goal_row=(problems.problems[0].goal_row or 0) + 1)
    file.write_bytes(to_parquet(replace(problems, problems=(other, *problems.problems[1:]))))
    before = mine.list("reports/")
    with pytest.raises(InputError, match=rf"problem 0 ends in another state than row {other.goal_row} of episode"):
        plan_evaluation(asked.model_copy(update={"problems": str(file)}), mine)
    assert mine.list("reports/") == before
    small_dataset(mine, name="d1", steps=30, seed=5)
    with pytest.raises(InputError, match=r"were drawn from dataset 'd0@1' .* and not from 'd1@1'"):
        plan_evaluation(asked.model_copy(update={"problems": digest, "dataset": "d1"}), mine)


def test_all_kinds_that_plan_solve_the_given_problems_and_say_which(mine: Store) -> None:
    (digest,) = problem_digests(mine)
    problems = read_problems(mine, digest)
    kinds = ["spectrum", "regret_decomposition"]
    plan = plan_evaluation(config(kinds=kinds, problems=digest), mine)
    assert [one.digest for one in plan.problems] == [digest]
    evaluate(config(kinds=kinds, problems=digest, problems_per_slice=1, run="taken-apart"), mine)
    metrics = read_table(mine, "metrics", run="taken-apart").compute()
    assert set(metrics.evaluation) == set(kinds) and set(metrics.problems_digest) == {digest}
    regrets = metrics[metrics.metric == "measured_regret"]
    assert set(regrets.n) == {4} and len(regrets) == 4, "of the manifest's problems, and not of two of its own"
    rows = read_table(mine, "regret_problems", run="taken-apart").compute()
    solved = set(zip(rows.split, rows.goal, rows.problem, rows.episode, rows.start_row, strict=True))
    assert solved == {(one.split, one.goal_kind, one.number, one.episode, one.start_row) for one in problems.problems}
    # Whole units, on the same problems.
    evaluate(config(kinds=["regret_decomposition"], problems=digest, force=True, run="whole"), mine)
    again = read_table(mine, "metrics", run="whole").compute()
    figures = ["split", "goal", "offset", "planner", "metric", "quantity", "value", "ci_low", "ci_high", "n"]
    of_kind = metrics[metrics.evaluation == "regret_decomposition"]
    assert of_kind[figures].reset_index(drop=True).equals(again[figures].reset_index(drop=True))


def test_problems_that_a_kind_draws_of_itself_are_stored_and_named(mine: Store) -> None:
    before = set(problem_digests(mine))
    evaluate(config(kinds=["spectrum", "regret_decomposition"], run="drawn"), mine)
    metrics = read_table(mine, "metrics", run="drawn").compute()
    assert len(set(problem_digests(mine)) - before) == 2 == metrics.problems_digest.nunique()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"dataset": "d1"}, r"drawn from dataset 'd0@1' \([0-9a-f]{8}\) and not from 'd1@1'"),
        ({"kinds": ["latent"]}, "problems are given, which none of the kinds latent solves; add planning"),
        ({"problems": "0000"}, "problems '0000' are not in store"),
    ],
)
def test_what_does_not_fit_is_said_before_any_work(mine: Store, changes: dict[str, object], sentence: str) -> None:
    (digest,) = problem_digests(mine)
    if "dataset" in changes:
        small_dataset(mine, name="d1", steps=40, seed=5)
    before = mine.list("reports/")
    with pytest.raises(InputError, match=sentence):
        plan_evaluation(config(**{"problems": digest, **changes}), mine)
    assert mine.list("reports/") == before


def test_another_world_or_size_is_said(judged: Store) -> None:
    problems = read_problems(judged, problem_digests(judged)[0])
    dataset = Dataset(judged, "d0")
    check_problems(problems, dataset)
    for other, held in ((replace(problems, world="pusht"), "pusht at 32"), (replace(problems, image_size=64), "at 64")):
        with pytest.raises(InputError, match=f"{held} pixels and dataset 'd0@1' holds two_room at 32"):
            check_problems(other, dataset)
