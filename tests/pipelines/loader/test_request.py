"""A request says who reads what, and refuses what no loader could do."""

from dataclasses import replace

import pytest

from jepa.core.errors import InputError
from pipelines.loader import ClipShape
from pipelines.store import Dataset
from tests.pipelines.loader.loading import clip_request


def test_a_clip_has_history_and_horizon(dataset: Dataset) -> None:
    request = clip_request(dataset, history=3, horizon=2, frameskip=4)
    assert request.clip_shape == ClipShape(frames=5, frameskip=4) and request.clip_shape.environment_steps == 16
    assert ClipShape(frames=1, frameskip=4).environment_steps == 0


@pytest.mark.parametrize(("batch_size", "world_size"), [(12, 1), (12, 5), (7, 7), (3, 5)])
def test_workers_share_the_slots_evenly(dataset: Dataset, batch_size: int, world_size: int) -> None:
    request = clip_request(dataset, batch_size=batch_size, world_size=world_size)
    shares = [replace(request, rank=rank).slots for rank in range(world_size)]
    assert [slot for share in shares for slot in share] == list(range(batch_size))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"history": 0}, "history 0 is too small; take 1 or more"),
        ({"horizon": -1}, "horizon -1 is too small; take 0 or more"),
        ({"frameskip": 0}, "frameskip 0 is too small; take 1 or more"),
        ({"batch_size": 0}, "batch_size 0 is too small; take 1 or more"),
        ({"world_size": 0}, "world_size 0 is too small; take 1 or more"),
        ({"rank": 3, "world_size": 3}, "rank 3 is not that of one of 3 workers; take 0 to 2"),
        ({"rank": -1}, "rank -1 is not that of one of 1 workers; take 0 to 0"),
    ],
)
def test_numbers_out_of_range_are_refused(dataset: Dataset, changes: dict[str, int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        clip_request(dataset, "train", **changes)


def test_what_some_loaders_cannot_do_is_checked_by_them(dataset: Dataset) -> None:
    request = clip_request(dataset, batch_size=12, world_size=5)
    request.check_no_worker_is_idle()
    with pytest.raises(InputError, match="batch_size 12 cannot be shared by 5 workers; take a multiple of 5"):
        request.check_shares_are_equal()
    replace(request, world_size=4).check_shares_are_equal()
    with pytest.raises(InputError, match="batch_size 12 is less than workers 13; take fewer workers"):
        replace(request, world_size=13).check_no_worker_is_idle()
    request.check_batch_is_filled(12)
    match = "split 'train' of dataset 'small' has 11 clips of 13 frames, too few for one batch of 12; collect more"
    with pytest.raises(InputError, match=match):
        request.check_batch_is_filled(11)
