"""A linear layer by either library: the same values, and gradients where they are asked for."""

import pytest
import torch
from torch import nn

from jepa.models.layers import linear
from jepa.models.layers.linear import Linear
from jepa.models.predictors.predictor import PREDICTORS
from jepa.models.world_model import ModelConfig, WorldModel
from tests.jepa.models.test_world_model import SMALL_VIT, draws, shake

pytestmark = pytest.mark.skipif(
    not hasattr(torch.ops.mkldnn, "_linear_pointwise"), reason="torch was built without oneDNN"
)


@pytest.fixture
def onednn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Prefers oneDNN on any processor; holds the rows of its products."""
    taken: list[int] = []

    def takes(x: torch.Tensor, weight: torch.Tensor) -> bool:
        taken.append(x.shape[:-1].numel() if held(x, weight) else 0)
        return bool(taken[-1])

    held = linear._takes_onednn
    monkeypatch.setattr(linear, "prefers_onednn", lambda: True)
    monkeypatch.setattr(linear, "_takes_onednn", takes)
    return taken


@torch.no_grad()
@pytest.mark.parametrize("bias", [True, False])
def test_values_are_those_of_the_plain_layer(onednn: list[int], bias: bool) -> None:
    layer = Linear(48, 20, bias=bias)
    wide = draws(7, 5, 3, 48)
    for x in (wide, wide[:, :, -1:], wide[:, 1:3, 0], wide.transpose(0, 2), wide[0, 0], draws(1, 48)):
        torch.testing.assert_close(layer(x), nn.functional.linear(x, layer.weight, layer.bias))
        assert onednn[-1] == x.shape[:-1].numel()
    assert layer(wide[:0]).shape == (0, 5, 3, 20) and layer(wide[0, 0, 0]).shape == (20,)
    assert onednn[-2:] == [0, 0]
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(wide).dtype == torch.bfloat16
    assert layer.double()(wide.double()).dtype == torch.float64
    assert onednn[-2:] == [0, 0]


def test_where_a_gradient_is_asked_for_there_is_one(onednn: list[int]) -> None:
    layer, x = Linear(6, 4), draws(3, 6).requires_grad_()
    layer(x).sum().backward()
    assert onednn == [0] and x.grad is not None and layer.weight.grad is not None


@pytest.mark.parametrize("name", PREDICTORS)
def test_a_model_s_latents_and_rollouts_are_the_same(name: str, onednn: list[int]) -> None:
    config = ModelConfig.model_validate({**SMALL_VIT, "history": 3, "image_size": 32, "predictor": name})
    model = shake(WorldModel.from_config(config).eval())
    side, draw = model.config.image_size, torch.Generator().manual_seed(4)
    frames = torch.randint(0, 256, (2, 1, side, side, 3), dtype=torch.uint8, generator=draw)
    action = draws(6, 4, model.config.frameskip, 2)
    plain = model.rollout(model.encode(frames), action)
    assert plain.requires_grad and not any(onednn)
    with torch.inference_mode():
        fast = model.rollout(model.encode(frames), action)
    torch.testing.assert_close(fast, plain.detach(), atol=2e-4, rtol=1e-4)
    assert sum(onednn) > 50
