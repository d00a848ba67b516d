"""No copy of a batch to a GPU makes the process wait, and elsewhere none may go on alone."""

from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode

from jepa.core.clips import Clips

CLIPS = Clips(
    pixels_BTHWC=torch.randint(0, 256, (2, 3, 4, 4, 3), dtype=torch.uint8),
    action_BTKA=torch.rand(2, 2, 5, 2),
    state={"agent": torch.rand(2, 3, 2), "door": torch.rand(2, 3, 1)},
)
PARTS = 2 + len(CLIPS.state)


class Copies(TorchFunctionMode):
    """Notes every copy between devices and performs none, so that no GPU is needed."""

    def __init__(self) -> None:
        self.waits: list[bool] = []
        self.changed: list[torch.dtype] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is not torch.Tensor.to:
            return func(*args, **(kwargs or {}))
        tensor, target = args
        if isinstance(target, torch.device):
            self.waits.append(not (kwargs or {}).get("non_blocking", False))
            return tensor
        self.changed.append(target)
        return func(*args)


@pytest.mark.parametrize(("device", "waits"), [("cuda", False), ("mps", True), ("cpu", True)])
def test_only_a_gpu_copies_by_itself(device: str, waits: bool) -> None:
    with Copies() as copies:
        CLIPS.to(torch.device(device), torch.float64)
    assert copies.waits == PARTS * [waits]


def test_the_type_changes_after_the_copy_and_frames_stay_bytes() -> None:
    with Copies() as copies:
        moved = CLIPS.to(torch.device("cuda"), torch.float64)
    assert copies.changed == (PARTS - 1) * [torch.float64]
    assert moved.pixels_BTHWC.dtype == torch.uint8 and moved.action_BTKA.dtype == torch.float64


def test_values_are_those_of_the_batch() -> None:
    moved = CLIPS.to(torch.device("cpu"), torch.float64)
    assert torch.equal(moved.pixels_BTHWC, CLIPS.pixels_BTHWC)
    assert torch.equal(moved.action_BTKA, CLIPS.action_BTKA.double())
    assert all(torch.equal(moved.state[name], value.double()) for name, value in CLIPS.state.items())


def test_all_parts_are_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    pinned: list[int] = []

    def recording(tensor: torch.Tensor) -> torch.Tensor:
        pinned.append(id(tensor))
        return tensor

    monkeypatch.setattr("torch.Tensor.pin_memory", recording)
    clips = CLIPS.pin_memory()
    assert set(pinned) == {id(part) for part in (clips.pixels_BTHWC, clips.action_BTKA, *clips.state.values())}
