"""Push-T's policies: they move the block and stay in the scene, and the expert brings it to its goal poses."""

import numpy as np
import pytest

from jepa.worlds import EpisodePlan, collect_episodes, make_policy, make_world
from jepa.worlds.adapters.pusht.expert import FACES, PushTExpert
from tests.jepa.worlds.adapters.test_pusht import USUAL


@pytest.mark.parametrize("policy", ["pusht/expert", "pusht/pusher", "pusht/near_block"])
def test_the_policies_move_the_block_and_stay_in_the_scene(policy: str) -> None:
    plans = [EpisodePlan(index, 90 + index, "train", USUAL, policy, 40) for index in range(6)]
    episodes = list(collect_episodes("pusht", {"image_size": 16}, plans))
    path = [np.linalg.norm(np.diff(episode.state["block_position"], axis=0), axis=1).sum() for episode in episodes]
    assert np.median(path) > 30
    agent = np.stack([episode.state["agent_position"] for episode in episodes])
    assert agent.min() > 0 and agent.max() < 512


def test_the_expert_brings_the_block_to_its_goal_pose() -> None:
    world = make_world("pusht", 8, image_size=16)
    world.begin(range(100, 108), [USUAL] * 8)
    expert = make_policy("pusht/expert", "pusht")
    assert isinstance(expert, PushTExpert)
    expert.begin(world, range(100, 108))
    goals = [hand.goal_centre for hand in expert.hands]
    nearest = np.full(8, np.inf)
    for _ in range(170):
        state = world.state()
        for n, goal in enumerate(goals):
            heading = complex(*state["block_heading"][n])
            nearest[n] = min(nearest[n], abs(complex(*state["block_position"][n]) + 45j * heading - goal))
        world.advance(expert.act(world))
    assert (nearest < 20).mean() >= 0.75
    assert sum(hand.goals_reached > 0 for hand in expert.hands) >= 6


def test_every_face_has_a_normal_of_unit_length_that_leads_out_of_the_block() -> None:
    """The T of the package: a bar of 120 × 30 and a stem of 30 × 90 below it."""

    def inside(point: complex) -> bool:
        in_bar = abs(point.real) < 60 and 0 < point.imag < 30
        return in_bar or (abs(point.real) < 15 and 0 < point.imag < 120)

    for point, normal in FACES:
        assert abs(normal) == 1
        assert inside(point - normal) and not inside(point + normal), (point, normal)
