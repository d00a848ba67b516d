"""A model of frameskip 5 is trained, fitted with heads and judged on a dataset with a frame of every fifth step."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.storage import Store, open_store
from jepa.core.errors import InputError
from jepa.evaluation import EVALUATIONS
from jepa.evaluation.kinds.planning.problems import draw, with_frames
from jepa.evaluation.kinds.planning.selection import Selection
from jepa.evaluation.latents import drawn_frames
from jepa.planning.heads.episodes import encode_episodes
from jepa.planning.heads.registry import HEADS
from pipelines.evaluate import evaluate, plan_evaluation
from pipelines.heads import FitHeadsConfig, fit_heads
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.store import Dataset
from pipelines.store.models.manifest import read_model, resolve_model
from pipelines.store.reports import read_table
from tests.pipelines.evaluate.asked import config
from tests.pipelines.small_dataset import small_config, small_dataset

SMALL = {"width": 8, "depth": 1, "steps": 3, "batch_size": 16}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Dataset `d0` with a frame of every fifth of 42 steps, `d1` with all of them, and model `m0` of the first."""
    store = open_store(str(tmp_path_factory.mktemp("sparse")))
    small_dataset(store, name="d0", steps=42, frame_every=5)
    small_dataset(store, name="d1", steps=42)
    pretrain(PretrainConfig(dataset="d0", name="m0", recipe="smoke", steps=4, executor="local", workers=1), store)
    return store


def records(store: Store, table: str, run: str) -> list[Any]:
    found: list[Any] = read_table(store, table, run=run).compute().to_dict("records")
    return found


def test_every_kind_of_evaluation_runs_through_on_frames_that_are_there(made: Store) -> None:
    kinds = tuple(sorted(EVALUATIONS.names()))
    evaluate(config(kinds=kinds), made)
    assert {row["evaluation"] for row in records(made, "metrics", "m0")} >= set(kinds)
    starts = [row["start_row"] for row in records(made, "episodes", "m0")]
    assert starts and all(row % 5 == 0 for row in starts)


def test_figures_are_those_of_the_whole_dataset_where_only_action_blocks_are_read(made: Store) -> None:
    found = {}
    columns = ("evaluation", "split", "quantity", "metric", "shift", "strength", "blocks_ahead", "score")
    for name in ("d0", "d1"):
        evaluate(config(dataset=name, kinds=("latent", "surprise"), run=f"on-{name}"), made)
        table = records(made, "metrics", f"on-{name}")
        found[name] = {tuple(str(row[column]) for column in columns): row["value"] for row in table}
    assert found["d0"].keys() == found["d1"].keys() and len(found["d0"]) > 20
    for key, value in found["d0"].items():
        assert value == pytest.approx(found["d1"][key], rel=1e-3, abs=1e-4, nan_ok=True), key


@pytest.mark.parametrize("pairs", ["episode", "stitched"])
def test_starts_and_goals_of_problems_have_frames(made: Store, pairs: str) -> None:
    sparse, whole = Dataset(made, "d0"), Dataset(made, "d1")
    selection = Selection(12, seed=0, pairs="stitched" if pairs == "stitched" else "episode")
    drawn = draw(sparse, "test", [("cross_room" if pairs == "episode" else "uniform", 25)], selection).problems
    drawn = drawn or draw(sparse, "test", [("uniform", 25)], selection).problems
    assert drawn and all(one.start_row % 5 == 0 and (one.goal_row or 0) % 5 == 0 for one in drawn)
    episodes = {episode.index: episode for episode in whole.episodes("test")}
    for one in with_frames(drawn, sparse):
        assert np.array_equal(one.start_pixels, episodes[one.episode].pixels[one.start_row])
        if pairs == "episode":
            assert np.array_equal(one.goal_pixels, episodes[one.episode].pixels[one.start_row + 25])
            assert one.demonstration_LA is not None
            assert np.array_equal(one.demonstration_LA, episodes[one.episode].action[one.start_row :][:25])


def test_drawn_frames_are_spread_over_those_that_are_there(made: Store) -> None:
    rows = [row for _, row_n in drawn_frames(Dataset(made, "d0"), "train", 200, 0) for row in row_n.tolist()]
    assert set(rows) == set(range(0, 41, 5))


def test_heads_learn_from_frames_that_are_there(made: Store) -> None:
    kinds = tuple(HEADS.names())
    options = {kind: dict(SMALL) for kind in kinds}
    found = fit_heads(FitHeadsConfig(model="m0", heads=kinds, options=options, executor="local"), made)
    assert len(found.heads) == len(kinds)
    assert all(np.isfinite(one.loss) and one.frames == 9 * one.episodes for one in found.heads)


def test_latents_lie_at_their_steps(made: Store) -> None:
    import torch

    model = read_model(made, resolve_model(made, "m0"))[1].eval()
    data, whole = (encode_episodes(model, Dataset(made, name), 10_000) for name in ("d0", "d1"))
    assert data.z_ND.shape == whole.z_ND.shape and torch.equal(data.action_NA, whole.action_NA)
    rows = data.frame_rows
    assert rows.tolist() == [43 * episode + step for episode in range(len(data.steps_E)) for step in range(0, 42, 5)]
    torch.testing.assert_close(data.z_ND[rows], whole.z_ND[rows], atol=1e-5, rtol=1e-5)
    pairs = data.pairs(4000, 30, torch.Generator().manual_seed(0), room=5, lead=10)
    assert data.z_ND[pairs.first_B].isfinite().all() and data.z_ND[pairs.second_B].isfinite().all()
    assert torch.equal(pairs.second_B - pairs.first_B, pairs.separation_B)
    assert set(pairs.separation_B.tolist()) == {5, 10, 15, 20, 25, 30}
    assert {row % 43 for row in pairs.first_B.tolist()} == {10, 15, 20, 25, 30, 35}
    counts = torch.bincount(pairs.separation_B // 5)[1:]
    assert ((counts - 4000 / 6).abs() < 150).all()
    assert data.z_ND[data.any_rows(500, generator=torch.Generator().manual_seed(0))].isfinite().all()


def test_what_does_not_fit_is_refused_before_any_work(made: Store, tmp_path: Path) -> None:
    small_dataset(made, name="d2", steps=42, frame_every=2)
    sentence = r"frameskip is 5 and dataset 'd2' has a frame of every 2 steps .*take a multiple of 2"
    with pytest.raises(InputError, match=sentence):
        plan_evaluation(config(dataset="d2"), made)
    with pytest.raises(InputError, match=sentence):
        fit_heads(FitHeadsConfig(model="m0", dataset="d2", executor="local"), made)
    with pytest.raises(InputError, match=sentence):
        pretrain(PretrainConfig(dataset="d2", name="m2", recipe="smoke", steps=4, executor="local", workers=1), made)
    with pytest.raises(InputError, match=r"a goal 12 environment steps ahead has no frame, .* a multiple of 5"):
        draw(Dataset(made, "d0"), "test", [("uniform", 12)], Selection(2, seed=0))
    (episode,) = Dataset(made, "d0").episodes("test", limit=1)
    with pytest.raises(InputError, match="has no frame of step 7: frame_every is 5; ask for steps"):
        episode.frames_at([5, 7])
    assert small_config(frame_every=2).frame_every == 2
