"""The head `temporal`: more steps apart is farther, imagined or not, and other episodes are far."""

from typing import Any, cast

import pytest
import torch

from jepa.planning.heads.fitting import fit_head
from jepa.planning.heads.registry import head_config
from jepa.planning.heads.temporal import TemporalHead
from tests.jepa.evaluation.standins import CentroidModel
from tests.jepa.planning.heads.straight import straight_episodes

MODEL: Any = CentroidModel()
OPTIONS = {"width": 32, "depth": 2, "steps": 400, "batch_size": 128, "learning_rate": 3e-3, "longest": 25}


@pytest.fixture(scope="module")
def head() -> TemporalHead:
    config = head_config("temporal", OPTIONS)
    return cast(TemporalHead, fit_head("temporal", config, MODEL, straight_episodes(200), {}, 0))


@torch.inference_mode()
def test_steps_grow_with_the_way(head: TemporalHead) -> None:
    unseen = straight_episodes(100, seed=1)
    first = unseen.start_E + 2
    means = [float(head(unseen.z_ND[first], unseen.z_ND[first + steps]).mean()) for steps in (0, 6, 12, 25)]
    assert means == sorted(means) and means[0] < 4 and means[-1] > 3 * means[0] + 2, means


def test_a_batch_holds_imagined_latents_in_their_share(monkeypatch: pytest.MonkeyPatch) -> None:
    rolled: list[int] = []
    model: Any = CentroidModel()
    real = model.rollout

    def watched(z_BTD: torch.Tensor, action_BHKA: torch.Tensor) -> torch.Tensor:
        rolled.append(len(z_BTD))
        return cast(torch.Tensor, real(z_BTD, action_BHKA))

    monkeypatch.setattr(model, "rollout", watched)
    data = straight_episodes(20)
    for share, wanted in ((0.25, [32]), (1.0, [128]), (0.0, [])):
        rolled.clear()
        fit_head("temporal", head_config("temporal", OPTIONS | {"steps": 1, "imagined": share}), model, data, {}, 0)
        assert rolled == wanted
