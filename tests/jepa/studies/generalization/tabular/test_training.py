"""Training on the spectral objective: its loss in expectation, and where it ends."""

import numpy as np
import pytest
import torch

from jepa.core.seeds import torch_generator
from jepa.studies.generalization.tabular.operators import contrastive_risk, operators, product_of, spectral_risk
from jepa.studies.generalization.tabular.optimum import right_space, shared_optimum, shared_tail, subspace_angle
from jepa.studies.generalization.tabular.training import contrast, draw_pairs, train_features
from jepa.studies.generalization.tabular.worlds import make_tabular_world

RING = make_tabular_world("ring", 24, 1.5, 0)


def test_the_objective_s_loss_is_the_contrastive_risk_in_expectation() -> None:
    features = shared_optimum(RING, 5)
    f_NK, g_ANK = torch.tensor(features.f_ANK[0].copy()), torch.tensor(features.g_ANK)
    pair_AB = draw_pairs(RING, 200_000, torch_generator(0, "pairs"))
    found = float(contrast(f_NK, g_ANK, pair_AB, 24))
    assert found == pytest.approx(contrastive_risk(RING, features).mean(), abs=0.02)


def test_stochastic_gradients_end_near_the_closed_form() -> None:
    operator_ANN = operators(RING)
    found = train_features(RING, 5, 500, seed=0)
    excess = spectral_risk(RING, product_of(RING, found)).mean() - shared_tail(operator_ANN, 5)
    assert 0 <= excess < 0.02
    assert subspace_angle(found.f_ANK[0], right_space(operator_ANN, 5)) < 5
    assert not np.allclose(found.f_ANK[0].T @ found.f_ANK[0], 24 * np.eye(5), atol=1)
