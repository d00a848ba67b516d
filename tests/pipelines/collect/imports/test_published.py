"""Published files of the four worlds: their columns become our quantities, and they are judged like our own."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from infra.storage import Store, open_store
from jepa.evaluation.evaluation import EVALUATIONS
from jepa.evaluation.kinds.planning.problems import draw_problems
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.worlds import WORLDS, World, make_world
from pipelines.collect import ImportConfig, import_hdf5, import_notices
from pipelines.store import Dataset
from pipelines.store.datasets.manifest import DatasetManifest
from tests.pipelines.collect.published_files import SIDE, published_file

AHEAD = 25
"""Steps from start to goal, as in LeWM."""
PLANNING = {
    "problems": 2,
    "ahead": AHEAD,
    "budget": AHEAD,
    "planners": {
        "cem": {"samples": 8, "elites": 2, "iterations": 1},
        "oracle": {"samples": 4, "elites": 2, "iterations": 1},
        "random": {},
    },
    "frames_shown": 1,
    "position_frames": 40,
    "position_probe": {"hidden": 8, "steps": 5},
}
SURPRISE = {"episodes": 2, "batch": 2, "frames_shown": 1}
SLOW = [pytest.param(world, marks=pytest.mark.slow) for world in ("reacher", "cube")]


@dataclass(frozen=True)
class Imported:
    manifest: DatasetManifest
    dataset: Dataset
    simulated: World


@pytest.fixture(scope="module", params=["pusht", "swm_two_room", *SLOW])
def imported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Imported]:
    world, folder = request.param, tmp_path_factory.mktemp("published")
    store: Store = open_store(str(folder / "store"))
    shares = {"validation_share": 0.0, "test_share": 0.5}
    fields = {"file": published_file(world, folder / "lewm.h5"), "name": "d0", "executor": "local", "world": world}
    manifest = import_hdf5(ImportConfig.model_validate({**fields, **shares, "actors": 1}), store)
    simulated = make_world(world, 1, image_size=SIDE)
    yield Imported(manifest, Dataset(store, "d0"), simulated)
    simulated.close()


def test_every_quantity_of_the_world_is_found(imported: Imported) -> None:
    plan, held = imported.manifest.plan, imported.manifest.quantities
    assert import_notices(plan, held) == []
    assert held == WORLDS.get(plan.world).world_spec.recorded


def test_the_world_put_into_a_published_state_shows_the_published_frame(imported: Imported) -> None:
    world = imported.simulated
    for episode in imported.dataset.episodes("test", limit=2):
        for row in (0, 9, 26):
            world.restore({name: value[None] for name, value in world.state_at(episode, row).items()})
            for name, value in world.state().items():
                np.testing.assert_allclose(value[0], episode.state[name][row], atol=2e-6, err_msg=name)
            np.testing.assert_array_equal(world.render_pixels()[0], episode.pixels[row])


def test_problems_are_drawn_and_their_goals_are_met_in_their_goal_states(imported: Imported) -> None:
    world, dataset = imported.simulated, imported.dataset
    problems = draw_problems(dataset, "test", "uniform", 4, AHEAD, seed=0)
    assert len(problems) == 4
    for problem in problems:
        goal = {name: value[None] for name, value in problem.goal.items()}
        world.restore({name: value[None] for name, value in problem.start.items()})
        assert world.distance(goal, "uniform")[0] > 0
        world.restore(goal)
        assert world.distance(goal, "uniform")[0] == pytest.approx(0, abs=1e-4) and world.success(goal, "uniform")[0]


@pytest.mark.parametrize(
    ("kind", "options", "metrics"),
    [
        ("planning", PLANNING, {"success_rate", "final_distance", "regret"}),
        ("surprise", SURPRISE, {"auroc"}),
    ],
)
def test_it_is_judged_like_our_own(
    kind: str, options: dict[str, object], metrics: set[str], imported: Imported
) -> None:
    dataset = imported.dataset
    model = WorldModel.from_config(
        ModelConfig(image_size=SIDE, action_size=dataset.action_size, encoder_options={"channels": (8, 8)})
    ).eval()
    evaluation = EVALUATIONS.get(kind)
    judge = evaluation(evaluation.Config.model_validate(options), "p")
    unit = judge.units(dataset)[0]
    rows = judge.run(unit, model, dataset, 0).metrics
    assert metrics <= {row["metric"] for row in rows}
    assert all(np.isfinite(row["value"]) for row in rows if row["metric"] in metrics)
