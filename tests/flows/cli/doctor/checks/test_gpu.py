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


def test_a_gpu_that_cannot_compute_is_found_at_its_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch says that there is a GPU, and what is done on it fails."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "a GPU")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda index: (10**9, 80 * 10**9))
    monkeypatch.setattr(torch.distributed, "is_nccl_available", lambda: False)
    found = findings("gpu")
    assert statuses(found) == {"device": "ok", "memory": "warning", "bf16": "failed", "nccl": "failed"}
    assert "1 × a GPU" in found["device"].found and found["memory"].found == "1 of 80 GB free"


def test_what_is_computed_on_a_gpu_is_right() -> None:
    """On the processor, with its own backend."""
    assert gpu.multiplies("cpu")
    gpu.sum_alone("gloo", "cpu", 60)
    assert not torch.distributed.is_initialized()
