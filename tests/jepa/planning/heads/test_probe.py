"""The head `probe`: quantities come back in their own units, and angles as sine and cosine."""

from typing import Any, cast

import pytest
import torch

from jepa.core.errors import InputError
from jepa.planning.heads.episodes import LatentEpisodes
from jepa.planning.heads.fitting import fit_head
from jepa.planning.heads.head import HeadSizes
from jepa.planning.heads.probe import ProbeHead
from jepa.planning.heads.registry import head_config
from tests.jepa.planning.heads.open_square import SquareModel, walks

MODEL: Any = SquareModel()
OPTIONS = {"width": 64, "depth": 2, "steps": 400, "batch_size": 128, "learning_rate": 3e-3}


def turning(data: LatentEpisodes) -> LatentEpisodes:
    """Returns the episodes with quantities of two units besides: a length of hundreds, and an angle of over a turn."""
    state = {
        "joint_position": 7 * data.z_ND[:, :1] - 3,
        "pixels": 400 + 100 * data.z_ND.sum(1, keepdim=True),
        "still": torch.full((len(data.z_ND), 3), 7.0),
    }
    return LatentEpisodes(data.z_ND, data.action_NA, state, data.start_E, data.steps_E)


@torch.inference_mode()
def test_quantities_are_read_in_their_own_units() -> None:
    sizes = {"joint_position": 1, "pixels": 1, "still": 3}
    config = head_config("probe", OPTIONS)
    head = cast(ProbeHead, fit(config, turning(walks(300)), sizes, "reacher"))
    assert head.sizes.angles == ("joint_position",) and head.privileged
    unseen = turning(walks(50, seed=1))
    read = head(unseen.z_ND)
    angle, pixels, still = (read[:, head.columns[name]] for name in sizes)
    truth = unseen.state["joint_position"]
    assert (angle - torch.cat([truth.sin(), truth.cos()], 1)).abs().mean() < 0.05
    assert (pixels - unseen.state["pixels"]).abs().mean() < 3
    torch.testing.assert_close(still, unseen.state["still"], atol=0.1, rtol=0)


def fit(config: Any, data: LatentEpisodes, sizes: dict[str, int], world: str | None) -> Any:
    with torch.inference_mode(False), torch.enable_grad():
        return fit_head("probe", config, MODEL, data, sizes, 0, world=world)


def test_without_a_world_nothing_is_an_angle() -> None:
    assert HeadSizes.of(MODEL, {"joint_position": 2}, "recorded by others").angles == ()
    assert HeadSizes.of(MODEL, {"joint_position": 2}).angles == ()
    assert HeadSizes.of(MODEL, {"finger_position": 2}, "reacher").angles == ()


def test_it_learns_from_imagined_latents_in_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    rolled: list[int] = []
    model: Any = SquareModel()
    real = model.rollout

    def watched(z_BTD: torch.Tensor, action_BHKA: torch.Tensor) -> torch.Tensor:
        rolled.append(len(z_BTD))
        return cast(torch.Tensor, real(z_BTD, action_BHKA))

    monkeypatch.setattr(model, "rollout", watched)
    for share, wanted in ((0.25, [32]), (1.0, [128]), (0.0, [])):
        rolled.clear()
        config = head_config("probe", OPTIONS | {"steps": 1, "batch_size": 128, "imagined": share})
        fit_head("probe", config, model, walks(20), {"agent_position": 2}, 0)
        assert rolled == wanted


def test_a_dataset_that_records_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="the dataset records no quantity, which head 'probe' would read; collect"):
        fit_head("probe", head_config("probe", OPTIONS), MODEL, walks(5), {}, 0)
