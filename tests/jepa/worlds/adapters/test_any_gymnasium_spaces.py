"""Every kind of Gymnasium space is acted in and recorded without a value being changed, or refused in a sentence."""

import re
from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import (
    Box,
    Dict,
    Discrete,
    Graph,
    MultiBinary,
    MultiDiscrete,
    OneOf,
    Sequence,
    Space,
    Text,
    Tuple,
    flatdim,
    flatten,
)
from scipy.stats import chisquare

from jepa.core.episodes import Episode
from jepa.core.errors import InputError
from jepa.worlds import WORLDS, EpisodePlan, collect_episodes
from jepa.worlds.adapters.any_gymnasium.actions import action_layout, to_action
from jepa.worlds.adapters.any_gymnasium.observations import flat_observation, observation_size
from tests.jepa.worlds.adapters.odd_environments import NAME, registered

COUNTED = [
    Discrete(2),
    Discrete(7, start=-3),
    MultiDiscrete([2, 3, 5], start=[0, 4, -1]),
    MultiDiscrete(np.array([[2, 3], [4, 1]]), dtype=np.int32),
    MultiBinary(3),
    MultiBinary((2, 2)),
    Box(-2, 2, (2,), np.int8),
    Box(np.array([0, 250], np.uint8), np.array([4, 255], np.uint8), dtype=np.uint8),
    Box(3, 3, (1,), np.int64),
    Tuple([Discrete(3), Dict({"go": MultiBinary(2), "turn": Box(0, 2, (1,), np.int16)})]),
]
REFUSED = [
    Box(-np.inf, np.inf, (2,)),
    Box(0, np.inf, (2,)),
    Box(-1.7e308, 1.7e308, (1,), np.float64),
    Box(-(2**63), 2**63 - 1, (1,), np.int64),
    Text(4),
    Sequence(Discrete(2)),
    Graph(Discrete(2), None),
    OneOf([Discrete(2), Discrete(3)]),
    Tuple([Discrete(2), Text(4)]),
    Discrete(10**6),
]


def collect_odd(episodes: int = 1, steps: int = 6, policy: str = "random") -> list[Episode]:
    plans = [EpisodePlan(n, 500 + n, "train", {}, policy, steps) for n in range(episodes)]
    return list(collect_episodes(NAME, {"image_size": 16}, plans))


def numbers_of(space: Space[Any], action: Any) -> list[int]:
    """Returns the whole numbers of an action of counted parts, side by side."""
    if isinstance(space, Tuple):
        return [number for part, held in zip(space.spaces, action, strict=True) for number in numbers_of(part, held)]
    if isinstance(space, Dict):
        return [number for name, part in space.spaces.items() for number in numbers_of(part, action[name])]
    return [int(number) for number in np.asarray(action).flat]


def allowed(space: Space[Any]) -> list[set[int]]:
    """Returns the values that each of those numbers can have."""
    if isinstance(space, (Tuple, Dict)):
        parts = space.spaces.values() if isinstance(space, Dict) else space.spaces
        return [values for part in parts for values in allowed(part)]
    if isinstance(space, Discrete):
        return [set(range(int(space.start), int(space.start + space.n)))]
    if isinstance(space, MultiDiscrete):
        pairs = zip(space.start.flat, space.nvec.flat, strict=True)
        return [set(range(int(start), int(start + count))) for start, count in pairs]
    if isinstance(space, MultiBinary):
        return [{0, 1}] * int(np.prod(space.shape))
    assert isinstance(space, Box)
    return [set(range(int(low), int(high) + 1)) for low, high in zip(space.low.flat, space.high.flat, strict=True)]


@pytest.mark.parametrize("space", COUNTED, ids=str)
def test_every_value_is_equally_likely_under_the_random_policy(space: Space[Any]) -> None:
    with registered(action_space=space) as odd:
        collect_odd(episodes=20, steps=100)
        taken = list(odd.taken)
    assert len(taken) == 2000 and all(space.contains(action) for action in taken)
    columns = np.array([numbers_of(space, action) for action in taken]).T
    for column, values in zip(columns, allowed(space), strict=True):
        counts = [int((column == value).sum()) for value in sorted(values)]
        assert sum(counts) == len(taken)
        assert len(values) == 1 or chisquare(counts).pvalue > 1e-4, (space, counts)


@pytest.mark.parametrize("space", COUNTED, ids=str)
def test_recorded_actions_are_those_that_were_carried_out(space: Space[Any]) -> None:
    """What is stored gives the very action again, and choices without an order are one-hot."""
    size, choices = action_layout("odd", space)
    with registered(action_space=space) as odd:
        (episode,) = collect_odd(steps=40)
        taken = odd.taken[:40]
    assert episode.action.shape == (40, size)
    for recorded, action in zip(episode.action, taken, strict=True):
        assert numbers_of(space, to_action(space, recorded)) == numbers_of(space, action)
    for choice in choices:
        if choice.one_hot:
            np.testing.assert_array_equal(np.sort(episode.action[:, choice.values])[:, -1], 1)
            np.testing.assert_array_equal(episode.action[:, choice.values].sum(axis=1), 1)


def test_a_box_of_floats_is_reached_from_end_to_end() -> None:
    space = Box(np.array([-2, 0], np.float32), np.array([2, 10], np.float32))
    assert action_layout("odd", space) == (2, ())
    for value, wanted in ((-1, space.low), (0, [0, 5]), (1, space.high)):
        action = to_action(space, np.full(2, value, np.float32))
        np.testing.assert_array_equal(action, wanted)
        assert space.contains(action)


@pytest.mark.parametrize("space", REFUSED, ids=str)
def test_action_spaces_that_cannot_be_acted_in_are_refused_in_a_sentence(space: Space[Any]) -> None:
    with registered(action_space=space), pytest.raises(InputError, match=f"world '{NAME}' takes"):
        WORLDS.get(NAME)


@pytest.mark.parametrize(
    "space",
    [
        Box(-1, 1, (2, 3)),
        Box(-1, 1, (3,), np.float64),
        Box(0, 9, (2,), np.int64),
        *COUNTED,
        Dict({"b": Discrete(3, start=1), "a": Tuple([Box(-1, 1, (2,)), MultiDiscrete([2, 2])])}),
    ],
    ids=str,
)
def test_observations_are_recorded_as_gymnasium_flattens_them(space: Space[Any]) -> None:
    space.seed(3)
    drawn = [space.sample() for _ in range(4)]
    with registered(observation_space=space, observe=lambda step: drawn[step]):
        (episode,) = collect_odd(steps=3)
        assert observation_size("odd", space) == flatdim(space)
    wanted = np.stack([np.asarray(flatten(space, one), dtype=np.float32) for one in drawn])
    np.testing.assert_array_equal(episode.state["observation"], wanted)


@pytest.mark.parametrize(
    ("space", "message"),
    [
        (Text(4), "observes a Text, which has no fixed number of values"),
        (Sequence(Box(-1, 1, (2,))), "observes a Sequence"),
        (Graph(Box(-1, 1, (2,)), None), "observes a Graph"),
        (OneOf([Discrete(2), Discrete(3)]), "observes a OneOf"),
        (Dict({"a": Box(-1, 1, (2,)), "said": Text(3)}), "observes a Text"),
        (Box(0, 255, (96, 96, 3), np.uint8), "observes 27648 numbers"),
        (Discrete(10**6), "observes 1000000 numbers"),
    ],
    ids=str,
)
def test_observation_spaces_that_cannot_be_recorded_are_refused_in_a_sentence(space: Space[Any], message: str) -> None:
    odd = registered(observation_space=space, observe=lambda step: space.sample())
    with odd, pytest.raises(InputError, match=f"world '{NAME}' {message}"):
        WORLDS.get(NAME)


@pytest.mark.parametrize(
    ("space", "value", "message"),
    [
        (Box(-1, 1, (2,)), np.zeros(3), r"observation has the shape \(3,\)"),
        (Discrete(3), 3, "which is no value of Discrete"),
        (Discrete(3, start=1), 0, "which is no value of Discrete"),
        (Discrete(3), 1.5, "no whole number"),
        (Dict({"a": Discrete(2)}), {"b": 1}, "lacks 'a'"),
        (Tuple([Discrete(2)]), (1, 1), "no tuple of 1 parts"),
        (Box(-1, 1, (2,)), np.array(["a", "b"]), "real numbers are needed"),
        (Box(0, 2**40, (2,), np.int64), np.array([0, 2**30]), r"observation\[1\] is 1073741824, which is over 2\^24"),
        (Tuple([Discrete(3), Box(-1, 1, (2,))]), (0, np.array([0, np.nan])), r"observation\[4\] is nan"),
    ],
)
def test_an_observation_that_is_not_of_its_space_is_refused(space: Space[Any], value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        flat_observation(space, value)


def test_what_an_environment_returns_is_recorded_and_not_what_its_space_declares() -> None:
    space = Box(0, 9, (2,), np.uint8)
    np.testing.assert_array_equal(flat_observation(space, np.array([0.5, -1.25])), [0.5, -1.25])


def test_float_pictures_are_as_bright_as_they_are_rendered() -> None:
    with registered(paint=lambda step: np.full((16, 16, 3), 0.2 * step)):
        (episode,) = collect_odd(steps=5)
    np.testing.assert_array_equal(episode.pixels[:, 0, 0, 0], [0, 51, 102, 153, 204, 255])


@pytest.mark.parametrize(
    ("paint", "message"),
    [
        (lambda step: np.full((16, 16, 3), 40_000, np.uint16), "is of type uint16 with values from 40000"),
        (lambda step: np.full((16, 16, 3), 200.0), "floats must lie in"),
        (lambda step: np.zeros((16, 16), np.uint8), "is no RGB picture"),
        (lambda step: None, "is no RGB picture"),
    ],
)
def test_pictures_that_cannot_be_stored_are_refused_at_once(paint: Any, message: str) -> None:
    with registered(paint=paint), pytest.raises(InputError, match=f"world '{NAME}' renders what cannot .*{message}"):
        WORLDS.get(NAME)


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300, -1e39])
def test_values_that_cannot_be_stored_are_refused_with_episode_frame_and_place(value: float) -> None:
    def observe(step: int) -> Any:
        return np.array([0.0, value if step == 4 else step])

    said = re.escape(f"episode 0, frame 4: observation[1] is {value}")
    with registered(observe=observe), pytest.raises(InputError, match=said):
        collect_odd()


def test_a_picture_that_goes_wrong_on_the_way_is_refused_with_its_frame() -> None:
    said = r"frame 3: the picture is of type float64 with values from 1\.5 to 1\.5"
    odd = registered(paint=lambda step: np.full((16, 16, 3), 0.5 * step))
    with odd, pytest.raises(InputError, match=said):
        collect_odd()


def test_an_episode_that_ends_by_itself_is_as_long_as_it_was() -> None:
    with registered(ends_after=4):
        episodes = collect_odd(episodes=8, steps=20)
        lengths = [episode.steps for episode in episodes]
        assert len(set(lengths)) > 1 and set(lengths) <= {4, 5, 6, 7}
        for episode in episodes:
            np.testing.assert_array_equal(episode.state["observation"][:, 0], np.arange(episode.steps + 1))
            assert len(episode.pixels) == episode.steps + 1
        alone = collect_odd(episodes=1, steps=20)[0]
    assert alone.steps == lengths[0]
