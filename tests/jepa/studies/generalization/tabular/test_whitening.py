"""Whitened encoders: k - Σ σ² with a free predictor, 2 (1 - ρ) when the prediction is the identity."""

import numpy as np
import pytest

from jepa.core.seeds import numpy_generator
from jepa.studies.generalization.tabular.operators import operators
from jepa.studies.generalization.tabular.optimum import right_space, singular_values
from jepa.studies.generalization.tabular.whitening import alignment_risk, prediction_risk, whitened
from jepa.studies.generalization.tabular.worlds import make_tabular_world, ornstein_uhlenbeck


@pytest.mark.parametrize("action", range(4))
def test_the_least_loss_of_a_whitened_encoder_is_what_its_singular_values_leave(action: int) -> None:
    world = make_tabular_world("skewed_blocks", 24, 1.0, 0)
    operator_NN, law_N = operators(world)[action], world.next_AN[action]
    f_NK = right_space(operator_NN[None], 4) / np.sqrt(law_N)[:, None]
    least = 4 - np.square(singular_values(operator_NN[None])[0, :4]).sum()
    assert prediction_risk(world, f_NK, action) == pytest.approx(least, abs=1e-10)
    rng = numpy_generator(0, "encoders")
    for _ in range(10):
        other_NK = whitened(rng.normal(size=(24, 4)), law_N)
        assert other_NK.T @ (law_N[:, None] * other_NK) == pytest.approx(np.eye(4), abs=1e-10)
        assert prediction_risk(world, other_NK, action) > least


def test_aligning_the_latent_of_the_process_costs_what_the_other_paper_says() -> None:
    world = ornstein_uhlenbeck(0.9)
    z_N1 = np.linspace(-8, 8, 201)[:, None]
    assert alignment_risk(world, z_N1) == pytest.approx(2 * (1 - 0.9), abs=1e-8)
    assert prediction_risk(world, z_N1) == pytest.approx(1 - 0.9**2, abs=1e-8)
    square_N1 = (z_N1**2 - 1) / 2**0.5
    assert alignment_risk(world, square_N1) == pytest.approx(2 * (1 - 0.9**2), abs=1e-6)
