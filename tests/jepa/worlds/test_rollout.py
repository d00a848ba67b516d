"""Collected episodes are functions of their own plans, whatever is simulated beside them."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jepa.core.episodes import Episode
from jepa.core.errors import InputError
from jepa.worlds import EpisodePlan, World, collect_episodes, make_world, rollout


def plan(index: int, policy: str = "two_room/expert", steps: int = 12, door: float = 0.5) -> EpisodePlan:
    return EpisodePlan(index, 1000 + index, "train", {"door": door}, policy, steps)


def assert_same(left: Episode, right: Episode) -> None:
    assert (left.index, left.seed, left.split, left.policy) == (
        right.index,
        right.seed,
        right.split,
        right.policy,
    )
    np.testing.assert_array_equal(left.pixels, right.pixels)
    np.testing.assert_array_equal(left.action, right.action)
    assert left.state.keys() == right.state.keys()
    for name in left.state:
        np.testing.assert_array_equal(left.state[name], right.state[name])


def test_an_episode_has_the_shapes_it_promises() -> None:
    (episode,) = collect_episodes("two_room", {"image_size": 32}, [plan(3, steps=9)])
    assert episode.pixels.shape == (10, 32, 32, 3) and episode.pixels.dtype == np.uint8
    assert episode.action.shape == (9, 2) and episode.action.dtype == np.float32
    assert {name: value.shape for name, value in episode.state.items()} == {
        "agent_position": (10, 2),
        "door": (10, 1),
        "agent_colour": (10, 3),
    }
    assert np.abs(episode.action).max() <= 1


@settings(max_examples=15, deadline=None)
@given(
    plans=st.lists(
        st.builds(
            plan,
            st.integers(0, 10**6),
            st.sampled_from(["two_room/expert", "random"]),
            st.sampled_from([5, 70]),
            st.floats(0.2, 0.8),
        ),
        min_size=1,
        max_size=10,
        unique_by=lambda one: one.index,
    ),
    data=st.data(),
)
def test_an_episode_is_the_same_alone_and_in_any_company(plans: list[EpisodePlan], data: st.DataObject) -> None:
    together = list(collect_episodes("two_room", {"image_size": 16}, plans))
    assert [episode.index for episode in together] == [one.index for one in plans]
    n = data.draw(st.integers(0, len(plans) - 1))
    (alone,) = collect_episodes("two_room", {"image_size": 16}, [plans[n]])
    assert_same(together[n], alone)


def test_batches_stay_small_and_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    plans = [plan(index, steps=6) for index in range(9)]
    together = list(collect_episodes("two_room", {"image_size": 16}, plans))
    sizes: list[int] = []

    def watched(name: str, count: int, **options: Any) -> World:
        sizes.append(count)
        return make_world(name, count, **options)

    monkeypatch.setattr(rollout, "make_world", watched)
    monkeypatch.setattr(rollout, "BATCH_BYTES", 4 * 7 * 16 * 16 * 3)
    apart = list(collect_episodes("two_room", {"image_size": 16}, plans))
    assert sizes == [4, 4, 1]
    for left, right in zip(together, apart, strict=True):
        assert_same(left, right)


def test_replaying_the_actions_from_the_first_state_gives_the_episode_again() -> None:
    (episode,) = collect_episodes("two_room", {}, [plan(0, steps=64)])
    world = make_world("two_room", 1)
    world.restore({name: value[:1] for name, value in episode.state.items()})
    for step, action in enumerate(episode.action):
        np.testing.assert_array_equal(world.render_pixels()[0], episode.pixels[step])
        world.advance(action[None])
    np.testing.assert_array_equal(world.render_pixels()[0], episode.pixels[-1])


def test_no_plans_give_no_episodes() -> None:
    assert list(collect_episodes("two_room", {}, [])) == []


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        (
            "pusht/expert",
            "policy 'pusht/expert' does not act in world 'two_room'; choose one of: oracle, random, two_room/expert",
        ),
        ("sleep", "policy 'sleep' is not known"),
    ],
)
def test_a_policy_that_does_not_fit_is_refused(policy: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        list(collect_episodes("two_room", {}, [plan(0, policy)]))
    assert message in str(raised.value)
