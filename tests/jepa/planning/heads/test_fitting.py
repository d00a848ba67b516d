"""The fitting loop: equal seeds give equal heads, whatever ran before, and the model stays as it is."""

from typing import Any

import pytest
import torch

from jepa.core.errors import InputError
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.planning.heads.fitting import fit_head
from jepa.planning.heads.head import Head
from jepa.planning.heads.registry import HEADS, head_config
from tests.jepa.planning.heads.straight import straight_episodes

MODEL = WorldModel.from_config(ModelConfig(latent_size=2))
SMALL = {"width": 16, "depth": 2, "steps": 30, "batch_size": 32}


def fitted(kind: str, seed: int, **options: Any) -> Head:
    config = head_config(kind, SMALL | options)
    return fit_head(kind, config, MODEL, straight_episodes(20), {"position": 2}, seed)


@pytest.mark.parametrize("kind", HEADS.names())
def test_a_seed_gives_one_head_and_the_model_stays_as_it_is(kind: str) -> None:
    before = {name: value.clone() for name, value in MODEL.state_dict().items()}
    first = fitted(kind, 0).state_dict()
    torch.rand(7)
    again, other = fitted(kind, 0).state_dict(), fitted(kind, 1).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)
    assert all(torch.equal(before[name], value) for name, value in MODEL.state_dict().items())
    assert all(parameter.grad is None for parameter in MODEL.parameters())


def test_a_fit_that_diverges_and_a_wrong_option_are_sentences() -> None:
    with pytest.raises(InputError, match="head 'inverse' diverged at learning_rate"):
        fitted("inverse", 0, learning_rate=1e30)
    with pytest.raises(InputError, match=r"options\.inverse\.steps: .* got 0"):
        head_config("inverse", {"steps": 0})
    with pytest.raises(InputError, match=r"head 'nosuch' is not known; choose one of: .*inverse"):
        head_config("nosuch", {})
