"""Pairs within clips: which frames, how far apart, and the actions between them."""

import pytest
import torch

from jepa.core.errors import InputError
from jepa.objectives.terms.clip_latents import ClipLatents
from tests.jepa.models.test_world_model import draws

CLIPS, FRAMES, SKIP = 6, 5, 4


def clips() -> ClipLatents:
    return ClipLatents.of(draws(CLIPS, FRAMES, 3), draws(CLIPS, FRAMES - 1, SKIP, 2, seed=2))


def test_rows_are_frames_with_the_actions_that_follow_them() -> None:
    z_BTD, action_BTKA, data = draws(CLIPS, FRAMES, 3), draws(CLIPS, FRAMES - 1, SKIP, 2, seed=2), clips()
    assert data.longest == 16 and len(data.z_ND) == len(data.action_NA) == CLIPS * 17
    for clip in range(CLIPS):
        start = int(data.start_E[clip])
        assert torch.equal(data.z_ND[start : start + 17 : SKIP], z_BTD[clip])
        row = torch.tensor([start + 2 * SKIP])
        assert torch.equal(data.blocks(row, 2 * SKIP)[0], action_BTKA[clip, 2:4].flatten(0, 1))


def test_pairs_lie_within_a_clip_at_frames_and_their_separations_are_even() -> None:
    data = clips()
    pairs = data.pairs(4000, 64, torch.Generator().manual_seed(0), room=SKIP)
    clip_B, row_B = pairs.first_B // 17, pairs.first_B % 17
    assert torch.equal(pairs.second_B - pairs.first_B, pairs.separation_B)
    assert torch.equal(pairs.second_B // 17, clip_B) and not (row_B % SKIP).any()
    counts = pairs.separation_B.bincount()
    assert counts.nonzero().flatten().tolist() == [4, 8, 12, 16] and counts[[4, 8, 12, 16]].min() > 900
    of_one_block = row_B[pairs.separation_B == SKIP]
    assert of_one_block.bincount().nonzero().flatten().tolist() == [0, 4, 8, 12]
    assert len(clip_B.unique()) == CLIPS


@pytest.mark.parametrize(
    ("asked", "separations", "rows"),
    [
        ({"shortest": 0}, [0, 4, 8, 12, 16], {0, 4, 8, 12}),
        ({"shortest": 0, "lead": 8}, [0, 4, 8], {8, 12}),
        ({"room": 12}, [4, 8, 12, 16], {0, 4}),
        ({"shortest": 5}, [8, 12, 16], {0, 4, 8}),
    ],
)
def test_what_must_lie_before_and_after_the_first_frame_does(
    asked: dict[str, int], separations: list[int], rows: set[int]
) -> None:
    pairs = clips().pairs(4000, 64, torch.Generator().manual_seed(0), **asked)
    assert pairs.separation_B.unique().tolist() == separations
    assert set((pairs.first_B % 17).tolist()) == rows


def test_draws_are_a_function_of_the_generator() -> None:
    one, same, other = (clips().pairs(50, 64, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2))
    assert torch.equal(one.first_B, same.first_B) and not torch.equal(one.first_B, other.first_B)


@pytest.mark.parametrize("asked", [{"room": 20}, {"lead": 16}, {"longest": 3}])
def test_clips_that_are_too_short_are_named(asked: dict[str, int]) -> None:
    with pytest.raises(InputError, match=r"joint_head: clips have 4 action blocks, .* raise train_options.horizon"):
        clips().pairs(8, asked.pop("longest", 64), torch.Generator().manual_seed(0), **asked)
