"""A rollout that keeps keys and values: for every predictor what the plain one gives, with fewer tokens computed."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from jepa.models.layers.attention import FEW_KEYS
from jepa.models.predictors.predictor import PREDICTORS, Predictor
from jepa.models.predictors.transformer import TransformerPredictor
from tests.jepa.models.test_world_model import draws

LATENT, TOKENS = 12, 3
SIZES = {"depth": 3, "heads": 2, "head_size": 4, "mlp_size": 16, "dropout": 0.1}
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "lean": [{"width": 16}, {"width": 16, "output": "projector", "projector_size": 20}],
    "paper": [{"projector_size": 20}],
    "tokens": [{"width": 16}],
}
KINDS = [(name, index) for name in PREDICTORS for index in range(len(OPTIONS[name]))]


def predictor_of(kind: tuple[str, int], history: int) -> Predictor:
    """Returns a predictor in double precision, none of whose weights is zero, and whose BatchNorms have seen data."""
    name, index = kind
    made = PREDICTORS.get(name)
    torch.manual_seed(3)
    config = made.Config.model_validate(SIZES | OPTIONS[name][index])
    predictor = made(config, LATENT, history, TOKENS if name == "tokens" else 1).double().eval()
    for index, (field, value) in enumerate(predictor.state_dict().items()):
        draw = draws(*value.shape, seed=index).to(value)
        value.copy_(1 + draw.abs() if field.endswith("running_var") else value + 0.3 * draw)
    return predictor


def given(predictor: Predictor, contexts: int, each: int, frames: int, steps: int = 6) -> tuple[Tensor, Tensor, Tensor]:
    """Returns latents of contexts, embedded actions between their frames, and those to take."""
    width = type(predictor).action_width(predictor.config, LATENT)
    shapes = (contexts, frames, LATENT), (contexts, frames - 1, width), (contexts * each, steps, width)
    z, past, action = (draws(*shape, seed=seed).double() for seed, shape in enumerate(shapes))
    return z, past, action


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[0]}{kind[1]}")
@pytest.mark.parametrize("history", [1, 2, 3, 4, FEW_KEYS + 2])
@torch.no_grad()
def test_it_is_the_plain_rollout(kind: tuple[str, int], history: int) -> None:
    predictor = predictor_of(kind, history)
    assert isinstance(predictor, TransformerPredictor)
    for frames in range(1, history + 1):
        for contexts, each in ((3, 1), (1, 4), (2, 3)):
            # Longer and shorter than the window takes to slide.
            for steps in (1, 6):
                inputs = given(predictor, contexts, each, frames, steps)
                plain, fast = Predictor.rollout(predictor, *inputs), predictor.rollout(*inputs)
                assert plain.shape == (contexts * each, steps, LATENT) and plain.std(0).max() > 0.01
                torch.testing.assert_close(fast, plain, atol=1e-11, rtol=1e-9)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[0]}{kind[1]}")
@torch.no_grad()
def test_single_precision_and_half_stay_as_near_as_the_plain_rollout(kind: tuple[str, int]) -> None:
    predictor = predictor_of(kind, 3)
    exact = predictor.rollout(*given(predictor, 2, 4, 2))
    predictor.float()
    inputs = [one.float() for one in given(predictor, 2, 4, 2)]
    torch.testing.assert_close(predictor.rollout(*inputs).double(), exact, atol=2e-5, rtol=1e-5)
    with torch.autocast("cpu", torch.bfloat16):
        fast, plain = (roll(*inputs) for roll in (predictor.rollout, lambda *x: Predictor.rollout(predictor, *x)))
    assert fast.dtype == torch.float32
    errors = [float((one.double() - exact).square().mean().sqrt()) for one in (fast, plain)]
    assert 0 < errors[0] < 1.5 * errors[1]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: f"{kind[0]}{kind[1]}")
def test_gradients_are_those_of_the_plain_rollout(kind: tuple[str, int]) -> None:
    predictor = predictor_of(kind, 3)
    wanted = []
    for roll in (predictor.rollout, lambda *x: Predictor.rollout(predictor, *x)):
        inputs = [one.requires_grad_() for one in given(predictor, 2, 3, 3, steps=4)]
        out = roll(*inputs)
        wanted.append(torch.autograd.grad((out * draws(*out.shape, seed=8)).sum(), [*inputs, *predictor.parameters()]))
    for fast, plain in zip(*wanted, strict=True):
        torch.testing.assert_close(fast, plain, atol=1e-10, rtol=1e-8)
    assert all(float(plain.abs().max()) > 0 for plain in wanted[1][:3])


@pytest.mark.parametrize("name", ["lean", "paper"])
def test_nine_token_steps_take_the_place_of_twelve(name: str) -> None:
    """A window of three over five steps from one frame; the last block's MLP and the output see the newest only."""
    predictor, inputs = predictor_of((name, 0), 3), given(predictor_of((name, 0), 3), 1, 7, 1, steps=5)
    seen: dict[str, list[int]] = {}
    for field, module in predictor.named_modules():
        if isinstance(module, nn.Linear):
            module.register_forward_hook(
                lambda _module, x, _out, field=field: seen.setdefault(field, []).append(x[0].shape[:-1].numel() // 7)
            )
    predictor.rollout(*inputs)
    for index in range(2):
        assert seen[f"blocks.{index}.attention.qkv"] == [1, 1, 1, 3, 3]
        assert sum(seen[f"blocks.{index}.mlp.{0 if name == 'lean' else 1}"]) == 9
    assert seen["blocks.2.attention.qkv"] == [1, 1, 1, 3, 3]
    assert seen[f"blocks.2.mlp.{0 if name == 'lean' else 1}"] == [1] * 5
    assert seen["blocks.0.modulation.1"] == [0, 5], "each action is looked at once"
    predictor.rollout(*given(predictor, 1, 7, 3, steps=5))
    # Of three real frames two are the same for all seven sequences, and one of them stays in the next window.
    assert [one for one in seen["blocks.0.attention.qkv"][5:] if one] == [1, 2, 3, 3, 3]


def test_in_training_a_window_counts_whole() -> None:
    """BatchNorm's statistics are those of all entries, whichever is asked for."""
    predictor = predictor_of(("lean", 1), 3).train()
    predictor.requires_grad_(False)
    inputs = given(predictor, 3, 1, 2)
    before = {name: value.clone() for name, value in predictor.state_dict().items()}
    found = []
    for roll in (predictor.rollout, lambda *x: Predictor.rollout(predictor, *x)):
        predictor.load_state_dict(before)
        torch.manual_seed(1)
        found.append((roll(*inputs), predictor.get_buffer("projector.norm.running_mean").clone()))
    assert torch.equal(found[0][0], found[1][0]) and torch.equal(found[0][1], found[1][1])
    assert not torch.equal(found[0][1], before["projector.norm.running_mean"])
