"""The cost `decoded`: where the probe is the identity it is the true squared distance of what the goal is about."""

from typing import Any

import pytest
import torch

from jepa.core.errors import InputError
from jepa.planning import PlanningSetting, make_cost
from jepa.planning.heads.head import HeadSizes
from jepa.planning.heads.probe import ProbeHead, ProbeHeadConfig
from tests.jepa.evaluation.standins import CentroidModel

MODEL: Any = CentroidModel()


def reading(**quantities: int) -> ProbeHead:
    """Returns a probe whose network reads the first two values off a latent as they are, the others as 0."""
    sizes = HeadSizes(latent_size=2, frameskip=5, action_size=2, quantities=quantities)
    head = ProbeHead(ProbeHeadConfig(), sizes)
    linear = torch.nn.Linear(2, sum(quantities.values()))
    with torch.no_grad():
        linear.weight.zero_()
        linear.bias.zero_()
        linear.weight[:2, :2] = torch.eye(2)
    head.network = torch.nn.Sequential(linear)
    return head


def weight_of(head: ProbeHead) -> torch.Tensor:
    """Returns the weights of its only layer."""
    return dict(head.network.named_parameters())["0.weight"]


def setting(head: ProbeHead, world: str = "two_room") -> PlanningSetting:
    return PlanningSetting(MODEL, world, {}, {"probe": head})


@torch.inference_mode()
def test_it_is_the_true_distance_of_what_the_goals_score() -> None:
    head = reading(agent_position=2, door=1)
    # In Two-Room goals are places, and the door, however far it is, plays no part.
    weight_of(head)[2] = 5.0
    z_PCHD, goal_PD = torch.rand(3, 4, 5, 2), torch.rand(3, 2)
    true_PCH = (z_PCHD - goal_PD[:, None, None]).square().sum(-1)
    cost = {"name": "decoded", "own_units": True}
    torch.testing.assert_close(make_cost(cost, setting(head))(z_PCHD, goal_PD, None), true_PCH[..., -1])
    torch.testing.assert_close(
        make_cost({**cost, "path_weight": 0.5}, setting(head))(z_PCHD, goal_PD, 20),
        true_PCH[..., -1] + 0.5 * true_PCH.mean(-1),
    )


@torch.inference_mode()
def test_unlike_quantities_add_up_in_their_spreads() -> None:
    head = reading(agent_position=2, door=1)
    weight_of(head)[2, 0] = 1.0
    head.spread_X.copy_(torch.tensor([10.0, 10.0, 0.1]))
    z_PCHD, goal_PD = torch.rand(2, 4, 1, 2), torch.rand(2, 2)
    off_PCD = z_PCHD[:, :, 0] - goal_PD[:, None]
    own = make_cost({"name": "decoded", "quantities": ["agent_position", "door"], "own_units": True}, setting(head))
    by_spread = make_cost({"name": "decoded", "quantities": ["agent_position", "door"]}, setting(head))
    # What the network gives is in spreads already: ten scene widths, and a tenth of one.
    place, door = off_PCD.square().sum(-1), off_PCD[..., 0].square()
    torch.testing.assert_close(by_spread(z_PCHD, goal_PD, None), place + door)
    torch.testing.assert_close(own(z_PCHD, goal_PD, None), 100 * place + 0.01 * door)


def test_a_quantity_that_nobody_reads_is_named() -> None:
    for quantities, wanted in ((["colour"], "'colour'"), ([], "'agent_position'")):
        with pytest.raises(
            InputError, match=f"cost.quantities has {wanted}, which head 'probe' does not read; .*: door"
        ):
            make_cost({"name": "decoded", "quantities": quantities}, setting(reading(door=2)))
    with pytest.raises(
        InputError, match="head 'probe' of the model is needed and not there; fit it with `jepa fit-heads"
    ):
        make_cost({"name": "decoded"}, PlanningSetting(MODEL, "two_room", {}))
