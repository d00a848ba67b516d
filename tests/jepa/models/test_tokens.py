"""The predictor of patch tokens: what sees what, how it starts, what it refuses."""

import pytest
import torch

from jepa.core.errors import InputError
from jepa.models.predictors.tokens import FrameAttention, TokensConfig
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.training.recipes import RECIPES
from tests.jepa.models.test_world_model import draws, shake
from tests.jepa.training.toy import PATCHES

TOKENS, SIZE = 16, 8


def make_token_model(history: int = 3, dropout: float = 0.0) -> WorldModel:
    sizes = {"width": 16, "depth": 1, "heads": 2, "head_size": 8, "mlp_size": 32, "dropout": dropout}
    small = {"image_size": 32, "frameskip": 4, "history": history, "predictor": "tokens", "predictor_options": sizes}
    return WorldModel.from_config(ModelConfig.model_validate(PATCHES | small)).eval()


@pytest.mark.parametrize("history", [1, 3])
def test_a_token_sees_all_of_its_frame_and_of_those_before_it(history: int) -> None:
    model = shake(make_token_model(history))
    z, a = draws(2, 5, TOKENS * SIZE), draws(2, 5, 4, 2, seed=2)
    before = model.predict(z, a)
    for t in range(5):
        other_z, other_a = z.clone(), a.clone()
        other_z[:, t, 3 * SIZE : 4 * SIZE] += 1.0
        other_a[:, t] += 1.0
        for changed in (model.predict(other_z, a), model.predict(z, other_a)):
            # (T, P): by one token, or by the action, all tokens of the frames that look back on it are changed.
            affected = (changed - before).abs().unflatten(-1, (TOKENS, SIZE)).amax((0, 3)) > 1e-6
            expected = torch.tensor([t <= entry < t + history for entry in range(5)])
            assert torch.equal(affected, expected[:, None].expand(-1, TOKENS))


def test_attention_is_that_of_the_mask_written_out() -> None:
    config = TokensConfig(width=8, heads=2, head_size=4, dropout=1e-12)
    attention = FrameAttention(config).double()
    x = draws(2, 3, 5, 8).double()
    q, k, v = attention.qkv(x.flatten(1, 2)).unflatten(-1, (3, 2, 4)).permute(2, 0, 3, 1, 4)
    scores = q @ k.mT / 2
    for i in range(15):
        scores[..., i, (i // 5 + 1) * 5 :] = -torch.inf
    expected = attention.out((scores.softmax(-1) @ v).transpose(1, 2).flatten(2)).unflatten(1, (3, 5))
    assert torch.allclose(attention.eval()(x), expected) and torch.allclose(attention.train()(x), expected)


def test_it_starts_as_no_change_and_positions_count() -> None:
    model = make_token_model()
    z, a = draws(2, 3, TOKENS * SIZE), draws(2, 3, 4, 2)
    assert torch.equal(model.predict(z, a), z)
    shake(model)
    same = draws(2, 1, SIZE).repeat(1, 3, TOKENS)
    change = (model.predict(same, a[:, :1].expand(-1, 3, -1, -1)) - same).unflatten(-1, (TOKENS, SIZE))
    assert change[:, 0].std(1).min() > 1e-3 and (change[:, 0] - change[:, 2]).abs().max() > 1e-3


def test_a_rollout_is_repeated_prediction() -> None:
    model = shake(make_token_model())
    z, past, future = draws(2, 3, TOKENS * SIZE), draws(2, 2, 4, 2), draws(2, 2, 4, 2, seed=5)
    rolled, actions = model.rollout(z, future, past), torch.cat([past, future], 1)
    for step in range(2):
        z = torch.cat([z, model.predict(z, actions[:, : z.shape[1]])[:, -1:]], 1)
        assert torch.allclose(rolled[:, step], z[:, -1], atol=1e-5)


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match=r"features are 16 × 8 values; set latent_size to 128"):
        WorldModel(ModelConfig.model_validate(PATCHES | {"image_size": 32, "latent_size": 6}))
    with pytest.raises(ValueError, match=r"predictor_options\.output"):
        ModelConfig(predictor="tokens", predictor_options={"output": "projector"})
    with pytest.raises(InputError, match="resize 30 is not a multiple"):
        WorldModel(ModelConfig(encoder="vit", encoder_options={"resize": 30}))


@pytest.mark.parametrize(
    ("name", "tokens", "predictor"), [("dino-wm", 196, 24_604_800), ("frozen-small", 64, 1_864_896)]
)
def test_recipes_are_dinov2_s_small_vit_whatever_the_frames(name: str, tokens: int, predictor: int) -> None:
    for image_size in (64, 224):
        recipe = RECIPES.get(name).for_world(image_size, 2)
        with torch.device("meta"):
            model = WorldModel(recipe.model)
        assert (model.encoder.tokens, recipe.model.latent_size) == (tokens, tokens * 384)
        # The published ViT-S/14 has 22,056,576, with 37 × 37 positions and a mask token.
        weights = sum(weight.numel() for weight in model.encoder.parameters())
        assert weights == 22_056_576 - 384 - (37 * 37 - tokens) * 384
        assert sum(weight.numel() for weight in model.predictor.parameters()) == predictor
        assert (recipe.objective, recipe.model.history, recipe.train.horizon) == ("frozen", 3, 1)
