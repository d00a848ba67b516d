"""The ResNet-18 encoder: torchvision's numbers, files; two processes stand in `test_distributed_training.py`."""

import copy
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from jepa.core.errors import InputError
from jepa.models.encoders.encoder import ENCODERS
from jepa.models.encoders.resnet import ResNet18Config
from jepa.models.files import load_model, save_model
from jepa.models.pretrained import load_encoder
from jepa.models.world_model import WorldModel
from tests.jepa.models.test_world_model import make_model

RESNET: dict[str, Any] = {"encoder": "resnet18"}


def frames(count: int = 8) -> Tensor:
    return torch.randn(count, 3, 40, 40, generator=torch.Generator().manual_seed(2))


def resnet() -> nn.Module:
    torch.manual_seed(0)
    return ENCODERS.get("resnet18")(ResNet18Config(), 40)


def torchvision_s() -> nn.Module:
    """torchvision's own, with BatchNorm and the encoder's weights."""
    models: ModuleType = pytest.importorskip("torchvision.models")
    network: nn.Module = models.resnet18()
    network.fc = nn.Identity()
    weights = {name.removeprefix("network."): tensor for name, tensor in resnet().state_dict().items()}
    assert not network.load_state_dict(weights, strict=False).unexpected_keys
    return network


def resnet_step(network: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Returns features of training and, after it, of evaluation; gradients; running statistics."""
    y = network.train()(x)
    (y * torch.linspace(-1, 1, y.shape[1])).sum().backward()
    gradients = {f"grad/{name}": weight.grad for name, weight in network.named_parameters()}
    buffers = {name: buffer for name, buffer in network.named_buffers() if not name.endswith("num_batches_tracked")}
    with torch.no_grad():
        return {"train": y.detach(), "eval": network.eval()(x)} | gradients | buffers


def test_one_process_is_torchvision_s_own_with_batch_norm() -> None:
    found, expected = resnet_step(resnet(), frames()), resnet_step(torchvision_s(), frames())
    assert len(found) == len(expected) and found["train"].shape == (8, 512)
    for name, tensor in expected.items():
        ours = name if name in found else name.replace("grad/", "grad/network.") if "/" in name else f"network.{name}"
        assert torch.allclose(found[ours], tensor, rtol=1e-4, atol=1e-6), name


def test_a_world_model_takes_it_and_its_file_comes_back() -> None:
    model = make_model(1, **RESNET).train()
    pixels = torch.randint(0, 256, (2, 3, 32, 32, 3), dtype=torch.uint8)
    model.encode(pixels).square().sum().backward()
    assert all(weight.grad is not None for weight in model.encoder.parameters())
    assert sum(weight.numel() for weight in model.encoder.parameters()) == 11_176_512
    model.eval()
    assert torch.equal(load_model(*save_model(model)).encode(pixels), model.encode(pixels))


def test_torchvision_s_weights_go_into_it() -> None:
    published = torchvision_s().state_dict() | {"fc.weight": torch.zeros(1000, 512), "fc.bias": torch.zeros(1000)}
    model: WorldModel = make_model(1, encoder="resnet18", projector="none", latent_size=512)
    load_encoder(model, published)
    assert torch.equal(model.encoder(frames()), torchvision_s().eval()(frames()))
    damaged = copy.copy(published)
    del damaged["layer4.1.bn2.running_var"]
    with pytest.raises(InputError, match=r"\(torchvision\) lack tensor 'layer4.1.bn2.running_var'"):
        load_encoder(model, damaged)
