"""A learned distance keeps its promises whatever its weights: 0 to itself, no detour shorter, directions apart."""

import torch

from jepa.planning.heads.quasimetric import Quasimetric, QuasimetricConfig


def made() -> Quasimetric:
    torch.manual_seed(0)
    network = Quasimetric(4, QuasimetricConfig(width=16))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(3)
    return network


@torch.inference_mode()
def test_no_detour_is_shorter_and_every_latent_is_at_itself() -> None:
    one, other, third = torch.randn(3, 500, 4)
    distance = made()
    assert (distance(one, third) <= distance(one, other) + distance(other, third) + 1e-4).all()
    assert (distance(one, other) > 0).all() and distance(one, one).max() < 1e-3


@torch.inference_mode()
def test_the_way_back_may_be_longer() -> None:
    one, other = torch.randn(2, 500, 4)
    there, back = made()(one, other), made()(other, one)
    assert (there / back).max() > 1.1 and (there / back).min() < 0.9


@torch.inference_mode()
def test_goals_fit_by_broadcasting() -> None:
    z, goal, distance = torch.randn(3, 5, 2, 4), torch.randn(3, 4), made()
    whole = distance(z, goal[:, None, None].expand_as(z))
    torch.testing.assert_close(distance(z, goal[:, None, None]), whole)


def test_it_has_a_slope_at_the_goal_itself() -> None:
    z = torch.randn(5, 4, requires_grad=True)
    made()(z, z.detach()).sum().backward()
    assert z.grad is not None and z.grad.isfinite().all()


@torch.inference_mode()
def test_what_depends_on_the_direction_is_never_a_gain() -> None:
    torch.manual_seed(0)
    distance = Quasimetric(4, QuasimetricConfig(width=16, parts=1, part_size=1))
    for parameter in list(distance.parameters())[-2:]:
        parameter[1] = 0
    one, other = torch.randn(2, 200, 4)
    there, back = distance(one, other), distance(other, one)
    assert torch.minimum(there, back).min() >= 0
    # Of the two ways between latents one is free.
    assert (torch.minimum(there, back) < 2e-4).all() and (torch.maximum(there, back) > 1e-3).float().mean() > 0.9
