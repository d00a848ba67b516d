"""Released weights: our model gives the embeddings, predictions and planning costs of the package they come from."""

import io
import pickle
from types import ModuleType
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch import Tensor, nn

from jepa.core.errors import InputError
from jepa.models.files import load_model, save_model
from jepa.models.import_lewm import export_lewm, import_lewm, read_released_weights, released_config
from jepa.models.world_model import IMAGENET_MEAN, IMAGENET_STD, WorldModel
from jepa.planning.costs.latent import LatentCost, LatentCostConfig
from jepa.planning.planner import PlanningSetting
from jepa.planning.search.imagination import Imagination
from jepa.training.recipes import RECIPES
from tests.jepa.models.test_files import Boom
from tests.jepa.models.test_world_model import draws, make_model

pytestmark = pytest.mark.filterwarnings("ignore")
SIZE, SKIP, ACTIONS, HISTORY = 28, 5, 2, 3
PATCH, WIDTH, HEAD = 7, 32, 16


def theirs(size: int, patch: int, width: int, head: int, depth: tuple[int, int], heads: tuple[int, int]) -> nn.Module:
    """Returns the installed package's model; depth and heads are those of encoder and predictor."""
    transformers: ModuleType = pytest.importorskip("transformers", reason="the released encoder is its ViT")
    released: Any = pytest.importorskip("stable_worldmodel.wm.lewm.lewm", reason="the released model is its LeWM")
    module: Any = pytest.importorskip("stable_worldmodel.wm.lewm.module")
    vit = transformers.ViTModel(
        transformers.ViTConfig(
            hidden_size=width,
            num_hidden_layers=depth[0],
            num_attention_heads=heads[0],
            intermediate_size=4 * width,
            image_size=size,
            patch_size=patch,
        ),
        add_pooling_layer=False,
        use_mask_token=False,
    )
    sizes = {"num_frames": HISTORY, "input_dim": width, "hidden_dim": width, "dim_head": head, "dropout": 0.1}
    predictor = module.Predictor(depth=depth[1], heads=heads[1], mlp_dim=2048, **sizes)
    actions = module.Embedder(input_dim=SKIP * ACTIONS, emb_dim=width)
    projectors = [module.MLP(width, 2048, width, norm_fn=nn.BatchNorm1d) for _ in range(2)]
    model: nn.Module = released.LeWM(vit, predictor, actions, *projectors)
    return model


@pytest.fixture(scope="module")
def released() -> nn.Module:
    """A small model of the package whose every tensor is random, running statistics and zero-started layers too."""
    torch.manual_seed(3)
    model = theirs(SIZE, PATCH, WIDTH, HEAD, (2, 2), (2, 3)).eval()
    with torch.no_grad():
        for name, tensor in model.state_dict().items():
            if name.endswith("running_var"):
                tensor.uniform_(0.5, 2.0)
            elif tensor.is_floating_point():
                tensor += 0.1 * torch.randn_like(tensor)
    return model


@pytest.fixture(scope="module")
def ours(released: nn.Module) -> WorldModel:
    return imported(released)


def imported(released: nn.Module) -> WorldModel:
    tensors = released.state_dict()
    return import_lewm(tensors, released_config(tensors, SKIP, HEAD), [0.3, -1.0], [0.5, 2.0])


def normalised(actions: Tensor) -> Tensor:
    return ((actions - torch.tensor([0.3, -1.0])) / torch.tensor([0.5, 2.0])).flatten(-2)


def a_scene(frames: int, seed: int) -> tuple[Tensor, Tensor]:
    """Returns frames (2, T, H, W, 3) and the same as the package takes them."""
    pixels = torch.randint(0, 256, (2, frames, SIZE, SIZE, 3), generator=torch.Generator().manual_seed(seed))
    scaled = (pixels / 255 - torch.tensor(IMAGENET_MEAN)) / torch.tensor(IMAGENET_STD)
    return pixels.to(torch.uint8), scaled.permute(0, 1, 4, 2, 3)


@torch.no_grad()
def test_embeddings_and_predictions_are_the_package_s(released: Any, ours: WorldModel) -> None:
    pixels, scaled = a_scene(HISTORY, 1)
    actions = draws(2, HISTORY, SKIP, ACTIONS, seed=2)
    info = released.encode({"pixels": scaled, "action": normalised(actions)})
    z_BTD = ours.encode(pixels)
    assert float(z_BTD.std()) > 0.1
    assert torch.allclose(z_BTD, info["emb"], rtol=1e-5, atol=1e-5)
    zhat_BTD = ours.predict(z_BTD, actions)
    assert torch.allclose(zhat_BTD, released.predict(info["emb"], info["act_emb"]), rtol=1e-5, atol=1e-5)
    assert not torch.allclose(zhat_BTD, ours.predict(z_BTD, -actions), atol=1e-2)


@pytest.mark.parametrize("context", [1, HISTORY])
@torch.no_grad()
def test_planning_costs_are_the_package_s(released: Any, ours: WorldModel, context: int) -> None:
    samples, future = 4, 5
    (pixels, scaled), (goal, goal_scaled) = a_scene(context, 1), a_scene(1, 7)
    past = draws(2, context - 1, SKIP, ACTIONS, seed=3)
    candidates = draws(2, samples, future, SKIP, ACTIONS, seed=4)
    theirs_take = torch.cat([past[:, None].expand(-1, samples, -1, -1, -1), candidates], dim=2)
    costs = []
    for problem in range(2):  # the package compares with one goal at a time
        info = {
            "pixels": scaled[problem].expand(1, samples, *scaled[problem].shape),
            "goal": goal_scaled[problem].expand(1, samples, *goal_scaled[problem].shape),
            "action": torch.zeros(1, samples, 1),
        }
        costs.append(released.get_cost(info, normalised(theirs_take[problem : problem + 1])))
    expected = torch.cat(costs)
    plan_cost = LatentCost(LatentCostConfig(), PlanningSetting(ours, "two_room", {}))
    cost = Imagination(ours, plan_cost, ours.encode(pixels), past, ours.encode(goal)[:, 0], None, 64).cost(candidates)
    assert cost.shape == expected.shape == (2, samples) and float(expected.std()) > 1e-2
    assert torch.allclose(cost, expected, rtol=1e-5, atol=1e-5)


def test_weights_go_there_and_back_unchanged(released: nn.Module, ours: WorldModel) -> None:
    tensors = released.state_dict()
    again = export_lewm(ours)
    assert again.keys() == tensors.keys()
    assert all(torch.equal(again[name], tensor) for name, tensor in tensors.items())
    released.load_state_dict(again)
    stored = load_model(*save_model(ours))
    assert torch.equal(stored.encode(a_scene(1, 1)[0]), ours.encode(a_scene(1, 1)[0]))


@pytest.mark.parametrize("scaling", ["unit", "imagenet"])
@pytest.mark.parametrize("bias", [False, True])
@torch.no_grad()
def test_other_pixels_and_no_bias_are_exported_as_the_released_model_that_computes_the_same(
    scaling: str, bias: bool, ours: WorldModel
) -> None:
    form = {"pixel_scaling": scaling, "projector_bias": bias}
    trained = WorldModel.from_config(ours.config.model_copy(update=form)).eval()
    for name, tensor in trained.state_dict().items():
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2.0, generator=torch.Generator().manual_seed(5))
        elif tensor.is_floating_point() and not name.startswith("action_"):
            tensor += 0.1 * draws(*tensor.shape, seed=len(name))
    tensors = export_lewm(trained)
    package: Any = theirs(SIZE, PATCH, WIDTH, HEAD, (2, 2), (2, 3)).eval()
    package.load_state_dict(tensors)
    pixels, scaled = a_scene(HISTORY, 1)
    actions = draws(2, HISTORY, SKIP, ACTIONS, seed=2)
    z_BTD = trained.encode(pixels)
    assert float(z_BTD.std()) > 0.1
    mean, std = trained.action_mean, trained.action_std
    info = package.encode({"pixels": scaled, "action": ((actions - mean) / std).flatten(-2)})
    assert torch.allclose(z_BTD, info["emb"], rtol=1e-5, atol=1e-5)
    assert torch.allclose(
        trained.predict(z_BTD, actions), package.predict(info["emb"], info["act_emb"]), rtol=1e-5, atol=1e-5
    )
    back = import_lewm(tensors, released_config(tensors, SKIP, HEAD), mean.tolist(), std.tolist())
    assert torch.allclose(back.encode(pixels), z_BTD, rtol=1e-5, atol=1e-5)


def test_the_small_recipe_is_of_the_released_form() -> None:
    tensors = export_lewm(WorldModel.from_config(RECIPES.get("lewm-small").model))
    assert tensors["projector.net.0.bias"].shape == (512,) and "pred_proj.net.0.bias" in tensors


def test_the_paper_s_size_is_303_tensors_and_the_recipe_s_model() -> None:
    with torch.device("meta"):
        tensors = theirs(224, 14, 192, 64, (12, 6), (3, 16)).state_dict()
    assert len(tensors) == 303
    assert released_config(tensors) == RECIPES.get("lewm").model


def saved(held: object) -> bytes:
    buffer = io.BytesIO()
    torch.save(held, buffer)
    return buffer.getvalue()


def test_both_formats_are_read_and_wrappers_taken_off(released: nn.Module) -> None:
    tensors = released.state_dict()
    wrapped = {
        "epoch": 3,
        "state_dict": {f"model.{name}": tensor for name, tensor in tensors.items()} | {"sigreg.t": torch.ones(2)},
    }
    for data in (save(tensors), saved(tensors), saved(wrapped)):
        read = read_released_weights(data)
        assert read.keys() == tensors.keys()
        assert all(torch.equal(read[name], tensor) for name, tensor in tensors.items())


def test_files_that_are_no_weights_are_refused_and_not_run(released: nn.Module) -> None:
    for data in (pickle.dumps(Boom()), saved(Boom()), saved(released), b"", b"\x00" * 64):
        with pytest.raises(InputError, match="not released weights that can be read safely"):
            read_released_weights(data)
    with pytest.raises(InputError, match="holds no state dict"):
        read_released_weights(saved([1, 2]))


@pytest.mark.parametrize("names", [("model", "ema"), ("model", "model_ema"), ("a.b", "a.c")])
def test_of_two_models_in_a_file_one_is_chosen_and_never_the_first(names: tuple[str, str], released: nn.Module) -> None:
    """Whether they are saved as two state dicts, or under two prefixes of one."""
    first, second = released.state_dict(), {name: tensor + 1 for name, tensor in released.state_dict().items()}
    apart = saved(dict(zip(names, (first, second), strict=True)))
    together = {
        f"{key}.{name}": tensor
        for key, held in zip(names, (first, second), strict=True)
        for name, tensor in held.items()
    }
    for data in (apart, saved(together), saved({"state_dict": together}), save(together)):
        with pytest.raises(InputError, match="it holds 2 models") as raised:
            read_released_weights(data)
        assert all(repr(f"{name}.") in str(raised.value) for name in names)
        for name, wanted in zip(names, (first, second), strict=True):
            read = read_released_weights(data, f"{name}.")
            assert read.keys() == wanted.keys()
            assert all(torch.equal(read[key], tensor) for key, tensor in wanted.items())
        with pytest.raises(InputError, match=r"prefix 'other\.' is that of no model in it; choose one of: "):
            read_released_weights(data, "other.")


def test_a_model_beside_a_prefixed_one_is_chosen_by_the_empty_prefix(released: nn.Module) -> None:
    plain = released.state_dict()
    data = save(plain | {f"ema.{name}": tensor + 1 for name, tensor in plain.items()})
    with pytest.raises(InputError, match=r"begin with '' and 'ema\.'"):
        read_released_weights(data)
    read = read_released_weights(data, "")
    assert read.keys() == plain.keys() and all(torch.equal(read[key], tensor) for key, tensor in plain.items())


def test_tensors_that_do_not_fit_are_named(released: nn.Module) -> None:
    tensors = released.state_dict()
    config = released_config(tensors, SKIP, HEAD)
    without = {name: tensor for name, tensor in tensors.items() if name != "projector.net.3.bias"}
    with pytest.raises(InputError, match=r"'projector.net.3.bias' is missing"):
        import_lewm(without, config)
    with pytest.raises(InputError, match=r"'teacher' is not part"):
        import_lewm(tensors | {"teacher": torch.ones(1)}, config)
    with pytest.raises(InputError, match=r"'pred_proj.net.3.weight' is of shape \(3, 2048\)"):
        import_lewm(tensors | {"pred_proj.net.3.weight": torch.ones(3, 2048)}, config)
    with pytest.raises(InputError, match="10 action values is not a multiple of frameskip 4"):
        released_config(tensors, 4, HEAD)
    with pytest.raises(InputError, match="attention of 32 and 48 values has no heads of head_size 64"):
        released_config(tensors, SKIP)
    with pytest.raises(InputError, match="not in the released LeWM layout"):
        released_config(without | {"predictor.pos_embedding": torch.ones(2)}, SKIP, HEAD)
    with pytest.raises(InputError, match=r"encoder 'vit' \(got 'conv'\)"):
        export_lewm(make_model())
