"""What all official readers share: clips of single chunks, mixed by a buffer, resumed at an epoch's start alone."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from jepa.core.errors import InputError
from pipelines.loader import ClipRequest, LoaderConfig
from pipelines.loader.official.official_loader import OfficialLoader
from pipelines.store import FORMATS, Dataset
from pipelines.store.formats import StoredChunk
from tests.pipelines.loader.loading import clip_request, same, take

STEPS, FRAMESKIP = 9, 3


class PlainReader(OfficialLoader):
    """Reads the chunks in the table's order, every second one where there are two workers."""

    kind = "plain"
    container = "mds"

    def read_chunks(self, epoch: int) -> Iterator[StoredChunk]:
        dataset, table, request = self.request.dataset, self.table, self.request
        for chunk in range(request.rank, len(table), request.world_size):
            record = dataset.read_records(table, np.array([chunk]))[chunk]
            yield FORMATS.get("mds").unpack(record, sorted(dataset.manifest.quantities))


def plain_request(dataset: Dataset, **changes: Any) -> ClipRequest:
    fields = {"frameskip": FRAMESKIP, "batch_size": 6, "config": LoaderConfig(kind="plain", windows_per_chunk=3)}
    return clip_request(dataset, "train", **fields | changes)


def test_clips_are_those_of_the_episodes(dataset: Dataset) -> None:
    episodes = list(dataset.episodes("train"))
    clips_of: dict[bytes, bytes] = {}
    for episode in episodes:
        for first in range(31 - STEPS):
            action = episode.action[first : first + STEPS].tobytes()
            clips_of[action] = episode.pixels[first : first + STEPS + 1 : FRAMESKIP].tobytes()
    seen = set()
    with PlainReader(plain_request(dataset)) as loader:
        for _ in range(90):
            clips = next(loader)
            assert clips.pixels_BTHWC.shape == (6, 4, 32, 32, 3) and clips.action_BTKA.shape == (6, 3, FRAMESKIP, 2)
            assert all(value.shape[:2] == (6, 4) for value in clips.state.values())
            for pixels, action in zip(clips.pixels_BTHWC.numpy(), clips.action_BTKA.numpy(), strict=True):
                assert clips_of[action.tobytes()] == pixels.tobytes()
                seen.add(action.tobytes())
        counters = loader.counters()
    assert len(seen) > 150 and counters.batches == 90 and counters.clips >= 90 * 6
    assert all(counters.cpu_seconds[stage] > 0 for stage in ("decode", "assemble", "collate"))


def test_only_the_start_of_an_epoch_can_be_sought(dataset: Dataset) -> None:
    with PlainReader(plain_request(dataset)) as loader:
        first = next(loader)
        assert loader.position() == {"epoch": 0, "batch": 1}
        with pytest.raises(InputError, match="'plain' cannot continue at batch 1 of an epoch"):
            loader.seek(loader.position())
        loader.seek({"epoch": 3, "batch": 0})
        assert not same(next(loader), first) and loader.position() == {"epoch": 3, "batch": 1}
        loader.seek({"epoch": 0, "batch": 0})
        assert same(next(loader), first)


def test_an_epoch_follows_the_other(dataset: Dataset) -> None:
    positions: list[dict[str, int]] = []
    with PlainReader(plain_request(dataset)) as loader:
        while not positions or positions[-1]["epoch"] < 2:
            next(loader)
            positions.append(loader.position())
    ends = [positions.index({"epoch": epoch, "batch": 1}) for epoch in range(3)]
    holding = int((dataset.chunk_table("train").frames > STEPS).sum())
    assert ends[0] == 0 and ends[2] - ends[1] == 3 * holding // 6


def test_what_cannot_be_read_is_said(dataset: Dataset) -> None:
    with pytest.raises(InputError, match="has 0 clips of 13 frames"):
        PlainReader(plain_request(dataset, frameskip=4))
    with pytest.raises(InputError, match="batch_size 6 cannot be shared by 4 workers; take a multiple of 4"):
        PlainReader(plain_request(dataset, world_size=4))

    class TarReader(PlainReader):
        container = "webdataset"

    with pytest.raises(
        InputError, match="'plain' reads webdataset shards and dataset 'small' is in mds; take `native`"
    ):
        TarReader(plain_request(dataset))


def test_a_worker_without_a_clip_is_an_error_and_no_endless_search(dataset: Dataset) -> None:
    class Unlucky(PlainReader):
        def read_chunks(self, epoch: int) -> Iterator[StoredChunk]:
            return (chunk for chunk in super().read_chunks(epoch) if chunk.frames < STEPS)

    with Unlucky(plain_request(dataset, rank=1, world_size=2)) as loader:
        for _ in range(2):
            with pytest.raises(InputError, match="gives worker 1 of 2 no chunk that holds a clip of 10 frames; take"):
                next(loader)


def test_an_error_of_the_reader_ends_the_iteration(dataset: Dataset) -> None:
    class Broken(PlainReader):
        def read_chunks(self, epoch: int) -> Iterator[StoredChunk]:
            yield from list(super().read_chunks(epoch))[:20]
            raise OSError("the archive ends here")

    with Broken(plain_request(dataset)) as loader, pytest.raises(OSError, match="the archive ends here"):
        for _ in range(100):
            next(loader)


@pytest.mark.parametrize("pin", [True, False])
def test_every_part_is_in_pinned_memory_or_none(dataset: Dataset, monkeypatch: pytest.MonkeyPatch, pin: bool) -> None:
    pinned: list[int] = []

    def recording(tensor: torch.Tensor) -> torch.Tensor:
        pinned.append(id(tensor))
        return tensor

    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.Tensor.pin_memory", recording)
    config = LoaderConfig(kind="plain", windows_per_chunk=3, pin_memory=pin)
    clips = take(PlainReader(plain_request(dataset, config=config)), 1)[0]
    parts = [clips.pixels_BTHWC, clips.action_BTKA, *clips.state.values()]
    assert [id(part) in pinned for part in parts] == len(parts) * [pin]


def test_names_of_threads_say_whose_they_are(dataset: Dataset) -> None:
    with PlainReader(plain_request(dataset)) as loader:
        next(loader)
        assert loader._prefetcher is not None
        assert re.match("loader", loader._prefetcher._thread.name)
