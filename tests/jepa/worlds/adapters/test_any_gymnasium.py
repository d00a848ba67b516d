"""`gymnasium:<id>` resolves to a world of its own, or to one sentence that says why not."""

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete, Space
from numpy.typing import NDArray

from jepa.core.errors import InputError
from jepa.worlds import WORLDS, EpisodePlan, collect_episodes, make_policy, make_world
from jepa.worlds.adapters.any_gymnasium.world import REPLAY_STEPS
from tests.narrow import floats


def test_a_name_gives_one_class_with_a_specification_of_its_own() -> None:
    pendulum, cartpole = WORLDS.get("gymnasium:Pendulum-v1"), WORLDS.get("gymnasium:CartPole-v1")
    assert pendulum is WORLDS.get("gymnasium:Pendulum-v1") and pendulum is not cartpole
    assert "gymnasium:Pendulum-v1" in WORLDS and "gymnasium:Pendulum-v1" not in WORLDS.names()
    assert pendulum.world_spec.name == "gymnasium:Pendulum-v1"
    sizes = {quantity.name: quantity.size for quantity in cartpole.world_spec.quantities}
    assert sizes["observation"] == 4 and sizes["replay_actions"] == 2 * REPLAY_STEPS
    assert cartpole.world_spec.action_size == 2 and "replay_actions" not in cartpole.world_spec.recorded
    make_policy("random", "gymnasium:Pendulum-v1")


def test_the_world_is_gymnasiums_own() -> None:
    world = make_world("gymnasium:Pendulum-v1", 1, image_size=32)
    world.begin([5], [{}])
    (high, low), env = world.state()["replay_seed"][0], gymnasium.make("Pendulum-v1")
    observation, _ = env.reset(seed=int(high) * 2**16 + int(low))
    np.testing.assert_array_equal(world.state()["observation"][0], observation)
    for torque in (-1.0, 0.25, 1.0):
        observation, *_ = env.step(np.array([2 * torque], dtype=np.float32))
        world.advance(np.array([[torque]], dtype=np.float32))
        np.testing.assert_array_equal(world.state()["observation"][0], observation)


def test_an_episode_that_ends_by_itself_stays_where_it_is_and_says_so() -> None:
    world = make_world("gymnasium:CartPole-v1", 1, image_size=16)
    right, left = floats([[0, 1]]), floats([[1, 0]])
    assert not world.ended().any()
    for _ in range(60):
        world.advance(right)
    fallen = world.state()["observation"].copy()
    assert world.ended().all()
    world.advance(left)
    np.testing.assert_array_equal(world.state()["observation"], fallen)
    world.begin([1], [{}])
    assert not world.ended().any()


def test_no_step_is_recorded_after_the_end() -> None:
    """Each recorded step does something, and the last frame alone is beyond CartPole's limits."""
    plans = [EpisodePlan(n, n, "train", {}, "random", 60) for n in range(12)]
    episodes = list(collect_episodes("gymnasium:CartPole-v1", {"image_size": 16}, plans))
    assert min(episode.steps for episode in episodes) < 30
    for episode in episodes:
        place, angle = episode.state["observation"][:, 0], episode.state["observation"][:, 2]
        over = (abs(place) > 2.4) | (abs(angle) > 12 * np.pi / 180)
        assert not over[:-1].any() and (over[-1] or episode.steps == 60)
        assert (np.diff(episode.state["observation"], axis=0) != 0).any(axis=1).all()


def test_an_episode_stores_seed_and_step_and_no_padding() -> None:
    (episode,) = collect_episodes(
        "gymnasium:Pendulum-v1", {"image_size": 16}, [EpisodePlan(0, 0, "train", {}, "random", 9)]
    )
    assert sum(value.shape[1] for value in episode.state.values()) == 3 + 2 + 1 + 1
    world = make_world("gymnasium:Pendulum-v1", 1, image_size=16)
    world.restore({name: value[None] for name, value in world.state_at(episode, 7).items()})
    np.testing.assert_array_equal(world.render_pixels()[0], episode.pixels[7])
    assert world.state()["replay_steps"] == 7


def test_an_episode_longer_than_a_state_holds_is_refused() -> None:
    world = make_world("gymnasium:Pendulum-v1", 1, image_size=16)
    still = np.zeros((1, 1), dtype=np.float32)
    for _ in range(REPLAY_STEPS):
        world.advance(still)
    with pytest.raises(InputError, match=f"steps is over {REPLAY_STEPS}"):
        world.advance(still)


@pytest.mark.parametrize("name", ["gymnasium:NoSuchThing-v0", "gymnasium:"])
def test_what_cannot_be_made_is_refused_in_one_sentence(name: str) -> None:
    with pytest.raises(InputError, match=f"world '{name}' cannot be made with RGB pictures"):
        WORLDS.get(name)


@pytest.mark.parametrize("name", ["FetchReach-v4", "ALE/Pong-v5"])
def test_an_id_that_nobody_registered_is_answered_with_the_way_to_name_its_module(name: str) -> None:
    with pytest.raises(InputError, match=f"name that module too: gymnasium:<module>:{name}"):
        WORLDS.get(f"gymnasium:{name}")


@pytest.mark.parametrize(
    ("action_space", "observation_space", "message"),
    [
        (Box(-np.inf, np.inf, (2,)), Box(-1, 1, (3,)), "a bounded Box or a Discrete space is needed"),
        (Discrete(2), Box(0, 255, (96, 96, 3), np.uint8), "observes 27648 numbers"),
    ],
)
def test_spaces_that_do_not_fit_are_named(
    action_space: Space[Any], observation_space: Space[Any], message: str
) -> None:
    class Odd(gymnasium.Env[Any, Any]):
        metadata = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - Gymnasium declares it so

        def __init__(self, render_mode: str | None = None, **kwargs: Any) -> None:
            self.action_space, self.observation_space, self.render_mode = action_space, observation_space, render_mode

        def reset(
            self, *, seed: int | None = None, options: dict[str, Any] | None = None
        ) -> tuple[Any, dict[str, Any]]:
            return self.observation_space.sample(), {}

        def render(self) -> NDArray[np.uint8]:
            return np.zeros((8, 8, 3), dtype=np.uint8)

    gymnasium.register("Odd-v0", Odd)
    try:
        with pytest.raises(InputError, match=message):
            WORLDS.get("gymnasium:Odd-v0")
    finally:
        del gymnasium.registry["Odd-v0"]


def test_a_teleport_of_a_strength_is_so_many_steps_ahead_and_comes_back_by_replay() -> None:
    world = make_world("gymnasium:Pendulum-v1", 1, image_size=16)
    world.reset(seed=3)
    ahead = []
    for steps in (1, 5):
        world.reset(seed=3)
        assert world.perturb("teleport", [np.random.default_rng(0)], steps).all()
        ahead.append(world.state())
        assert ahead[-1]["replay_steps"][0, 0] == steps
    drawn = ahead[1]["replay_actions"][0]
    assert drawn[0] == ahead[0]["replay_actions"][0, 0], "the same actions, whatever the strength"
    world.reset(seed=3)
    for action in drawn[:5]:
        world.advance(np.array([[action]], dtype=np.float32))
    np.testing.assert_array_equal(world.state()["observation"], ahead[1]["observation"])
    world.perturb("ignore_action", [np.random.default_rng(0)], 1)
    before = world.state()
    world.advance(np.ones((1, 1), dtype=np.float32))
    np.testing.assert_array_equal(world.state()["observation"], before["observation"])
    world.advance(np.ones((1, 1), dtype=np.float32))
    assert (world.state()["observation"] != before["observation"]).any()
    world.close()
