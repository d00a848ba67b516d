"""A manifest that was edited is refused in one sentence before any work; one that was not is judged."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from infra.storage import Store
from jepa.core.errors import InputError
from jepa.evaluation.evaluation import HELD_OUT_SPLITS
from jepa.evaluation.kinds.planning.problems import draw
from jepa.evaluation.kinds.planning.selection import Selection
from jepa.planning.problem_manifest import DrawnProblem, ProblemManifest
from pipelines.evaluate import plan_evaluation
from pipelines.evaluate.config import EvaluateConfig
from pipelines.store import Dataset
from pipelines.store.reports.problems import to_parquet, write_problems
from tests.pipelines.evaluate.asked import config

Edit = Callable[[DrawnProblem], DrawnProblem]
OFFSET = 12


def drawn(store: Store, pairs: str) -> ProblemManifest:
    """Returns problems of both goal kinds and held-out splits, as an evaluation draws them."""
    dataset = Dataset(store, "d0")
    selection = Selection(4, 1, remove_solved=True, pairs="stitched" if pairs == "stitched" else "episode")
    groups = [(kind, OFFSET) for kind in ("uniform", "cross_room")]
    problems = [one for split in HELD_OUT_SPLITS for one in draw(dataset, split, groups, selection).problems]
    reference = dataset.manifest.reference
    return ProblemManifest("two_room", 32, 1, tuple(problems), str(reference), reference.digest)


def asked(folder: Path, pairs: str, problems: str) -> EvaluateConfig:
    """Returns an evaluation under a protocol that pairs as is asked for."""
    protocol = folder / "protocol.yaml"
    small = {"samples": 8, "elites": 2, "iterations": 1}
    planning = {"pairs": pairs, "offsets": [OFFSET], "budget_factor": 2, "planners": {"cem": small, "oracle": small}}
    protocol.write_text(json.dumps({"name": "mine-v1", "planning": planning}))
    return config(protocol=str(protocol), kinds=["planning"], problems=problems, run="given")


def changed(**changes: object) -> Edit:
    return lambda one: replace(one, **changes)  # type: ignore[arg-type]


def other_kind(one: DrawnProblem) -> DrawnProblem:
    return replace(one, goal_kind="cross_room" if one.goal_kind == "uniform" else "uniform")


def goal_at_start(one: DrawnProblem) -> DrawnProblem:
    return replace(one, goal_episode=one.episode, goal_row=one.start_row, goal=one.start)


@pytest.mark.parametrize("pairs", ["episode", "stitched"])
def test_a_file_as_it_was_drawn_is_judged(judged: Store, tmp_path: Path, pairs: str) -> None:
    file, problems = tmp_path / "mine.parquet", drawn(judged, pairs)
    file.write_bytes(to_parquet(problems))
    plan = plan_evaluation(asked(tmp_path, pairs, str(file)), judged)
    assert [one.digest for one in plan.problems] == [problems.digest]
    assert {one.goal_kind for one in problems.problems} == {"uniform", "cross_room"}


KIND_FAILS = (
    r"problem \d+ of split 'test', goal kind 'cross_room' .* has a start and a goal that are not of this goal kind"
)
EDITS: list[tuple[str, Edit, str]] = [
    ("stitched", goal_at_start, r"problem 0 .* has episode \d+ as goal_episode too, where start and goal should be of"),
    (
        "stitched",
        changed(offset=100),
        r"offset 100 is stitched, and the shortest way to its goal should take 0\.5 to 1",
    ),
    ("stitched", changed(offset=4), r"offset 4 is stitched, and the shortest way to its goal should take"),
    ("stitched", changed(offset=0), r"have offset 0, which should be 1 to 1000000 steps"),
    ("stitched", changed(offset=-3), r"have offset -3, which should be 1 to 1000000 steps"),
    ("stitched", changed(offset=2**40), r"have offset 1099511627776, which should be 1 to 1000000 steps"),
    ("stitched", other_kind, KIND_FAILS),
    ("episode", other_kind, KIND_FAILS),
    ("episode", changed(offset=OFFSET - 1), r"problem \d+ ends in another state than row \d+ of episode \d+"),
    ("episode", changed(offset=100), r"problem \d+ ends in another state than row 1\d\d of episode \d+"),
    ("episode", changed(offset=0), r"have offset 0, which should be 1 to 1000000 steps"),
    ("episode", changed(number=0), r"problems with number 0 of split 'test', goal kind 'uniform' and offset 12"),
    (
        "episode",
        changed(split="nonsense"),
        r"are of split 'nonsense', and only held-out episodes are judged \(test, un",
    ),
    ("episode", changed(split="train"), r"are of split 'train', and only held-out episodes are judged \(test, unseen"),
    (
        "episode",
        changed(goal_kind="nonsense"),
        r"are of goal kind 'nonsense', and world 'two_room' has uniform, cross_",
    ),
]


@pytest.mark.parametrize(("pairs", "edit", "sentence"), EDITS)
def test_an_edited_file_is_refused_in_a_sentence_before_any_work(
    mine: Store, tmp_path: Path, pairs: str, edit: Edit, sentence: str
) -> None:
    problems = drawn(mine, pairs)
    file = tmp_path / "edited.parquet"
    file.write_bytes(to_parquet(replace(problems, problems=tuple(edit(one) for one in problems.problems))))
    before = mine.list("")
    with pytest.raises(InputError, match=rf"^[^\n]*{sentence}[^\n]*$"):
        plan_evaluation(asked(tmp_path, pairs, str(file)), mine)
    assert mine.list("") == before


@pytest.mark.parametrize("by_digest", [False, True])
def test_a_manifest_without_a_row_is_refused(mine: Store, tmp_path: Path, by_digest: bool) -> None:
    empty = replace(drawn(mine, "episode"), problems=())
    file = tmp_path / "empty.parquet"
    file.write_bytes(to_parquet(empty))
    given = write_problems(mine, empty) if by_digest else str(file)
    with pytest.raises(InputError, match=r"are no problems at all, for their manifest has no row"):
        plan_evaluation(asked(tmp_path, "episode", given), mine)


def test_an_edited_manifest_in_a_store_is_refused_by_its_digest_too(mine: Store, tmp_path: Path) -> None:
    """Versions before these checks stored whatever file was given."""
    problems = drawn(mine, "stitched")
    for edit, sentence in ((other_kind, KIND_FAILS), (changed(offset=100), "offset 100 is stitched, and the shortest")):
        digest = write_problems(mine, replace(problems, problems=tuple(edit(one) for one in problems.problems)))
        with pytest.raises(InputError, match=sentence):
            plan_evaluation(asked(tmp_path, "stitched", digest), mine)
