"""The study of objectives: its arms, one small cell of each, and figures that depend on the cell alone."""

from collections.abc import Iterator

import pytest

from jepa.core.errors import InputError
from jepa.evaluation import get_protocol
from jepa.objectives import OBJECTIVES
from jepa.studies import STUDIES, cells_of, run_study
from jepa.studies.in_memory import ClipSampler, Collection, collected, new_model
from jepa.studies.objectives import sizes
from jepa.studies.objectives.arms import ARMS, SPECIAL, make_arm
from jepa.studies.objectives.sizes import setting

SHORT = {"experiment": "side_by_side", "amount": 3.0, "episodes": 8}
CLOCKED = {"training_seconds"}


@pytest.fixture(scope="module", autouse=True)
def _quick() -> Iterator[None]:
    """Judges by the protocol that only shows that all runs: these tests look at no figure's size."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sizes, "SMALL_PROTOCOL", get_protocol("tiny-v1"))
        yield


def test_every_objective_of_the_house_is_an_arm() -> None:
    made_of = {SPECIAL.get(arm, (arm, {}))[0] for arm in ARMS}
    assert made_of == {name for name in OBJECTIVES if OBJECTIVES.get(name).__module__.startswith("jepa.objectives.")}
    study = STUDIES.get("objectives")()
    for preset, seeds in (("tiny", 3), ("paper", 10)):
        cells = study.cells(preset)
        assert len(cells) == seeds * len(ARMS) and {cell.objective for cell in cells} == set(ARMS)


def test_an_objective_that_is_none_is_refused() -> None:
    for name in ("frozen", "luck"):
        with pytest.raises(InputError, match=f"objective '{name}' is no arm of this study"):
            cells_of(STUDIES.get("objectives").Cell, [SHORT | {"objective": name}])


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    return run_study("objectives", grid=[SHORT | {"objective": ["lewm", "frozen_random"]}]).rows


def test_a_cell_has_every_kind_of_figure(rows: list[dict[str, object]]) -> None:
    figures = {(row["metric"], row["quantity"]) for row in rows if row["objective"] == "lewm"}
    for quantity in ("uniform", "cross_room"):
        for planner in ("", "_by_oracle", "_by_random"):
            assert {(f"goals_reached{planner}", quantity), (f"final_distance{planner}", quantity)} <= figures
    assert {
        ("linear_r2", "agent_position"),
        ("mlp_r2", "door"),
        ("auroc", "teleport"),
        ("auroc", "recolour"),
    } <= figures
    latent = ("effective_rank", "straightness", "sigreg", "latent_spread", "unpredicted", "spread_left")
    assert {(name, None) for name in (*latent, "steps", "training_seconds")} <= figures
    assert {row["value"] for row in rows if row["metric"] == "steps"} == {3}


def test_a_cell_is_a_function_of_its_fields(rows: list[dict[str, object]]) -> None:
    def figures(found: list[dict[str, object]]) -> list[tuple[object, ...]]:
        keys = ("objective", "metric", "quantity", "value", "ci_low", "ci_high")
        return [tuple(row[key] for key in keys) for row in found if row["metric"] not in CLOCKED]

    again = run_study("objectives", grid=[SHORT | {"objective": "frozen_random"}]).rows
    assert figures(again) == figures([row for row in rows if row["objective"] == "frozen_random"])


def test_a_frozen_encoder_stays_as_it_was_initialised(rows: list[dict[str, object]]) -> None:
    left = {row["objective"]: row["value"] for row in rows if row["metric"] == "spread_left"}
    assert left["frozen_random"] == 1.0 and left["lewm"] != 1.0
    chosen = setting("small", "two_room", 8, 0, 0)
    source = collected(Collection(train=8, validation=0, test=1, image_size=32))
    sampler = ClipSampler(source, 3, 5, 8, seed=0)
    objective = make_arm("frozen_random", new_model(chosen.recipe.model, source, 0), source, sampler, {}, 0)
    trained = {name for name, weight in objective.named_parameters() if weight.requires_grad}
    assert trained and not any(name.startswith(("model.encoder", "model.projector")) for name in trained)


def test_seconds_become_steps() -> None:
    """A regressed quantity needs what the world says of it, too."""
    block = SHORT | {"budget": "seconds", "amount": 0.2, "objective": "auxiliary"}
    found = {row["metric"]: row["value"] for row in run_study("objectives", grid=[block]).rows}
    assert found["steps"] >= 1 and found["training_seconds"] > 0
