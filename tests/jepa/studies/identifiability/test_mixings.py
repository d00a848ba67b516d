"""Mixings are invertible, and are what their formulas say."""

import math

import pytest
import torch

from jepa.core.errors import InputError
from jepa.core.seeds import torch_generator
from jepa.studies.identifiability.encoders import InverseCoupling
from jepa.studies.identifiability.mixings import Coupling, MixingName, make_mixing, uncouple


def states(size: int = 2, n: int = 200) -> torch.Tensor:
    return torch.randn(n, size, generator=torch_generator(0, "states"))


@pytest.mark.parametrize("layers", [1, 4, 7])
def test_the_coupling_is_undone_by_its_own_matrices(layers: int) -> None:
    mix = Coupling(3, layers, seed=1)
    x = mix(states(6))
    assert (x - states(6)).abs().max() > 0.5
    torch.testing.assert_close(uncouple(x, mix.weight_LDD), states(6), atol=1e-5, rtol=0)
    encoder = InverseCoupling(6, layers)
    assert (encoder(x) - states(6)).abs().max() > 0.1  # the state is not given
    encoder.weight_LDD.data.copy_(mix.weight_LDD)
    torch.testing.assert_close(encoder(x), states(6), atol=1e-5, rtol=0)


def test_the_couplings_matrices_are_twice_orthogonal_and_of_their_seed() -> None:
    weight = Coupling(4, 2, seed=3).weight_LDD
    torch.testing.assert_close(weight @ weight.mT, 4 * torch.eye(4).expand(2, 4, 4), atol=1e-5, rtol=0)
    assert torch.equal(weight, Coupling(4, 2, seed=3).weight_LDD)
    assert not torch.allclose(weight, Coupling(4, 2, seed=4).weight_LDD)


def test_the_spiral_turns_each_circle() -> None:
    z, spiral = states(), make_mixing("spiral", 2)
    torch.testing.assert_close(spiral(z).norm(dim=1), z.norm(dim=1))
    torch.testing.assert_close(spiral(torch.tensor([[1.0, 0.0]])), torch.tensor([[-1.0, 0.0]]))
    torch.testing.assert_close(spiral(torch.tensor([[0.5, 0.0]])), torch.tensor([[0.0, 0.5]]))


def test_sinusoid_and_banana_bend_one_coordinate() -> None:
    z = torch.tensor([[1.0, math.pi / 3]])
    torch.testing.assert_close(make_mixing("sinusoid", 2)(z), torch.tensor([[2.0, math.pi / 3]]))
    torch.testing.assert_close(make_mixing("banana", 2)(z * 2), torch.tensor([[2.0, 2 * math.pi / 3 + 4.0]]))
    assert torch.equal(make_mixing("none", 2)(z), z)


@pytest.mark.parametrize(("name", "size"), [("spiral", 3), ("sinusoid", 4), ("banana", 1), ("coupling", 5)])
def test_a_wrong_number_of_dimensions_is_refused(name: MixingName, size: int) -> None:
    with pytest.raises(InputError, match=f"{name}.*got {size}"):
        make_mixing(name, size)
