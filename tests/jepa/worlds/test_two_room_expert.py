"""Two-Room's expert: through the door where it must, and far more often than a random walk."""

import numpy as np

from jepa.worlds import EpisodePlan, collect_episodes
from jepa.worlds.two_room.expert import MARGIN, way_point
from jepa.worlds.two_room.world import LEFT, RIGHT, WALL_X
from tests.narrow import floats


def plan(index: int, policy: str = "two_room/expert", door: float = 0.5) -> EpisodePlan:
    return EpisodePlan(index, 1000 + index, "train", {"door": door}, policy, 64)


def test_it_crosses_rooms_and_the_random_walk_moves() -> None:
    doors = np.linspace(0.2, 0.8, 40)
    episodes = list(collect_episodes("two_room", {"image_size": 16}, [plan(n, door=d) for n, d in enumerate(doors)]))
    rooms = np.stack([episode.state["agent_position"][:, 0] < WALL_X for episode in episodes])
    crossings = (rooms[:, 1:] != rooms[:, :-1]).sum(1)
    assert (crossings > 0).mean() > 0.7 and crossings.mean() > 1
    walks = list(collect_episodes("two_room", {"image_size": 16}, [plan(n, "random") for n in range(40)]))
    spread = np.stack([np.ptp(episode.state["agent_position"], axis=0) for episode in walks])
    assert np.median(spread) > 0.2


def test_the_way_leads_before_the_door_behind_it_and_to_the_goal() -> None:
    door = np.float32(0.6)
    places = floats([[0.2, 0.2], [0.3, 0.6], [0.9, 0.3], [0.2, 0.9]])
    goals = floats([[0.8, 0.4], [0.8, 0.4], [0.8, 0.4], [0.3, 0.1]])
    before, behind = [LEFT - MARGIN, door], [RIGHT + MARGIN, door]
    wanted = floats([before, behind, goals[2], goals[3]])
    np.testing.assert_allclose(way_point(places, goals, np.full(4, door)), wanted, atol=1e-6)
