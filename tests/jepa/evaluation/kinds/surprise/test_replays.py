"""Replays: untouched ones are the recording, struck ones leave it at the event, and neighbours change nothing."""

from collections.abc import Sequence

import numpy as np
import pytest

from jepa.core.episodes import Episode, Pixels
from jepa.evaluation.kinds.surprise.replays import replaying
from jepa.worlds.two_room.world import TwoRoom
from tests.jepa.evaluation.standins import MemorySource

EVENT = 6


@pytest.fixture(scope="module")
def episodes() -> list[Episode]:
    return MemorySource({"test": 5}).by_split["test"]


def struck(episodes: Sequence[Episode], name: str, frames: dict[float | None, int]) -> list[Pixels]:
    with replaying(episodes, "two_room", {}, 5, EVENT) as replays:
        perturbation = TwoRoom.world_spec.perturbation(name)
        return [pixels for pixels, struck_N in replays.struck(perturbation, 0, frames) if struck_N.all()]


def test_an_untouched_replay_is_the_recording(episodes: list[Episode]) -> None:
    with replaying(episodes, "two_room", {}, 5, EVENT) as replays:
        replay = replays.untouched()
    np.testing.assert_array_equal(replay.pixels_NTHWC, np.stack([one.pixels[:61:5] for one in episodes]))
    np.testing.assert_array_equal(replay.action_NTKA[2, 3], episodes[2].action[15:20])
    np.testing.assert_array_equal(replay.at_event["agent_position"][1], episodes[1].state["agent_position"][30])
    np.testing.assert_array_equal(replay.before_event["agent_position"][1], episodes[1].state["agent_position"][25])


def test_a_struck_replay_goes_on_from_the_event(episodes: list[Episode]) -> None:
    (pixels,) = struck(episodes, "teleport", {None: 7})
    assert pixels.shape[:2] == (5, 7)
    for n, episode in enumerate(episodes):
        assert all((pixels[n, frame] != episode.pixels[30 + 5 * frame]).any() for frame in range(7))


def test_what_actions_do_changes_before_the_event(episodes: list[Episode]) -> None:
    """The frame of the event is the first to show it: it is the frame of a block before, where nothing moved since."""
    (pixels,) = struck(episodes, "ignore_action", {None: 1})
    np.testing.assert_array_equal(pixels[:, 0], np.stack([one.pixels[25] for one in episodes]))
    (pixels,) = struck(episodes, "reverse", {None: 1})
    world = TwoRoom(len(episodes))
    world.restore({name: np.stack([one.state[name][25] for one in episodes]) for name in episodes[0].state})
    for step in range(25, 30):
        world.advance(-np.stack([one.action[step] for one in episodes]))
    np.testing.assert_array_equal(pixels[:, 0], world.render_pixels())


def test_what_is_drawn_is_the_same_for_all_strengths_and_neighbours(episodes: list[Episode]) -> None:
    together = struck(episodes, "teleport", {None: 2, 1.0: 1, 3.0: 2})
    (again,) = struck(episodes, "teleport", {3.0: 2})
    np.testing.assert_array_equal(together[2], again)
    for n, episode in enumerate(episodes):
        (alone,) = struck([episode], "teleport", {None: 2})
        np.testing.assert_array_equal(alone[0], together[0][n])
