"""Clips in memory: windows of one episode each, all of them once an epoch, the same from any place."""

import numpy as np
import pytest
import torch

from jepa.core.clips import whole_clip
from jepa.core.errors import InputError
from jepa.studies.in_memory import ClipSampler, Collection, collected

SOURCE = Collection(train=4, validation=0, test=1, steps=17, image_size=32)


def test_an_epoch_holds_every_window_once_with_its_actions_and_state() -> None:
    source = collected(SOURCE)
    sampler = ClipSampler(source, frames=3, frameskip=4, batch_size=8, seed=5)
    assert sampler.batches == 4 * (17 - 8 + 1) // 8
    windows = {}
    for episode in source.episodes("train"):
        for start in range(10):
            clip = slice(start, start + 9, 4), slice(start, start + 8)
            windows[episode.state["agent_position"][start].tobytes(), episode.index] = (episode, *clip)
    found = []
    for number in range(sampler.batches):
        clips = sampler.batch(number)
        assert clips.pixels_BTHWC.shape == (8, 3, 32, 32, 3) and clips.action_BTKA.shape == (8, 2, 4, 2)
        for b in range(8):
            place = clips.state["agent_position"][b, 0].numpy().tobytes()
            ((key, (episode, frames, steps)),) = [item for item in windows.items() if item[0][0] == place]
            np.testing.assert_array_equal(clips.pixels_BTHWC[b], episode.pixels[frames])
            np.testing.assert_array_equal(clips.action_BTKA[b].flatten(0, 1), episode.action[steps])
            np.testing.assert_array_equal(clips.state["door"][b], episode.state["door"][frames])
            found.append(key)
    assert len(found) == len(set(found)) == 40


def test_an_episode_of_one_window_gives_the_clip_that_the_whole_of_it_is() -> None:
    source = collected(Collection(train=1, validation=0, test=0, steps=8, image_size=32))
    (episode,) = source.episodes("train")
    clips, whole = ClipSampler(source, 3, 4, 1, seed=0).batch(0), whole_clip(episode, 4)
    assert torch.equal(clips.pixels_BTHWC, whole.pixels_BTHWC) and torch.equal(clips.action_BTKA, whole.action_BTKA)


def test_a_batch_depends_on_its_number_and_the_seed_alone() -> None:
    source = collected(SOURCE)
    one, other = (ClipSampler(source, 3, 4, 8, seed=5) for _ in range(2))
    forward = [one.batch(number).action_BTKA for number in range(8)]
    for number in (7, 2, 5):
        assert torch.equal(other.batch(number).action_BTKA, forward[number])
    assert not torch.equal(forward[0], forward[one.batches])
    assert not torch.equal(forward[0], ClipSampler(source, 3, 4, 8, seed=6).batch(0).action_BTKA)


def test_too_few_clips_for_a_batch_are_refused_with_the_remedy() -> None:
    with pytest.raises(InputError, match=r"split 'train' has 40 clips of 9 frames, too few for one batch of 41"):
        ClipSampler(collected(SOURCE), 3, 4, 41, seed=0)
