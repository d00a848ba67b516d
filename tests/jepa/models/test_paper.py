"""The paper's model: its parameters part by part, its form, and dropout that belongs to the clip."""

import pytest
import torch
from torch import nn

from jepa.models.layers.attention import Attention
from jepa.models.layers.dropout import GlobalDropout
from jepa.models.predictors.paper import PaperPredictor
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.training.recipes import RECIPES
from tests.jepa.models.test_world_model import draws
from tests.narrow import submodule


def parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_the_paper_s_model_has_its_parameters_part_by_part() -> None:
    with torch.device("meta"):
        model = WorldModel(RECIPES.get("lewm").model)
    assert isinstance(model.predictor, PaperPredictor)
    parts = {
        "encoder": parameters(model.encoder),
        "projector": parameters(model.projector),
        "action encoder": parameters(model.action_encoder),
        "predictor": parameters(model.predictor) - parameters(model.predictor.projector),
        "predictor's projector": parameters(model.predictor.projector),
    }
    assert parts == {
        "encoder": 5_501_376,
        "projector": 792_768,
        "action encoder": 156_206,
        "predictor": 10_791_360,
        "predictor's projector": 792_768,
    }
    assert parameters(model) == sum(parts.values()) == 18_034_478


def test_the_paper_s_recipe_is_the_released_one() -> None:
    recipe = RECIPES.get("lewm")
    train, objective = recipe.train, recipe.objective_options
    assert (recipe.model.history + train.horizon, recipe.model.frameskip, train.batch_size) == (4, 5, 128)
    assert (train.learning_rate, train.weight_decay, train.clip, train.precision) == (5e-5, 1e-3, 1.0, "bf16")
    assert (objective["sigreg_weight"], objective["sigreg_weight_end"]) == (0.09, 0.09)
    assert [objective["sigreg"][name] for name in ("directions", "knots", "t_max")] == [1024, 17, 3.0]
    assert recipe.for_world(224, 5).model.predictor_options["action_inner_size"] == 10


@pytest.mark.parametrize("name", ["lewm-small", "lewm"])
def test_recipes_of_the_paper_s_form_predict(name: str) -> None:
    recipe = RECIPES.get(name).for_world(56 if name == "lewm" else 64, 2)
    model = WorldModel.from_config(recipe.model).eval()
    pixels = torch.randint(0, 256, (1, 3, recipe.model.image_size, recipe.model.image_size, 3), dtype=torch.uint8)
    with torch.no_grad():
        z_BTD = model.encode(pixels)
        assert model.predict(z_BTD, draws(1, 3, 5, 2)).shape == z_BTD.shape
        assert model.rollout(z_BTD[:, :1], draws(1, 2, 5, 2)).isfinite().all()


def test_pixels_are_scaled_as_asked() -> None:
    pixels = torch.tensor([0.0, 255.0]).view(1, 1, 2, 1).expand(1, 3, 2, 1)
    model = WorldModel.from_config(ModelConfig(image_size=8, encoder_options={"channels": (4,)}))
    assert model._scale(pixels.clone()).unique().tolist() == [-1.0, 1.0]
    model.config = model.config.model_copy(update={"pixel_scaling": "imagenet"})
    scaled = model._scale(pixels.clone())[0, :, :, 0]
    assert scaled[:, 0].tolist() == pytest.approx([-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225])
    assert scaled[:, 1].tolist() == pytest.approx([0.515 / 0.229, 0.544 / 0.224, 0.594 / 0.225])


def test_it_is_as_wide_as_the_latent_and_ends_in_a_projector() -> None:
    model = WorldModel(ModelConfig(latent_size=12, predictor="paper", predictor_options={"projector_size": 20}))
    assert model.action_encoder.layers[-1].out_features == 12
    assert model.get_parameter("predictor.position").shape[-1] == 12
    assert submodule(model, "predictor.projector.hidden", nn.Linear).out_features == 20
    for option in ("width", "output"):
        with pytest.raises(ValueError, match=rf"predictor_options\.{option}"):
            ModelConfig(predictor="paper", predictor_options={option: 12})


def test_dropout_drops_its_share_and_keeps_the_mean() -> None:
    torch.manual_seed(0)
    dropout = GlobalDropout(0.25)
    y = dropout(torch.ones(400, 100))
    assert y.unique().tolist() == pytest.approx([0.0, 4 / 3])
    assert float((y == 0).float().mean()) == pytest.approx(0.25, abs=0.01)
    x = torch.ones(3, 2)
    assert dropout.eval()(x) is x and GlobalDropout(0.0)(x) is x


def test_attention_written_out_is_the_fused_one() -> None:
    attention = Attention(8, heads=2, head_size=4, causal=True, dropout=1e-12).double()
    x = draws(3, 5, 8).double()
    assert torch.allclose(attention.train()(x), attention.eval()(x))
