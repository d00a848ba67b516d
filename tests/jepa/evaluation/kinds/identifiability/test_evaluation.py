"""The evaluation `identifiability` on latents that are known: a rotation of the state, a bent one, and the position."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import ortho_group

from jepa.core.errors import InputError
from jepa.evaluation import IdentifiabilityConfig, IdentifiabilityEvaluation
from jepa.evaluation.kinds.identifiability.evaluation import Sequences, rotation_figures, state_quantities
from jepa.evaluation.kinds.identifiability.readout import Readout, fit_readout
from tests.jepa.evaluation.kinds.identifiability.test_premises import linear_world
from tests.jepa.evaluation.standins import CentroidModel, MemorySource, figures

MODEL: Any = CentroidModel()
ROTATION = ortho_group.rvs(2, random_state=3)
PLACE = ortho_group.rvs(5, random_state=4)
"""Of the state's plane among the latent's five dimensions."""


def latents(z_TQ: NDArray[np.float64], bend: float) -> NDArray[np.float64]:
    """Returns three times a rotation of the state in a plane of five dimensions, bent by so much, beside noise."""
    rng = np.random.default_rng(5)
    turned = z_TQ @ ROTATION.T + bend * np.column_stack([z_TQ[:, 1] ** 2, z_TQ[:, 0] ** 3])
    placed: NDArray[np.float64] = np.column_stack([turned, rng.standard_normal((len(z_TQ), 3))]) @ PLACE.T
    return 3 * placed + 7


def found_for(bend: float) -> tuple[dict[Any, float], Readout, list[Sequences]]:
    world = linear_world(200)
    pairs = [(latents(z_TQ, bend), z_TQ) for z_TQ in world]
    readout = fit_readout(np.concatenate([h for h, _ in pairs]), np.concatenate([z for _, z in pairs]))
    episodes = [Sequences(h_TD, readout.scaling(z_TQ)) for h_TD, z_TQ in pairs]
    return rotation_figures(episodes, readout), readout, episodes


def test_a_rotation_in_a_subspace_is_found_whatever_its_scale_and_place() -> None:
    found, readout, episodes = found_for(bend=0.0)
    assert found["orthogonality_error", None] < 0.05 and found["rotation_error", "measured"] < 0.01
    assert found["rotation_error", "measured"] <= found["rotation_error", "bound"] + 1e-9
    projected = readout.project(episodes[0].h_TD)
    assert projected.shape == (20, 2)


def test_latents_that_bend_the_state_are_far_from_every_rotation() -> None:
    straight, bent = found_for(bend=0.0)[0], found_for(bend=0.8)[0]
    for key in (("orthogonality_error", None), ("rotation_error", "measured"), ("delta", None)):
        assert bent[key] > straight[key] + 0.05, key


def test_latents_that_are_the_position_hold_it_and_nothing_else(source: MemorySource) -> None:
    evaluation = IdentifiabilityEvaluation(IdentifiabilityConfig(train_frames=1000, episodes=20, blocks=5), "p-v1")
    assert evaluation.units(source) == ["test", "unseen"]
    values = figures(evaluation.run("test", MODEL, source, seed=0).metrics, "quantity")
    assert values["state_from_latent", "linear_r2"] > 0.999 and values["latent_from_state", "linear_r2"] > 0.999
    assert values[None, "orthogonality_error"] < 0.2 and values["measured", "rotation_error"] < 0.05
    assert 0 < values["agent_position_0", "lag_correlation"] < 1 and values["agent_position_1", "excess_kurtosis"] < 0


def test_latents_with_fewer_dimensions_than_the_state_have_no_rotation(source: MemorySource) -> None:
    wide = IdentifiabilityConfig(train_frames=500, episodes=8, blocks=4, quantities=("agent_position", "door"))
    rows = IdentifiabilityEvaluation(wide, "p-v1").run("test", MODEL, source, seed=0).metrics
    metrics = {row["metric"] for row in rows}
    assert {"linear_r2", "orthogonality_error"} <= metrics and not {"rotation_error", "epsilon"} & metrics
    held = {row["quantity"]: row["value"] for row in rows if row["metric"] == "lag_correlation"}
    assert held["door"] == pytest.approx(1)


def test_the_state_is_what_goals_score_or_what_is_named(source: MemorySource) -> None:
    assert state_quantities(source) == ["agent_position"] and state_quantities(source, ["door"]) == ["door"]
    with pytest.raises(
        InputError, match=r"identifiability\.quantities names 'mood'; the dataset holds: agent_position"
    ):
        state_quantities(source, ["mood"])
    with pytest.raises(InputError, match="no 'train' episodes"):
        IdentifiabilityEvaluation(IdentifiabilityConfig(), "p-v1").units(MemorySource({"test": 1}, steps=5))
    with pytest.raises(InputError, match="no 'test' episode has 5 steps"):
        IdentifiabilityEvaluation(IdentifiabilityConfig(), "p-v1").run(
            "test", MODEL, MemorySource({"train": 4, "test": 1}, steps=3), 0
        )
