"""What every world promises, checked on each of them by the same tests."""

import re
import sys
import types
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

from jepa.core.episodes import Pixels, State
from jepa.core.errors import InputError
from jepa.worlds import WORLDS, EpisodePlan, Perturbation, World, collect_episodes, make_world
from jepa.worlds.perturbations import STEPS_WAY
from jepa.worlds.stitching import fixed_quantities, goal_in_world_of, require_stitching
from tests.narrow import floats, present

SIZES = {
    "swm_two_room": 64,
    "reacher": 64,
    "cube": 64,
    "gymnasium:Pendulum-v1": 32,
    "gymnasium:CartPole-v1": 32,
}
"""Sides of the frames of those that show too little at 32 pixels, and members of families."""
EPISODES, STEPS = 2, 6
README = Path(__file__).resolve().parents[3] / "jepa/worlds/README.md"


def register_the_example() -> None:
    """Registers the world that the README shows how to add, which promises what every other does."""
    section = README.read_text().split("## How to add a world", 1)[1]
    example = types.ModuleType("drift_of_the_readme")
    sys.modules[example.__name__] = example
    code = present(re.search(r"```python\n(.*?)```", section, re.DOTALL))[1]
    exec(compile(code, str(README), "exec"), vars(example))


if "drift" not in WORLDS:
    register_the_example()


def needs(case: "Case", perturbation: str) -> None:
    if perturbation not in case.spec.perturbation_names:
        pytest.skip(f"world {case.name!r} has no perturbation {perturbation!r}")


class Case:
    """A world, one instance of it, and a few episodes collected in it."""

    def __init__(self, name: str) -> None:
        self.name, self.options = name, {"image_size": SIZES.get(name, 32)}
        self.spec = WORLDS.get(name).world_spec
        self.world = make_world(name, EPISODES, **self.options)
        self.seen: dict[tuple[str, float | None, int | None], tuple[NDArray[np.bool_], Pixels, State]] = {}
        # Held-out and training values in turn, so that copies that take turns in one scene differ in all their factors.
        rngs = [np.random.default_rng(n) for n in range(EPISODES)]
        self.variations = [self.spec.sample_variation(rng, unseen=n % 2 == 1) for n, rng in enumerate(rngs)]
        self.plans = [
            EpisodePlan(n, 70 + n, "train", variation, next(iter(self.spec.policy)), STEPS)
            for n, variation in enumerate(self.variations)
        ]
        self.episodes = list(collect_episodes(name, self.options, self.plans))

    @cached_property
    def single(self) -> World:
        """A world with one copy."""
        return make_world(self.name, 1, **self.options)

    def close(self) -> None:
        self.world.close()
        if "single" in vars(self):
            self.single.close()

    def frame(self, step: int) -> State:
        states = [self.world.state_at(episode, step) for episode in self.episodes]
        return {name: np.stack([state[name] for state in states]) for name in self.state_names}

    def pixels(self, step: int) -> Pixels:
        return np.stack([episode.pixels[step] for episode in self.episodes])

    @property
    def state_names(self) -> list[str]:
        return [quantity.name for quantity in self.spec.quantities]


@pytest.fixture(scope="module", params=sorted({*WORLDS, *SIZES}))
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    try:
        made = Case(request.param)
    except InputError as error:
        if "cannot render here" in str(error):
            pytest.skip(str(error))
        raise
    yield made
    made.close()


def test_it_is_a_gymnasium_vector_environment_and_a_function_of_the_seed(case: Case) -> None:
    world = case.world
    # A condition on the class, for a type checker would forget what else the world is.
    assert issubclass(type(world), VectorEnv) and world.metadata["autoreset_mode"] == AutoresetMode.DISABLED
    frames, info = world.reset(seed=7)
    assert world.observation_space.contains(frames)
    assert {name: value.shape for name, value in info.items()} == {
        quantity.name: (EPISODES, quantity.size) for quantity in case.spec.quantities
    }
    assert all(value.dtype == np.float32 and np.isfinite(value).all() for value in info.values())
    action = np.random.default_rng(0).uniform(-1, 1, (EPISODES, case.spec.action_size)).astype(np.float32)
    frames, reward, terminated, truncated, after = world.step(action)
    assert world.observation_space.contains(frames)
    assert not reward.any() and not terminated.any() and not truncated.any()
    assert any((after[name] != info[name]).any() for name in info)
    again, same = world.reset(seed=[7, 9])
    assert (again[0] != again[1]).any()
    for name, value in info.items():
        np.testing.assert_array_equal(same[name][0], value[0])


def test_episodes_have_their_shapes_and_something_moves(case: Case) -> None:
    for episode in case.episodes:
        size = case.options["image_size"]
        assert episode.pixels.shape == (STEPS + 1, size, size, 3) and episode.pixels.dtype == np.uint8
        assert episode.action.shape == (STEPS, case.spec.action_size) and episode.action.dtype == np.float32
        assert set(episode.state) == set(case.spec.recorded)
        assert (episode.pixels[0] != episode.pixels[-1]).any()


def test_an_episode_is_the_same_alone_and_in_a_batch(case: Case) -> None:
    (alone,) = collect_episodes(case.name, case.options, case.plans[1:])
    np.testing.assert_array_equal(alone.pixels, case.episodes[1].pixels)
    np.testing.assert_array_equal(alone.action, case.episodes[1].action)
    for name, value in alone.state.items():
        np.testing.assert_array_equal(value, case.episodes[1].state[name])


def test_a_restored_state_shows_the_same_and_goes_on_the_same(case: Case) -> None:
    world = case.world
    world.reset(seed=1)
    for start in (STEPS // 2, 0):
        world.restore(case.frame(start))
        for step in range(start, STEPS + 1):
            for name, value in case.frame(step).items():
                np.testing.assert_array_equal(world.state()[name], value, err_msg=name)
            if step in (start, STEPS):
                np.testing.assert_array_equal(world.render_pixels(), case.pixels(step))
            if step < STEPS:
                world.advance(np.stack([episode.action[step] for episode in case.episodes]))


def test_every_copy_meets_its_own_state_and_no_far_one(case: Case) -> None:
    world, goal = case.world, case.frame(STEPS)
    for kind in case.spec.goal_kind_names:
        world.restore(goal)
        assert world.success(goal, kind).all() and not world.distance(goal, kind).any()
        assert world.success(goal, kind).dtype == bool
        if "teleport" not in case.spec.perturbation_names:
            continue
        world.perturb("teleport", [np.random.default_rng(n) for n in range(EPISODES)])
        assert not world.success(goal, kind).any() and (world.distance(goal, kind) > 0).all()


def test_a_goal_is_scored_by_the_quantities_of_its_kind_and_no_others(case: Case) -> None:
    """What is no part of a goal kind may be anything: neither distance nor success looks at it."""
    world, goal = case.world, case.frame(STEPS)
    world.restore(case.frame(0))
    for kind in case.spec.goal_kinds:
        assert kind.quantities and set(kind.quantities) <= set(case.state_names) and kind.description
        bare = {name: value if name in kind.quantities else np.full_like(value, np.nan) for name, value in goal.items()}
        np.testing.assert_array_equal(world.distance(bare, kind.name), world.distance(goal, kind.name))
        np.testing.assert_array_equal(world.success(bare, kind.name), world.success(goal, kind.name))
        for name in kind.quantities:
            other = goal | {name: goal[name] + np.float32(1)}
            assert (world.distance(other, kind.name) != world.distance(goal, kind.name)).any(), name


def test_each_success_test_is_met_at_the_goal_and_looks_at_its_own_quantities(case: Case) -> None:
    world, goal = case.world, case.frame(STEPS)
    for declared in (case.spec.success_kind("usual"), *case.spec.success_kinds):
        assert declared.description and declared.held >= 1
        assert set(declared.goal_kinds) <= set(case.spec.goal_kind_names)
        kind = (*declared.goal_kinds, "uniform")[0]
        looked_at = declared.quantities or case.spec.goal_kind(kind).quantities
        bare = {name: value if name in looked_at else np.full_like(value, np.nan) for name, value in goal.items()}
        world.restore(goal)
        met = world.meets(bare, kind, declared.name)
        assert met.all() and met.dtype == bool and met.shape == (EPISODES,), declared.name
        for name in looked_at:
            nowhere = bare | {name: np.full_like(goal[name], np.nan)}
            assert not world.meets(nowhere, kind, declared.name).any(), (declared.name, name)
        if "teleport" in case.spec.perturbation_names:
            world.perturb("teleport", [np.random.default_rng(n) for n in range(EPISODES)])
            assert not world.meets(bare, kind, declared.name).any(), declared.name
    np.testing.assert_array_equal(world.meets(goal, "uniform"), world.success(goal, "uniform"))
    with pytest.raises(InputError, match=r"has no success test 'kind'; it has: usual"):
        world.meets(goal, "uniform", "kind")


def test_routes_are_judged_move_by_move_and_no_way_is_shorter_than_the_straight_one(case: Case) -> None:
    start, goal = case.frame(0), case.frame(STEPS)
    assert case.world.legal_moves(case.frame(0), case.frame(1)).shape == (EPISODES,)
    assert case.world.legal_moves(start, start).all()
    way = case.world.geodesic(start, goal)
    if way is not None:
        case.world.restore(start)
        assert way.dtype == np.float32 and (way >= case.world.distance(goal, "uniform") * (1 - 1e-6)).all()
        assert not present(case.world.geodesic(start, start)).any()


def test_what_an_episode_keeps_is_kept_and_every_recorded_state_can_be(case: Case) -> None:
    kept = fixed_quantities(case.spec)
    assert kept >= {factor.name for factor in case.spec.factors}
    for step in range(STEPS + 1):
        state = case.frame(step)
        for name in kept:
            np.testing.assert_array_equal(state[name], case.frame(0)[name], err_msg=name)
        case.world.restore(state)
        assert case.world.possible().tolist() == [True] * EPISODES


def test_a_goal_of_another_episode_shows_the_start_s_world(case: Case) -> None:
    start, other = case.frame(0), {name: value[::-1] for name, value in case.frame(STEPS).items()}
    try:
        require_stitching(case.spec)
    except InputError as error:
        assert "makes its states of the actions of an episode" in str(error)
        return
    goal = goal_in_world_of(case.spec, start, other)
    case.world.restore(goal)
    shown = case.world.render_pixels()
    case.world.restore(start)
    case.world.restore(goal)
    np.testing.assert_array_equal(case.world.render_pixels(), shown, err_msg="it is rendered alike again")
    assert case.world.success(other, "uniform").all(), "what is scored of a goal is the other episode's"
    for name in fixed_quantities(case.spec):
        np.testing.assert_array_equal(case.world.state()[name], start[name])


def test_goals_are_of_the_kinds_that_the_world_names(case: Case) -> None:
    world = case.world
    everything = world.is_goal_of_kind("uniform", case.frame(0), case.frame(STEPS))
    assert everything.all() and len(everything) == EPISODES
    for kind in case.spec.goal_kind_names[1:]:
        assert not world.is_goal_of_kind(kind, case.frame(0), case.frame(0)).any()
    with pytest.raises(ValueError, match="no goal kind 'beautiful'"):
        world.is_goal_of_kind("beautiful", case.frame(0), case.frame(0))


def test_a_recolouring_is_seen_and_changes_nothing_else(case: Case) -> None:
    needs(case, "recolour")
    world = case.world
    world.restore(case.frame(2))
    world.perturb("recolour", [np.random.default_rng(n) for n in range(EPISODES)])
    recoloured = world.render_pixels()
    assert all((old != new).any() for old, new in zip(case.pixels(2), recoloured, strict=True))
    assert not any(world.distance(case.frame(2), kind).any() for kind in case.spec.goal_kind_names)
    state = world.state()
    changed = [name for name in state if (state[name] != case.frame(2)[name]).any()]
    assert len(changed) == 1
    world.restore(case.frame(0))
    world.restore(state)
    np.testing.assert_array_equal(world.render_pixels(), recoloured)


def test_a_perturbation_is_a_function_of_its_generator(case: Case) -> None:
    needs(case, "teleport")
    world = case.world
    states = []
    for _ in range(2):
        world.restore(case.frame(1))
        world.perturb("teleport", [np.random.default_rng(5), np.random.default_rng(6)])
        states.append(world.state())
    for name, value in states[0].items():
        np.testing.assert_array_equal(value, states[1][name])


def follow(
    case: Case, kind: Perturbation, strength: float | None = None, strikes: bool = True, only: int | None = None
) -> tuple[NDArray[np.bool_], Pixels, State]:
    """Returns which copies were struck at frame 2, what they showed (F, N, S, S, 3) from then on, and their states.

    Without `strikes` they are the twins that nothing happens to; `only` is one copy that is alone in its world. A
    render of some worlds takes long, so what was seen once is kept.
    """
    key = (kind.name if strikes else str(kind.before_step), strength, only)
    if key in case.seen:
        return case.seen[key]
    own = slice(None) if only is None else slice(only, only + 1)
    world = case.world if only is None else case.single
    rngs = [np.random.default_rng(n) for n in range(EPISODES)][own]
    action_TNA = np.stack([episode.action for episode in case.episodes], axis=1)[:, own]
    struck_N, frames = np.ones(len(rngs), dtype=bool), []
    world.restore({name: value[own] for name, value in case.frame(1 if kind.before_step else 2).items()})
    if strikes:
        struck_N = world.perturb(kind.name, rngs, strength)
    for action_NA in action_TNA[1:3] if kind.before_step else ():
        world.advance(action_NA)
        frames.append(world.render_pixels())
    if not kind.before_step:
        frames.append(world.render_pixels())
    case.seen[key] = struck_N, np.stack(frames), world.state()
    return case.seen[key]


def rungs(case: Case, kind: Perturbation) -> tuple[float, ...]:
    """Returns the ladder, or its ends in a world of which a render takes a tenth of a second."""
    return (*kind.strengths[:1], *kind.strengths[-1:]) if case.name == "cube" else kind.strengths


def test_a_perturbation_of_any_strength_shows_where_it_struck_and_nowhere_else(case: Case) -> None:
    for kind in case.spec.perturbations:
        assert kind.unit and kind.description and kind.name == str(kind)
        _, twin, _ = follow(case, kind, strikes=False)
        for strength in (*rungs(case, kind), None):
            struck_N, frames, _ = follow(case, kind, strength)
            assert struck_N.dtype == bool and struck_N.shape == (EPISODES,)
            np.testing.assert_array_equal(frames[:, ~struck_N], twin[:, ~struck_N], err_msg=kind.name)
            differs_N = (frames != twin).any(axis=(0, 2, 3, 4))
            # An action that does little, or that meets nothing, leaves little to see of one that is not carried out.
            if not kind.before_step and strength in (None, *kind.strengths[1:]):
                assert differs_N[struck_N].all(), (kind.name, strength)
        case.world.restore(case.frame(2))
        np.testing.assert_array_equal(case.world.render_pixels(), case.pixels(2), err_msg=f"{kind} is over")


def test_a_perturbation_is_the_same_again_and_alone(case: Case) -> None:
    for kind in case.spec.perturbations:
        for strength in (*kind.strengths[:1], None):
            struck_N, frames, state = follow(case, kind, strength)
            for n, (alone, shown, held) in enumerate(follow(case, kind, strength, only=n) for n in range(EPISODES)):
                assert alone == struck_N[n : n + 1], kind.name
                np.testing.assert_array_equal(shown[:, 0], frames[:, n], err_msg=kind.name)
                for name, value in held.items():
                    np.testing.assert_array_equal(value[0], state[name][n], err_msg=f"{kind} {name}")


def test_looks_change_more_with_strength_and_leave_the_state(case: Case) -> None:
    for kind in case.spec.perturbations:
        if kind.before_step or (kind.physical and kind.principle != "permanence"):
            continue
        _, twin, untouched = follow(case, kind, strikes=False)
        sizes = []
        for strength in rungs(case, kind):
            _, frames, state = follow(case, kind, strength)
            changed = [name for name in state if (state[name] != untouched[name]).any()]
            assert not changed or (kind.principle == "immutability" and len(changed) == 1), (kind.name, changed)
            sizes.append(np.abs(frames[0].astype(float) - twin[0]).sum(axis=(1, 2, 3)))
        assert (np.diff(sizes, axis=0) >= 0).all() or kind.name.startswith("duplicate"), (kind.name, sizes)


def test_a_teleport_of_a_strength_is_so_many_steps_way(case: Case) -> None:
    speed, path = case.spec.speed, case.spec.path_quantity
    for kind in case.spec.perturbations:
        if speed is None or path is None or not kind.strengths or not kind.name.startswith("teleport"):
            continue
        assert kind.unit == STEPS_WAY
        for strength in kind.strengths:
            _, _, state = follow(case, kind, strength)
            way_N2 = state[path] - case.frame(2)[path]
            np.testing.assert_allclose(np.linalg.norm(way_N2, axis=1), strength * speed, rtol=1e-4)


def test_a_perturbation_or_strength_that_cannot_be_is_refused_with_the_choices(case: Case) -> None:
    rngs = [np.random.default_rng(n) for n in range(EPISODES)]
    with pytest.raises(InputError, match=f"world {case.name!r} has no perturbation 'gravity'; it has: teleport"):
        case.world.perturb("gravity", rngs)
    for kind in case.spec.perturbations:
        for strength in (-1.0, 0.0, float("nan")):
            with pytest.raises(InputError, match=f"strength is {strength!r} and|strength is {strength!r}; pert"):
                case.world.perturb(kind.name, rngs, strength)


def test_factors_are_recorded_and_make_a_difference(case: Case) -> None:
    for factor in case.spec.factors:
        recorded = case.frame(STEPS)[factor.name][:, 0]
        np.testing.assert_array_equal(recorded, floats([one[factor.name] for one in case.variations]))
        low, high = ({**case.variations[0], factor.name: value} for value in (factor.low, factor.high))
        case.world.begin([3, 3], [low, high])
        action = np.random.default_rng(1).uniform(-1, 1, (2, 1, case.spec.action_size)).astype(np.float32)
        for step in action:
            case.world.advance(np.repeat(step, 2, axis=0))
        state, frames = case.world.state(), case.world.render_pixels()
        moved = any((state[name][0] != state[name][1]).any() for name in state if name != factor.name)
        assert moved or (frames[0] != frames[1]).any(), factor.name
