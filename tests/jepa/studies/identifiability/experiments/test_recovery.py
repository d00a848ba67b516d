"""An encoder that is trained for seconds recovers a Gaussian world."""

import pytest

from jepa.studies.identifiability.cell import IdentifiabilityCell
from jepa.studies.identifiability.experiments import recovery
from jepa.studies.identifiability.mixings import make_mixing

SHORT = {"steps": 700, "learning_rate": 2e-2, "directions": 8, "samples": 4000}


def measured(**fields: object) -> dict[str, float]:
    result = recovery.run(IdentifiabilityCell.model_validate(fields))
    return {one.metric: one.value for one in result.measures}


@pytest.mark.parametrize("dim", [4, 16])
def test_a_matched_encoder_recovers_the_state_behind_a_coupling(dim: int) -> None:
    found = measured(experiment="scaling", mixing="coupling", encoder="matched", dim=dim, weight=1e-6, **SHORT)
    assert found["r2_input"] < 0.9 < 0.999 < found["r2"]
    assert found["r2_inverse"] > 0.999 and found["orthogonality_rescaled"] < 0.05
    assert found["error"] < found["bound"] and found["dynamics_error"] < 0.03


def test_a_fast_coordinate_gives_way_to_the_square_of_a_slow_one() -> None:
    fields = {"experiment": "rates", "mixing": "none", "objective": "whiten", "weight": 0.5, "width": 24, "hidden": 2}
    found = measured(**fields, rho_fast=0.3, **{**SHORT, "learning_rate": 1e-2, "steps": 500})
    assert found["r2_slow"] > 0.9 and found["r2_fast"] < 0.1


def test_of_several_restarts_the_lowest_loss_is_kept() -> None:
    fields = {"experiment": "scaling", "encoder": "matched", "dim": 2, "weight": 1e-6, **SHORT, "steps": 20}
    cell = IdentifiabilityCell.model_validate(fields)
    mix = make_mixing(cell.mixing, cell.dim, cell.layers, cell.seed)
    losses = [recovery.train_encoder(cell, mix, restart)[0] for restart in range(3)]
    assert len(set(losses)) == 3
    assert measured(**fields, restarts=3)["training_loss"] == min(losses)
    assert measured(**fields)["training_loss"] == losses[0]
