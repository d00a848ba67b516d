"""Where the frame of a step lies: known in one place, and a step without one is a sentence."""

import numpy as np
import pytest

from jepa.core.clips import whole_clip
from jepa.core.episodes import Episode, check_frameskip, frame_every_of
from jepa.core.errors import InputError
from jepa.studies.in_memory.clips import ClipSampler
from jepa.studies.in_memory.episodes import MemoryEpisodes


def episode(steps: int, frame_every: int, index: int = 0) -> Episode:
    """Returns one whose frames, actions and states show their step."""
    step = np.arange(steps + 1)
    shown = np.tile((step + 50 * index).astype(np.uint8)[::frame_every, None, None, None], (1, 4, 4, 3))
    rows = (step + 50 * index).astype(np.float32)[:, None]
    return Episode(index, index, "train", {}, "random", shown, rows[:-1], {"step": rows}, frame_every)


@pytest.mark.parametrize(("steps", "drawn"), [(12, [0, 4, 8, 12]), (14, [0, 4, 8, 12]), (3, [0])])
def test_frames_lie_at_every_fourth_step(steps: int, drawn: list[int]) -> None:
    one = episode(steps, 4)
    assert one.drawn_steps.tolist() == drawn and one.steps == steps
    assert one.frames_at(drawn)[:, 0, 0, 0].tolist() == drawn
    assert one.frames_at(drawn[-1]).shape == (4, 4, 3)
    with pytest.raises(InputError, match="episode 0 has no frame of step 2: frame_every is 4"):
        one.frames_at(np.array([0, 2]))


def test_a_clip_of_a_whole_episode_takes_frames_that_are_there() -> None:
    clip = whole_clip(episode(19, 4), 8)
    assert clip.pixels_BTHWC[0, :, 0, 0, 0].tolist() == [0, 8, 16]
    assert clip.action_BTKA[0, 1, :, 0].tolist() == list(range(8, 16))
    assert clip.state["step"][0, :, 0].tolist() == [0, 8, 16]
    with pytest.raises(InputError, match="has no frame of step 6"):
        whole_clip(episode(19, 4), 6)


def test_clips_in_memory_begin_at_frames_and_are_those_of_the_whole() -> None:
    lengths = (19, 9, 16)
    sparse, whole = (
        MemoryEpisodes("w", {}, {"train": [episode(steps, every, place) for place, steps in enumerate(lengths)]})
        for every in (4, 1)
    )
    assert (frame_every_of(sparse), frame_every_of(whole)) == (4, 1)
    sampler = ClipSampler(sparse, frames=2, frameskip=8, batch_size=3, seed=0)
    assert sampler.batches == 2  # of the steps 0, 4, 8 of the first, 0 of the second, 0, 4, 8 of the third
    held = list(whole.episodes("train"))
    seen = set()
    for number in range(2):
        clips = sampler.batch(number)
        for row in range(3):
            index, first = divmod(int(clips.state["step"][row, 0, 0]), 50)
            seen.add((index, first))
            assert np.array_equal(clips.pixels_BTHWC[row], held[index].pixels[[first, first + 8]])
            assert np.array_equal(clips.action_BTKA[row, 0], held[index].action[first : first + 8])
            assert np.array_equal(clips.state["step"][row], held[index].state["step"][[first, first + 8]])
    assert len(seen) == 6 and all(first % 4 == 0 for _, first in seen)
    with pytest.raises(InputError, match="frameskip is 6 and the dataset has a frame of every 4 steps"):
        ClipSampler(sparse, frames=2, frameskip=6, batch_size=3, seed=0)


def test_a_frameskip_that_does_not_fit_is_one_sentence() -> None:
    check_frameskip(5, 1)
    check_frameskip(10, 5)
    with pytest.raises(InputError, match=r"frameskip is 5 and dataset 'd' has a frame of every 10 .* as frameskip"):
        check_frameskip(5, 10, "dataset 'd'")
