"""Planning of the point mass: perfect dynamics arrive, and a cost that knows nothing does not."""

import torch

from jepa.core.seeds import torch_generator
from jepa.studies.generalization.point_mass.models import PointMassModel
from jepa.studies.generalization.point_mass.planning import model_cost, pursue, success_of_truth
from jepa.studies.generalization.point_mass.world import draw_problems, make_sensor


def test_true_dynamics_reach_goals_by_the_distance_of_inputs() -> None:
    for noise in (0.0, 1.0):
        assert success_of_truth(make_sensor(noise, seed=1), 20, 8, seed=1).all()


def test_a_cost_without_knowledge_does_not() -> None:
    start, goal = draw_problems(20, 8, seed=1)
    generator = torch_generator(0, "costs")
    reached = pursue(
        lambda _: lambda action: torch.rand(action.shape[:2], generator=generator), start, goal, 25, seed=0
    )
    assert not reached.any()


def test_the_cost_of_a_candidate_does_not_depend_on_others() -> None:
    torch.manual_seed(0)
    model, generator = PointMassModel("latent"), torch_generator(0, "actions")
    latent_PD, aim_PD = torch.randn(3, 16, generator=generator), torch.randn(3, 16, generator=generator)
    action_PSHKA = torch.randn(3, 5, 3, 1, 2, generator=generator)
    found_PS = model_cost(model, latent_PD, aim_PD, action_PSHKA)
    alone = model_cost(model, latent_PD[1:2], aim_PD[1:2], action_PSHKA[1:2, 4:5])
    assert found_PS.shape == (3, 5) and torch.allclose(found_PS[1, 4], alone[0, 0], atol=1e-5)
