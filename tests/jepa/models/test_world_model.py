"""The world model: shapes, causality, action conditioning, rollouts."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from jepa.core.errors import InputError
from jepa.models.world_model import ModelConfig, WorldModel
from tests.narrow import submodule

SMALL_CONV = {"encoder": "conv", "encoder_options": {"channels": (8, 8, 8)}}
SMALL_VIT = {"encoder": "vit", "encoder_options": {"patch_size": 8, "depth": 1, "heads": 2, "width": 16}}


def make_model(history: int = 3, output: str = "change", image_size: int = 32, **fields: object) -> WorldModel:
    sizes = {"width": 16, "depth": 2, "heads": 2, "head_size": 8, "mlp_size": 32, "projector_size": 24}
    config = ModelConfig.model_validate(
        {"image_size": image_size, "frameskip": 4, "history": history, "latent_size": 6, "projector_size": 16}
        | (fields or SMALL_CONV)
        | {"predictor": "lean", "predictor_options": sizes | {"output": output}}
    )
    return WorldModel.from_config(config).eval()


def shake(model: WorldModel) -> WorldModel:
    """Gives zero-initialised weights values, as training would; otherwise actions and blocks count for nothing."""
    generator = torch.Generator().manual_seed(9)
    with torch.no_grad():
        for parameter in model.predictor.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=generator))
    return model


def draws(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("image_size", [32, 64, 96])
@pytest.mark.parametrize("encoder", [SMALL_CONV, SMALL_VIT], ids=["conv", "vit"])
def test_encoders_take_their_sizes(encoder: dict[str, Any], image_size: int) -> None:
    model = make_model(image_size=image_size, **encoder).train()
    pixels = torch.randint(0, 256, (2, 3, image_size, image_size, 3), dtype=torch.uint8)
    z_BTD = model.encode(pixels)
    assert z_BTD.shape == (2, 3, 6) and z_BTD.dtype == torch.float32
    z_BTD.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.encoder.parameters())


@pytest.mark.parametrize("encoder", [SMALL_CONV, SMALL_VIT], ids=["conv", "vit"])
def test_features_of_a_frame_are_its_own(encoder: dict[str, Any]) -> None:
    """Then processes need not meet in the encoder, and it can take a batch in micro-batches."""
    model = make_model(image_size=32, **encoder).train()
    frames = torch.rand(6, 3, 32, 32)
    together = model.encoder(frames)
    torch.testing.assert_close(torch.cat([model.encoder(frame[None]) for frame in frames]), together)
    assert (together[1:] - together[:1]).abs().max() > 1e-3


def test_frames_of_another_size_or_type_are_refused() -> None:
    model = make_model()
    with pytest.raises(ValueError, match=r"32, 32, 3.*64, 64"):
        model.encode(torch.zeros(1, 1, 64, 64, 3, dtype=torch.uint8))
    with pytest.raises(ValueError, match="float32"):
        model.encode(torch.zeros(1, 1, 32, 32, 3))


@pytest.mark.parametrize("history", [1, 2, 3])
@pytest.mark.parametrize("output", ["change", "projector"])
def test_the_future_changes_nothing_earlier_and_the_distant_past_nothing_later(history: int, output: str) -> None:
    model = shake(make_model(history, output))
    z, a = draws(2, 6, 6), draws(2, 6, 4, 2, seed=2)
    before = model.predict(z, a)
    for t in range(6):
        other_z, other_a = z.clone(), a.clone()
        other_z[:, t] += 1.0
        other_a[:, t] += 1.0
        for changed in (model.predict(other_z, a), model.predict(z, other_a)):
            affected = (changed - before).abs().amax((0, 2)) > 1e-5
            expected = torch.tensor([t <= entry < t + history for entry in range(6)])
            assert torch.equal(affected, expected)


@pytest.mark.parametrize("output", ["change", "projector"])
def test_blocks_start_as_identity_and_so_without_actions(output: str) -> None:
    model = make_model(3, output)
    z, a = draws(2, 3, 6), draws(2, 3, 4, 2)
    assert torch.equal(model.predict(z, a), model.predict(z, 3 * a))
    x, embedded = draws(2, 3, 16), draws(2, 3, 16, seed=4)
    assert all(torch.equal(block(x, embedded), x) for block in submodule(model, "predictor.blocks", nn.ModuleList))
    if output == "change":
        assert torch.equal(model.predict(z, a), z)


@pytest.mark.parametrize("history", [1, 3])
@pytest.mark.parametrize("context", [1, 3, 5])
def test_a_rollout_is_repeated_prediction(history: int, context: int) -> None:
    model = shake(make_model(history))
    z, past, future = draws(2, context, 6), draws(2, context - 1, 4, 2), draws(2, 4, 4, 2, seed=5)
    rolled = model.rollout(z, future, past)
    actions = torch.cat([past, future], 1)
    # A rollout knows only `history` frames of context; so does repeated prediction from there on.
    z, actions = z[:, -history:], actions[:, max(0, context - history) :]
    for step in range(4):
        z = torch.cat([z, model.predict(z, actions[:, : z.shape[1]])[:, -1:]], 1)
        assert torch.allclose(rolled[:, step], z[:, -1], atol=1e-5)


def test_a_longer_context_needs_the_actions_between() -> None:
    with pytest.raises(ValueError, match="2 action blocks"):
        make_model(3).rollout(draws(1, 3, 6), draws(1, 2, 4, 2))


def test_sequences_may_have_a_context_in_common() -> None:
    model = shake(make_model(3))
    z, past, future = draws(2, 3, 6), draws(2, 2, 4, 2), draws(6, 4, 4, 2, seed=5)
    apart = model.rollout(z.repeat_interleave(3, 0), future, past.repeat_interleave(3, 0))
    torch.testing.assert_close(model.rollout(z, future, past), apart)
    with pytest.raises(ValueError, match="6 sequences of actions cannot go on from 4 contexts"):
        model.rollout(draws(4, 1, 6), future)


def test_actions_are_normalised_inside() -> None:
    model, plain = shake(make_model()), shake(make_model())
    model.set_action_statistics([1.0, -2.0], [0.5, 4.0])
    z, a = draws(2, 3, 6), draws(2, 3, 4, 2)
    raw = a * torch.tensor([0.5, 4.0]) + torch.tensor([1.0, -2.0])
    assert torch.allclose(model.predict(z, raw), plain.predict(z, a), atol=1e-5)
    with pytest.raises(ValueError, match="finite"):
        model.set_action_statistics([0.0, float("nan")], [1.0, 1.0])
    model.set_action_statistics([0.0, 0.0], [1.0, 0.0])
    assert model.predict(z, a).isfinite().all()


def test_a_seed_gives_the_weights_and_leaves_other_draws_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    config = ModelConfig(encoder_options={"channels": (4,)})
    made = [WorldModel.from_config(config, seed) for seed in (1, 1, 2)]
    one, two, other = (model.get_parameter("projector.out.weight") for model in made)
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(one, two)
    assert not torch.equal(one, other)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"encoder": "resnet"}, "encoder 'resnet' is not known; choose one of: conv, resnet18, vit"),
        ({"encoder_options": {"depth": 3}}, "encoder_options.depth"),
        ({"predictor": "fat"}, "predictor 'fat' is not known; choose one of: lean, paper, tokens"),
        ({"predictor_options": {"layers": 3}}, "predictor_options.layers"),
        ({"history": 0}, "history"),
        ({"latents": 3}, "latents"),
    ],
)
def test_wrong_configurations_name_the_field(fields: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        ModelConfig.model_validate(fields)


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="patch_size 7"):
        make_model(image_size=32, encoder="vit", encoder_options={"patch_size": 7})
    with pytest.raises(InputError, match="smaller than patch_size"):
        make_model(image_size=2)
