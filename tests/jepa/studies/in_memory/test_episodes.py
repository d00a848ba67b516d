"""Episodes in memory: a pure function of the collection, kept for who asks again."""

from dataclasses import replace

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.studies.in_memory import Collection, MemoryEpisodes, collected

SMALL = Collection(train=3, validation=1, test=2, unseen=1, steps=12, image_size=32)


def test_a_collection_is_collected_once_and_its_splits_hold_what_was_asked_for() -> None:
    source = collected(SMALL)
    assert source is collected(Collection(train=3, validation=1, test=2, unseen=1, steps=12, image_size=32))
    assert [source.count(split) for split in ("train", "validation", "test", "unseen")] == [3, 1, 2, 1]
    episodes = [one for split in ("train", "validation", "test", "unseen") for one in source.episodes(split)]
    assert [one.index for one in episodes] == list(range(7)) and len({one.seed for one in episodes}) == 7
    assert all(one.pixels.shape == (13, 32, 32, 3) and one.action.shape == (12, 2) for one in episodes)
    (unseen,) = source.episodes("unseen")
    assert 0.32 <= unseen.variation["door"] <= 0.40 or 0.60 <= unseen.variation["door"] <= 0.68
    assert list(source.episodes("train", limit=2)) == episodes[:2]
    mean, std = source.action_statistics
    actions = np.concatenate([one.action for one in episodes[:3]])
    np.testing.assert_allclose(mean, actions.mean(0), atol=1e-6)
    np.testing.assert_allclose(std, actions.std(0), rtol=1e-5)


def test_more_episodes_leave_the_first_ones_as_they_are() -> None:
    more = collected(Collection(train=5, validation=0, test=2, steps=12, image_size=32))
    for split in ("train", "test"):
        pairs = zip(collected(SMALL).episodes(split), more.episodes(split), strict=False)
        assert all(np.array_equal(one.pixels, other.pixels) and one.seed == other.seed for one, other in pairs)
    other_seed = collected(Collection(train=1, test=1, validation=0, steps=12, image_size=32, seed=1))
    (first,), (again,) = other_seed.episodes("train"), collected(SMALL).episodes("train", limit=1)
    assert not np.array_equal(first.pixels, again.pixels)


def test_policies_act_in_as_many_training_episodes_as_their_shares_say_and_in_no_other() -> None:
    alone = Collection(train=4, validation=0, test=20, steps=3, image_size=32, policies=(("random", 1.0),))
    assert {one.policy for one in collected(alone).episodes("train")} == {"random"}
    usual = [one.policy for one in collected(replace(alone, policies=())).episodes("test")]
    assert [one.policy for one in collected(alone).episodes("test")] == usual and len(set(usual)) == 2
    both = replace(alone, train=60, policies=(("random", 3.0), ("two_room/expert", 1.0)))
    acted = [one.policy for one in collected(both).episodes("train")]
    assert set(acted) == {"random", "two_room/expert"} and 36 <= acted.count("random") <= 54


def test_of_some_steps_only_the_first_has_a_frame() -> None:
    full, sparse = collected(SMALL), collected(replace(SMALL, frame_every=5))
    assert sparse.frame_every == 5
    for one, other in zip(full.episodes("train"), sparse.episodes("train"), strict=True):
        assert np.array_equal(other.pixels, one.pixels[::5]) and len(other.pixels) == 3
        assert np.array_equal(other.action, one.action) and len(other.state["agent_position"]) == 13


def test_no_episodes_and_unknown_splits_are_refused() -> None:
    with pytest.raises(InputError, match="no episode of world 'two_room'"):
        MemoryEpisodes("two_room", {}, {"train": []})
    with pytest.raises(InputError, match="split 'training' is not known"):
        MemoryEpisodes("two_room", {}, {"training": list(collected(SMALL).episodes("train"))})
