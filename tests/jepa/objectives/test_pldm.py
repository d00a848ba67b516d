"""PLDM's seven terms, each against its closed form, and their weighted sum."""

import pytest
import torch

from jepa.objectives import make_objective
from jepa.objectives.pldm import batch_covariance, off_diagonal, spread_hinge, time_covariance
from tests.jepa.models.test_world_model import draws, make_model, shake
from tests.jepa.training.toy import toy_clips


def test_pldm_s_terms_have_their_closed_forms() -> None:
    z_BTD = draws(7, 4, 3)
    for t in range(4):
        assert torch.allclose(batch_covariance(z_BTD)[t], z_BTD[:, t].T.cov(), atol=1e-6)
    for b in range(7):
        assert torch.allclose(time_covariance(z_BTD)[b], z_BTD[b].T.cov(), atol=1e-6)
    covariance = torch.tensor([[[0.25, 0.3], [0.3, 4.0]]])
    assert spread_hinge(covariance, 1.0)[0].tolist() == pytest.approx([0.5, 0.0], abs=1e-3)
    assert float(off_diagonal(covariance)) == pytest.approx(0.09)
    with pytest.raises(ValueError, match="at least 2 clips"):
        batch_covariance(z_BTD[:1])


def test_pldm_s_loss_is_the_weighted_sum_and_the_inverse_head_predicts_actions() -> None:
    weights = {
        "variance": 2.0,
        "covariance": 3.0,
        "time_similarity": 5.0,
        "time_variance": 7.0,
        "time_covariance": 11.0,
    }
    model = shake(make_model(2)).train()
    model.set_action_statistics([1.0, -1.0], [0.5, 2.0])
    objective = make_objective("pldm", model, weights | {"inverse_dynamics": 13.0})
    clips = toy_clips(8)
    terms = objective(clips, 0, 10, diagnostics=False)
    weighted = terms["prediction"] + sum(weight * terms[name] for name, weight in weights.items())
    assert torch.allclose(terms["loss"], weighted + 13.0 * terms["inverse_dynamics"])
    z_BTD = model.encode(clips.pixels_BTHWC)
    assert torch.allclose(terms["time_similarity"], (z_BTD[:, 1:] - z_BTD[:, :-1]).square().mean())
    for parameter in objective.get_submodule("inverse").parameters():
        parameter.data.zero_()
    scaled = (clips.action_BTKA - torch.tensor([1.0, -1.0])) / torch.tensor([0.5, 2.0])
    assert torch.allclose(objective(clips, 0, 10)["inverse_dynamics"], scaled.square().mean())
    assert make_objective("pldm", make_model(2)).inverse is None


def test_covariances_stay_in_full_precision_under_autocast() -> None:
    z_BTD = draws(7, 4, 3)
    expected = [batch_covariance(z_BTD), time_covariance(z_BTD)]
    with torch.autocast("cpu", torch.bfloat16):
        found = [batch_covariance(z_BTD), time_covariance(z_BTD)]
    assert all(torch.equal(one, two) for one, two in zip(found, expected, strict=True))
