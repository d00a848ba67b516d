"""What of a world can be made other than in training: what it changes, and that the usual value changes nothing."""

from typing import Any

import numpy as np
import pytest

from jepa.core.episodes import Episode
from jepa.core.errors import InputError
from jepa.worlds import WORLDS, EpisodePlan, Shift, collect_episodes, find_shift, make_world, shifts_of

BUILT_IN = [name for name in WORLDS if WORLDS.get(name).__module__.startswith("jepa.")]


def episodes(policy: str = "two_room/expert", steps: int = 60, **options: Any) -> list[Episode]:
    plans = [EpisodePlan(n, 40 + n, "test", {"door": 0.5}, policy, steps) for n in range(4)]
    return list(collect_episodes("two_room", {"image_size": 64, **options}, plans))


def redness(episode: Episode) -> int:
    """Returns how many pixels of the first frame are more red than anything else."""
    red, green, blue = np.moveaxis(episode.pixels[0].astype(int), -1, 0)
    return int(((red > green + 60) & (red > blue + 60)).sum())


def test_the_usual_values_change_nothing() -> None:
    usual: dict[str, Any] = {shift.name: shift.usual for shift in WORLDS.get("two_room").world_spec.shifts}
    assert set(usual) == {"agent_radius", "agent_hue", "floor_brightness", "speed"}
    for one, other in zip(episodes(), episodes(**usual), strict=True):
        assert np.array_equal(one.pixels, other.pixels) and np.array_equal(one.action, other.action)
        assert {name: value.tobytes() for name, value in one.state.items()} == {
            name: value.tobytes() for name, value in other.state.items()
        }


def test_a_larger_agent_covers_more_and_keeps_clear_of_the_wall() -> None:
    kind, larger = WORLDS.get("two_room"), episodes(agent_radius=0.08, steps=300)
    for one, usual in zip(larger, episodes(), strict=True):
        assert redness(one) / redness(usual) == pytest.approx((0.08 / 0.045) ** 2, rel=0.15)
        before, after = (
            {name: value[rows] for name, value in one.state.items()} for rows in (slice(-1), slice(1, None))
        )
        assert kind.legal_moves(before, after).all()
    xs = np.concatenate([one.state["agent_position"][:, 0] for one in larger])
    assert xs.min() >= 0.08 - 1e-6 and xs.max() <= 0.92 + 1e-6
    # In the doorway, which a usual agent fits through: judged by the radius that the states hold.
    here, there = ({"agent_position": np.array([[x, 0.55]]), "door": np.array([[0.5]])} for x in (0.45, 0.46))
    held = {"agent_radius": np.array([[0.08]], dtype=np.float32)}
    assert kind.legal_moves(here, there)[0] and not kind.legal_moves(here | held, there | held)[0]


def test_a_way_round_the_wall_is_longer_for_a_larger_agent() -> None:
    kind = WORLDS.get("two_room")
    start = {"agent_position": np.array([[0.2, 0.2]]), "door": np.array([[0.5]])}
    goal = {"agent_position": np.array([[0.8, 0.2]])}
    larger = start | {"agent_radius": np.array([[0.08]], dtype=np.float32)}
    usual, longer = kind.geodesic(start, goal), kind.geodesic(larger, goal)
    assert usual is not None and longer is not None and longer[0] > usual[0] + 0.02


def test_a_faster_agent_goes_as_far_as_it_says() -> None:
    moves = [np.abs(np.diff(one.state["agent_position"], axis=0)).max() for one in episodes("random", speed=0.05)]
    assert max(moves) == pytest.approx(0.05, abs=1e-3)
    assert make_world("two_room", 1, speed=0.05).world_spec.speed == pytest.approx(0.05)


def test_hue_and_floor_are_other_in_the_picture_alone() -> None:
    usual = episodes()
    shifted: list[dict[str, Any]] = [{"agent_hue": 120.0}, {"floor_brightness": 0.5}]
    for options in shifted:
        for one, other in zip(episodes(**options), usual, strict=True):
            assert np.array_equal(one.state["agent_position"], other.state["agent_position"])
            assert not np.array_equal(one.pixels, other.pixels)
    turned, darker = episodes(agent_hue=120.0)[0], episodes(floor_brightness=0.5)[0]
    assert redness(turned) == 0 and redness(usual[0]) > 0
    assert darker.pixels[0, 0, 0].tolist() == [121, 120, 117] and turned.state["agent_colour"][0].argmax() == 1


@pytest.mark.parametrize("options", [{"agent_radius": 0.07}, {"agent_hue": -90.0, "floor_brightness": 0.4}])
def test_a_state_of_a_shifted_world_is_restored_to_the_same_pixels(options: dict[str, Any]) -> None:
    recorded = episodes(**options)
    world = make_world("two_room", 4, image_size=64, **options)
    world.restore({name: np.stack([one.state[name][20] for one in recorded]) for name in recorded[0].state})
    assert np.array_equal(world.render_pixels(), np.stack([one.pixels[20] for one in recorded]))
    world.advance(np.stack([one.action[20] for one in recorded]))
    assert np.array_equal(world.render_pixels(), np.stack([one.pixels[21] for one in recorded]))


def test_a_door_at_the_edge_lets_the_agent_through_and_keeps_it_in_the_scene() -> None:
    world = make_world("two_room", 1)
    world.begin([0], [{"door": 0.08}])
    here = {"agent_position": np.array([[0.42, 0.05]], dtype=np.float32)}
    world.restore(dict(world.state()) | here)
    for _ in range(8):
        world.advance(np.array([[1.0, -1.0]], dtype=np.float32))
    x, y = world.state()["agent_position"][0]
    assert x > 0.57 and y >= 0.045 - 1e-6


def test_what_can_be_shifted_is_listed_with_what_is_possible() -> None:
    spec = WORLDS.get("two_room").world_spec
    assert find_shift(spec, "door").usual is None and find_shift(spec, "speed").usual == 0.03
    with pytest.raises(InputError, match=r"no factor 'colour'; choose of: door \(0.08 to 0.92 scene width\), agent_r"):
        find_shift(spec, "colour")
    with pytest.raises(InputError, match=r"shift door is 0\.95, and possible is 0\.08 to 0\.92 scene width"):
        find_shift(spec, "door").check(0.95)
    with pytest.raises(InputError, match="no factor 'door'; nothing of it can be shifted"):
        find_shift(WORLDS.get("gymnasium:Pendulum-v1").world_spec, "door")


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_shift_holds_what_training_shows(name: str) -> None:
    kind = WORLDS.get(name)
    for shift in shifts_of(kind.world_spec):
        assert isinstance(shift, Shift) and shift.low < shift.high
        if shift.usual is not None:
            assert shift.low <= shift.usual <= shift.high
            assert shift.name in kind.__init__.__annotations__, "a constructor's option has the shift's name"
    for factor in kind.world_spec.factors:
        held = find_shift(kind.world_spec, factor.name)
        assert held.low <= factor.low and factor.high <= held.high
