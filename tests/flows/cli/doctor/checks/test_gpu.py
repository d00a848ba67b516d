"""The doctor's check of GPUs on a machine that has none; one that should have one is not passed over."""

from pathlib import Path

import pytest
import torch

from flows.cli.doctor.checks import gpu
from tests.flows.cli.doctor.checked import findings, statuses

ABSENT = {"memory": "skipped", "bf16": "skipped", "nccl": "skipped"}

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@pytest.mark.parametrize(
    ("driver", "hidden", "status", "words"),
    [
        (False, None, "ok", "no GPU: CPU"),
        (True, None, "failed", "the machine has an NVIDIA driver"),
        (True, "-1", "warning", "CUDA_VISIBLE_DEVICES is '-1'"),
    ],
    ids=["none", "not usable", "hidden"],
)
def test_a_machine_without_a_usable_gpu(
    driver: bool, hidden: str | None, status: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "DRIVER", Path("/") if driver else tmp_path / "none")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if hidden is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    found = findings("gpu")
    assert statuses(found) == {"device": status, **ABSENT} and words in found["device"].found
