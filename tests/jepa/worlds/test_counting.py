"""The counting world: counts that steps of one change, objects that can be counted in the pixels, nuisances."""

import numpy as np
import pytest
from scipy import ndimage

from jepa.core.errors import InputError
from jepa.worlds import EpisodePlan, collect_episodes, make_world
from jepa.worlds.counting.scene import (
    BRIGHTEST,
    DARKEST,
    LAYOUTS,
    MOST,
    SHAPES,
    SPACING,
    colours,
    draw,
    following,
    places,
)
from jepa.worlds.counting.world import OTHER_HUES, TARGET, Counting


def counting(counts: list[int], **options: bool) -> Counting:
    world = Counting(len(counts), **options)
    world.begin(range(len(counts)), [{"hue": 30.0}] * len(counts))
    world.restore({**world.state(), "count": np.array(counts, dtype=np.float32)[:, None]})
    return world


def test_an_action_changes_the_count_by_one_and_stops_at_the_ends() -> None:
    world = counting([0, 0, 8, 8, 3, 3])
    world.advance(np.array([[-0.1], [0.1], [-1], [1], [-0.5], [0.0]], dtype=np.float32))
    np.testing.assert_array_equal(world.state()["count"][:, 0], [0, 1, 7, 8, 2, 4])
    np.testing.assert_array_equal(world.state()["reward"][:, 0], [0, 0, 0, 0, 0, 1])


@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_as_many_objects_are_seen_as_are_counted(shape: int) -> None:
    count = np.repeat(np.arange(MOST + 1), 12)
    number = np.arange(len(count))
    frames = draw(count, np.full_like(count, shape), number * 3.0, number * 7919, 64)
    # An object's core: pixels that are more than half its own.
    seen = [ndimage.label(frame.max(axis=-1) > BRIGHTEST / 2, np.ones((3, 3)))[1] for frame in frames]
    np.testing.assert_array_equal(seen, count)


def test_places_are_apart_and_differ_from_step_to_step() -> None:
    layout = np.arange(400) * 40_009 % LAYOUTS
    placed = places(layout)
    gaps = np.linalg.norm(placed[:, :, None] - placed[:, None], axis=-1) + np.eye(MOST)
    assert (gaps.min(axis=(1, 2)) > SPACING - 1e-6).mean() > 0.99
    assert (np.abs(places(following(layout)) - placed).max(axis=(1, 2)) > 0.05).all()
    assert ((following(layout) >= 0) & (following(layout) < LAYOUTS)).all()
    # Uniform over the frame: no corner holds more than its share by much.
    quarter = (placed > 0.5).astype(int) @ [1, 2]
    np.testing.assert_allclose(np.bincount(quarter.ravel()) / quarter.size, 0.25, atol=0.03)


def test_colours_are_in_the_papers_range() -> None:
    np.testing.assert_allclose(colours(np.array([0.0, 120.0, 240.0])), DARKEST + (BRIGHTEST - DARKEST) * np.eye(3))
    every = colours(np.linspace(0, 330, 100))
    assert every.min() >= DARKEST and every.max() <= BRIGHTEST


def test_the_centroid_is_where_the_objects_are() -> None:
    world = counting([0, 1, 5, 8])
    frames = world.render_pixels().max(axis=-1).astype(np.float64)
    centroid = world.state()["centroid"]
    np.testing.assert_array_equal(centroid[0], [0.5, 0.5])
    for frame, (x, y) in zip(frames[1:], centroid[1:], strict=True):
        mid = (np.arange(64) + 0.5) / 64
        np.testing.assert_allclose([frame.sum(0) @ mid, frame.sum(1) @ mid] / frame.sum(), [x, y], atol=0.02)


def test_an_episode_of_the_paper_ends_at_the_target() -> None:
    plans = [EpisodePlan(n, n, "train", {"hue": 10.0}, "random", 4) for n in range(30)]
    ended = list(collect_episodes("counting", {"ends_at_target": True}, plans))
    whole = list(collect_episodes("counting", {}, plans))
    assert {len(episode.action) for episode in whole} == {4}
    assert min(len(episode.action) for episode in ended) < 4
    for episode in ended:
        met = np.flatnonzero(episode.state["count"][1:, 0] == TARGET)
        assert len(episode.action) == (met[0] + 1 if len(met) else 4)
    assert set(np.unique(np.concatenate([episode.action for episode in whole]))) == {-0.5, 0.5}


def test_perturbations_are_of_a_kind_that_no_action_makes() -> None:
    world = counting(list(range(MOST + 1)))
    before = world.state()
    world.perturb("teleport", [np.random.default_rng(n) for n in range(MOST + 1)])
    assert (np.abs(world.state()["count"] - before["count"]) >= 2).all()
    spec = make_world("counting", 1).world_spec
    world.perturb("recolour", [np.random.default_rng(n) for n in range(MOST + 1)])
    hues = world.state()["hue"][:, 0]
    assert set(hues) <= set(OTHER_HUES)
    drawn = [spec.sample_variation(np.random.default_rng(n))["hue"] for n in range(300)]
    assert np.abs(np.subtract.outer(drawn, OTHER_HUES)).min() > 10


def test_goals_at_the_target_begin_elsewhere() -> None:
    world = counting([0])
    start, goal = {"count": np.array([[0.0], [4], [4], [2]])}, {"count": np.array([[4.0], [4], [3], [3]])}
    np.testing.assert_array_equal(world.is_goal_of_kind("target", start, goal), [True, False, False, False])


def test_a_strength_is_a_number_of_objects_and_a_change_of_looks() -> None:
    for change in (1.0, 3.0):
        world = counting(list(range(MOST + 1)))
        world.perturb("teleport", [np.random.default_rng(n) for n in range(MOST + 1)], change)
        np.testing.assert_array_equal(np.abs(world.state()["count"][:, 0] - np.arange(MOST + 1)), change)
    with pytest.raises(InputError, match=r"strength is 1\.5; perturbation 'teleport' takes a whole number over 0"):
        world.perturb("teleport", [np.random.default_rng(0)] * (MOST + 1), 1.5)
    world = counting([3, 3])
    usual = world.render_pixels().sum(dtype=float)
    for kind, strength, share in [("vanish", 0.5, 0.5), ("resize", 0.5, 2.25)]:
        world = counting([3, 3])
        world.perturb(kind, [np.random.default_rng(n) for n in range(2)], strength)
        assert world.render_pixels().sum(dtype=float) == pytest.approx(share * usual, rel=0.12)
    for kind, count in (("reverse", [2, 4]), ("ignore_action", [3, 3])):
        world = counting([3, 3])
        world.perturb(kind, [np.random.default_rng(n) for n in range(2)], 1)
        world.advance(np.array([[0.5], [-0.5]], dtype=np.float32))
        assert world.state()["count"][:, 0].tolist() == count
        world.advance(np.array([[0.5], [-0.5]], dtype=np.float32))
        assert world.state()["count"][:, 0].tolist() == [count[0] + 1, count[1] - 1]
