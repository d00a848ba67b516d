"""The memory of batches: used again when nobody holds it, pinned in all its parts where a GPU is to fetch it."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from pipelines.loader import LoaderConfig
from pipelines.loader.native.buffers import BatchBuffers, BatchShape, batch_shape, batches_ahead
from pipelines.store import Dataset
from tests.pipelines.loader.loading import clip_request

SHAPE = BatchShape(pixels=(5, 4, 8, 8, 3), action=(5, 3, 4, 2), quantities={"agent": 2, "door": 1, "goal": 3})


def address(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def test_shapes_are_those_of_the_worker_share(dataset: Dataset) -> None:
    shape = batch_shape(clip_request(dataset, rank=1, world_size=5))
    assert shape.pixels == (2, 4, 32, 32, 3) and shape.action == (2, 3, 4, 2)
    assert list(shape.quantities.items()) == sorted(dataset.manifest.quantities.items())
    assert shape.state == (2, 4, sum(dataset.manifest.quantities.values())) and shape.pixel_bytes == 2 * 4 * 32 * 32 * 3


@pytest.mark.parametrize("quantities", [{"agent": 2, "door": 1, "goal": 3}, {"agent": 6}, {}])
def test_a_filled_batch_has_its_state_by_quantity(quantities: dict[str, int]) -> None:
    shape = replace(SHAPE, quantities=quantities)
    buffers = BatchBuffers(shape, keep=1, pin=False)
    empty, arrays = buffers.take()
    arrays.pixels[:], arrays.action[:] = 7, 3
    arrays.state[:] = np.arange(sum(quantities.values()))
    clips = buffers.finish(empty, arrays)
    assert (clips.pixels_BTHWC == 7).all() and (clips.action_BTKA == 3).all()
    assert clips.pixels_BTHWC.is_contiguous() and clips.pixels_BTHWC.dtype == torch.uint8
    assert {name: value.shape for name, value in clips.state.items()} == {n: (5, 4, d) for n, d in quantities.items()}
    read = torch.cat([values for values in clips.state.values()], dim=-1) if quantities else torch.empty(5, 4, 0)
    assert torch.equal(read, torch.from_numpy(arrays.state))


def test_memory_is_used_again_once_nobody_holds_it() -> None:
    buffers = BatchBuffers(SHAPE, keep=2, pin=False)
    first, second = buffers.take(), buffers.take()
    places = {address(one[0].pixels_BTHWC) for one in (first, second)}
    assert len(places) == 2
    third = buffers.take()  # more than are kept
    assert address(third[0].pixels_BTHWC) not in places
    view = first[0].pixels_BTHWC[3, 1:]
    del first
    assert address(buffers.take()[0].pixels_BTHWC) not in {address(second[0].pixels_BTHWC), address(view)}
    del view
    assert address(buffers.take()[0].pixels_BTHWC) in places


@pytest.mark.parametrize("pin", [True, False])
def test_every_part_is_in_pinned_memory_or_none(monkeypatch: pytest.MonkeyPatch, pin: bool) -> None:
    pinned: list[torch.Tensor] = []
    empty = torch.empty

    def recording(shape: Any, *, dtype: torch.dtype, pin_memory: bool) -> torch.Tensor:
        tensor = empty(shape, dtype=dtype)
        if pin_memory:
            pinned.append(tensor)
        return tensor

    monkeypatch.setattr("torch.empty", recording)
    buffers = BatchBuffers(SHAPE, keep=2, pin=pin)
    clips = buffers.finish(*buffers.take())
    parts = [clips.pixels_BTHWC, clips.action_BTKA, *clips.state.values()]
    held = {address(tensor) for tensor in pinned}
    assert [address(tensor) in held for tensor in parts] == len(parts) * [pin]


def test_as_many_batches_are_filled_ahead_as_the_memory_allows() -> None:
    assert batches_ahead(LoaderConfig(memory_megabytes=1), 12 * 4 * 32 * 32 * 3, 16) == 7
    assert batches_ahead(LoaderConfig(memory_megabytes=1), 2**21, 16) == 2  # two at least
    assert batches_ahead(LoaderConfig(memory_megabytes=4096), 1000, 16) == 2 * 16 + 4  # and what is of use at most
