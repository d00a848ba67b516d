"""Published ViT weights in our encoder: the patch tokens of the classes they come from, and layouts that do not fit."""

from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from jepa.core.errors import InputError
from jepa.models.encoders.vit import ViTEncoder
from jepa.models.pretrained import load_encoder, resize_positions
from jepa.models.world_model import ModelConfig, WorldModel
from tests.jepa.models.test_world_model import make_model

WIDTH, DEPTH, PATCH = 24, 2, 7
KINDS: dict[str, dict[str, Any]] = {
    "ViT": {"norm_eps": 1e-12},
    "Dinov2": {"layer_scale": True},
    "Dinov2WithRegisters": {"layer_scale": True, "registers": 4},
}


def theirs(kind: str, image_size: int) -> nn.Module:
    """Returns a small model of Hugging Face's whose every tensor is random."""
    transformers: ModuleType = pytest.importorskip("transformers", reason="the layouts are those of its classes")
    sizes = {
        "hidden_size": WIDTH,
        "num_hidden_layers": DEPTH,
        "num_attention_heads": 3,
        "image_size": image_size,
        "patch_size": PATCH,
    }
    extra = {"intermediate_size": 4 * WIDTH} if kind == "ViT" else {}
    model: nn.Module = getattr(transformers, f"{kind}Model")(getattr(transformers, f"{kind}Config")(**sizes, **extra))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(0.3 * torch.randn(weight.shape, generator=generator))
    return model.eval()


def ours(kind: str, image_size: int, **options: object) -> WorldModel:
    sizes = {"patch_size": PATCH, "depth": DEPTH, "heads": 3, "width": WIDTH, "output": "patches"}
    config = ModelConfig(
        image_size=image_size,
        encoder="vit",
        encoder_options=sizes | KINDS[kind] | options,
        projector="none",
        latent_size=(image_size // PATCH) ** 2 * WIDTH,
    )
    return WorldModel.from_config(config).eval()


@pytest.mark.parametrize("grid", ["its own grid", "a smaller grid"])
@pytest.mark.parametrize("kind", KINDS)
def test_patch_tokens_are_those_of_hugging_face(kind: str, grid: str) -> None:
    released = theirs(kind, 4 * PATCH)
    side = 4 * PATCH if grid == "its own grid" else 3 * PATCH
    model = ours(kind, side)
    load_encoder(model, released.state_dict())
    pixels = torch.randn(3, 3, side, side, generator=torch.Generator().manual_seed(2))
    options = {"interpolate_pos_encoding": True} if kind == "ViT" else {}
    with torch.no_grad():
        expected = released(pixels, **options).last_hidden_state[:, 1 + KINDS[kind].get("registers", 0) :]
        found = model.encoder(pixels).unflatten(-1, (-1, WIDTH))
    assert found.shape == (3, (side // PATCH) ** 2, WIDTH)
    assert torch.allclose(found, expected, atol=1e-5)


def in_dino_s_layout(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Returns Dinov2Model's tensors as DINOv2's own code names them, which has one tensor for q, k and v."""
    words = {
        "embeddings.cls_token": "cls_token",
        "embeddings.mask_token": "mask_token",
        "embeddings.position_embeddings": "pos_embed",
        "embeddings.patch_embeddings.projection": "patch_embed.proj",
        "encoder.layer.": "blocks.",
        "attention.output.dense": "attn.proj",
        "layer_scale1.lambda1": "ls1.gamma",
        "layer_scale2.lambda1": "ls2.gamma",
        "layernorm": "norm",
    }
    named = {}
    for name, tensor in tensors.items():
        for word, other in words.items():
            name = name.replace(word, other)
        named[name] = tensor
    for i in range(DEPTH):
        for kind in ("weight", "bias"):
            parts = [named.pop(f"blocks.{i}.attention.attention.{part}.{kind}") for part in ("query", "key", "value")]
            named[f"blocks.{i}.attn.qkv.{kind}"] = torch.cat(parts)
    return named


def test_every_layout_gives_the_same_encoder_behind_any_prefix() -> None:
    released = theirs("Dinov2", 4 * PATCH).state_dict()
    expected = ours("Dinov2", 4 * PATCH)
    load_encoder(expected, released)
    wrapped = {f"model.dinov2.{name}": tensor for name, tensor in released.items()} | {"head.bias": torch.zeros(3)}
    own = {f"objective/model.{name}": tensor for name, tensor in expected.state_dict().items()}
    for tensors in (in_dino_s_layout(released), wrapped, own):
        model = ours("Dinov2", 4 * PATCH)
        load_encoder(model, tensors)
        pairs = zip(model.encoder.state_dict().values(), expected.encoder.state_dict().values(), strict=True)
        assert all(torch.equal(one, two) for one, two in pairs)


def test_frames_are_resized_to_what_the_encoder_was_trained_on() -> None:
    model = make_model(
        encoder="vit", encoder_options={"patch_size": 8, "depth": 1, "heads": 2, "width": 8, "resize": 16}
    )
    assert isinstance(model.encoder, ViTEncoder)
    assert model.encoder.position.shape[1] == 1 + 4
    pixels = torch.rand(2, 3, 32, 32)
    # Halving with antialiasing weighs each pixel and its neighbours 1 : 3 : 3 : 1.
    weights = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    small = torch.einsum("ncijab,a,b->ncij", pixels[..., 1:, 1:].unfold(2, 4, 2).unfold(3, 4, 2), weights, weights)
    assert torch.allclose(model.encoder._resized(pixels)[:, :, 1:-1, 1:-1], small, atol=1e-5)
    assert model.encoder._resized(pixels[..., :16, :16]).equal(pixels[..., :16, :16])


def test_positions_keep_their_place_on_another_grid() -> None:
    line = torch.linspace(0, 1, 8)
    grid = torch.stack([line[:, None].expand(8, 8), line.expand(8, 8)], dim=-1)
    table = torch.cat([torch.tensor([[7.0, 9.0]]), grid.flatten(0, 1)])[None]
    resized = resize_positions(table, 1 + 16)
    assert resized[0, 0].tolist() == [7.0, 9.0]
    rows = resized[0, 1:].view(4, 4, 2)
    assert torch.allclose(rows[:, 1, 0], rows[1, :, 1]) and rows[:, 0, 0].diff().min() > 0.2
    assert resize_positions(table, 1 + 64) is table and resize_positions(table, 1 + 15) is table


def test_weights_that_do_not_fit_name_the_tensor() -> None:
    released = theirs("Dinov2", 4 * PATCH).state_dict()
    model = ours("Dinov2", 4 * PATCH)
    with pytest.raises(InputError, match=r"in no layout that encoder 'vit' knows, .*'blocks.0.norm1.weight' \(DINO"):
        load_encoder(model, {"conv1.weight": torch.zeros(1)})
    with pytest.raises(InputError, match=r"tensor 'encoder.layer.0.layer_scale1.lambda1' of the weights .* no place"):
        load_encoder(ours("Dinov2", 4 * PATCH, layer_scale=False), released)
    with pytest.raises(InputError, match=r"lack tensor 'encoder.layer.2"):
        load_encoder(ours("Dinov2", 4 * PATCH, depth=3), released)
    cut = released | {"layernorm.bias": torch.zeros(5)}
    with pytest.raises(InputError, match=r"'layernorm.bias' .* of shape \(5,\), the model's of \(24,\)"):
        load_encoder(model, cut)
    with pytest.raises(InputError, match=r"nothing for tensor 'projector.*set model.projector 'none'"):
        sizes = {"patch_size": PATCH, "depth": DEPTH, "heads": 3, "width": WIDTH, "layer_scale": True}
        load_encoder(make_model(image_size=4 * PATCH, encoder="vit", encoder_options=sizes), released)
    with torch.device("meta"):
        unmade = WorldModel(model.config)
    load_encoder(unmade, released)
    with pytest.raises(InputError, match=r"layernorm.bias"):
        load_encoder(unmade, cut)
