"""A GPU that is asked for and cannot come is said before the start."""

import pytest

from jepa.core.errors import InputError
from pipelines.pretrain import PretrainConfig
from pipelines.pretrain.plan import check_device


@pytest.mark.parametrize("executor", ["local", "ray"])
def test_a_gpu_that_is_not_here(executor: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    asked = {"dataset": "d", "name": "m", "executor": executor}
    with pytest.raises(InputError, match="device is 'cuda' and no GPU is visible here; choose 'auto' or 'cpu'"):
        check_device(PretrainConfig.model_validate(asked | {"device": "cuda"}))
    check_device(PretrainConfig.model_validate(asked | {"device": "auto"}))


def test_a_cluster_may_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "ray.example:6379")
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    check_device(PretrainConfig(dataset="d", name="m", device="cuda"))
