"""SIGReg: closed-form values, its gradient against autograd, and two gloo processes against one."""

import pytest
import torch
from torch import Tensor

from jepa.objectives.terms.sigreg import SIGReg, SIGRegConfig, _SIGReg
from tests.jepa.objectives.terms.formula import sigreg_formula
from tests.jepa.training.gloo import part, run_in_processes


def gaussian(steps: int, samples: int, size: int, std: float = 1.0, seed: int = 0) -> Tensor:
    return std * torch.randn(steps, samples, size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("samples", [32, 128, 512])
def test_a_standard_gaussian_scores_about_one_at_any_batch_size(samples: int) -> None:
    sigreg = SIGReg(SIGRegConfig(directions=1024))
    values = [float(sigreg(gaussian(4, samples, 192, seed=draw), step=draw, seed=0)) for draw in range(4)]
    assert sum(values) / 4 == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize(("samples", "narrow", "collapsed"), [(32, 1.5, 12.9), (128, 3.6, 51.5), (512, 11.9, 206.0)])
def test_departures_grow_with_the_batch(samples: int, narrow: float, collapsed: float) -> None:
    sigreg = SIGReg(SIGRegConfig(directions=1024))
    assert float(sigreg(gaussian(4, samples, 192, std=0.8), step=0, seed=0)) == pytest.approx(narrow, rel=0.08)
    assert float(sigreg(torch.zeros(1, samples, 192), step=0, seed=0)) == pytest.approx(collapsed, rel=0.01)


@pytest.mark.parametrize("tile_elements", [1, 4 * 24 * 7, 1 << 20])
@pytest.mark.parametrize("std", [1.0, 3.0, 0.01])
def test_value_and_gradient_equal_autograd_of_the_formula(std: float, tile_elements: int) -> None:
    config = SIGRegConfig(directions=20, tile_elements=tile_elements)
    ours = gaussian(4, 24, 8, std).requires_grad_()
    theirs = ours.detach().double().requires_grad_()
    sigreg = SIGReg(config)
    value = sigreg(ours, step=3, seed=1)
    expected = sigreg_formula(theirs, sigreg.directions(8, step=3, seed=1).double())
    # Autograd is told apart from a mere scale by an upstream factor of its own.
    (2.5 * value).backward()
    (2.5 * expected).backward()
    assert ours.grad is not None and theirs.grad is not None
    assert value.item() == pytest.approx(expected.item(), rel=1e-6)
    assert torch.allclose(ours.grad.double(), theirs.grad, rtol=1e-5, atol=1e-6 * float(theirs.grad.abs().max()))


def test_a_tile_suits_the_device_unless_it_is_given() -> None:
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    assert SIGRegConfig(tile_elements=7).tile_for(cpu) == SIGRegConfig(tile_elements=7).tile_for(gpu) == 7
    assert SIGRegConfig().tile_for(cpu) == 131_072 < 100 * SIGRegConfig().tile_for(cpu) < SIGRegConfig().tile_for(gpu)


def test_gradcheck_in_double_precision() -> None:
    z_TND = gaussian(2, 5, 3).double().requires_grad_()
    u_DM = SIGReg(SIGRegConfig(directions=4)).directions(3, step=0, seed=0).double()
    assert torch.autograd.gradcheck(lambda z: _SIGReg.apply(z, u_DM, SIGRegConfig(knots=9, t_max=4.0)), (z_TND,))


def test_directions_are_unit_fresh_each_step_and_reproducible() -> None:
    def draw(step: int, seed: int, variant: int = 0) -> Tensor:
        return SIGReg(SIGRegConfig(directions=50, seed=variant)).directions(16, step, seed)

    first = draw(7, seed=1)
    torch.manual_seed(123)
    assert torch.equal(first, draw(7, seed=1))
    assert torch.allclose(first.norm(dim=0), torch.ones(50))
    for other in (draw(8, seed=1), draw(7, seed=2), draw(7, seed=1, variant=1)):
        assert not torch.allclose(first, other)


PARTS = ((16, 16), (27, 5))


def sigreg_of_parts(rank: int, z_TND: Tensor) -> dict[str, Tensor]:
    results: dict[str, Tensor] = {}
    for sizes in PARTS:
        z_TnD = part(z_TND, rank, sizes, dim=1).clone().requires_grad_()
        value = SIGReg(SIGRegConfig(directions=40, tile_elements=4 * 16 * 11))(z_TnD, step=5, seed=0)
        value.backward()
        assert z_TnD.grad is not None
        results |= {f"{sizes}/value": value, f"{sizes}/grad": z_TnD.grad}
    return results


@pytest.mark.slow
def test_two_processes_give_the_value_and_gradient_of_one_on_the_whole() -> None:
    z_TND = gaussian(4, 32, 8, std=0.7)
    whole = z_TND.clone().requires_grad_()
    value = SIGReg(SIGRegConfig(directions=40))(whole, step=5, seed=0)
    value.backward()
    results = run_in_processes(sigreg_of_parts, 2, z_TND)
    assert whole.grad is not None
    for sizes in PARTS:
        for result in results:
            assert result[f"{sizes}/value"].item() == pytest.approx(value.item(), rel=1e-6)
        # Each process's gradient is that of the sum of two equal losses; DDP's average over processes halves it.
        joined = torch.cat([result[f"{sizes}/grad"] for result in results], 1) / 2
        assert torch.allclose(joined, whole.grad, rtol=1e-5, atol=1e-7)
