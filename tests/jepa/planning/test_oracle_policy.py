"""The policy `oracle`: it plans its way to goals of its own in any world, and closes the worlds that it opens."""

import numpy as np
import pytest

from jepa.planning import oracle_policy
from jepa.planning.oracle_policy import OraclePlanning
from jepa.planning.planners import oracle
from jepa.worlds import EpisodePlan, World, collect_episodes, make_policy, make_world


def plan(index: int, steps: int = 40) -> EpisodePlan:
    return EpisodePlan(index, 500 + index, "train", {"door": 0.5}, "oracle", steps)


def test_the_oracle_reaches_goals_of_its_own() -> None:
    """Its first goal is a place drawn from the episode's seed; two thirds of the way there is far from chance."""
    together = list(collect_episodes("two_room", {"image_size": 16}, [plan(n) for n in range(3)]))
    (alone,) = collect_episodes("two_room", {"image_size": 16}, [plan(1)])
    np.testing.assert_array_equal(alone.action, together[1].action)
    np.testing.assert_array_equal(alone.pixels, together[1].pixels)
    world = make_world("two_room", 3, image_size=16)
    world.begin([500, 501, 502], [{"door": 0.5}] * 3)
    acting = make_policy("oracle", "two_room")
    acting.begin(world, [500, 501, 502])
    assert isinstance(acting, OraclePlanning)
    goal = acting.goal["agent_position"].copy()
    start, path = together[0].state["agent_position"][0], [one.state["agent_position"] for one in together]
    assert (goal != start).any()
    nearest = [np.linalg.norm(places - goal[n], axis=1).min() for n, places in enumerate(path)]
    assert np.median(nearest) < 0.1
    acting.close()


def test_the_oracle_acts_in_worlds_of_others_too() -> None:
    (episode,) = collect_episodes(
        "gymnasium:Pendulum-v1", {"image_size": 16}, [EpisodePlan(0, 1, "train", {}, "oracle", 3)]
    )
    assert np.abs(episode.action).max() <= 1 and (episode.action != 0).any()


def test_its_worlds_are_closed_when_its_episodes_end(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[World] = []

    def watched(name: str, copies: int, **options: object) -> World:
        made.append(make_world(name, copies, **options))
        return made[-1]

    for module in (oracle_policy, oracle):
        monkeypatch.setattr(module, "make_world", watched)
    list(collect_episodes("two_room", {"image_size": 16}, [plan(0, steps=2)]))
    assert len(made) >= 3 and all(world.closed for world in made)
