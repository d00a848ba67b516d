"""The registry of planners and the making of one: names and options that do not fit are said in a sentence."""

import pytest

from jepa.core.config import Config
from jepa.core.errors import InputError
from jepa.planning import PLANNERS, Planner, RandomConfig, make_planner
from jepa.planning.planners.demonstration import LONGEST_PLAN
from tests.jepa.planning.setting import RIGHT_MODEL


def test_an_unknown_planner_is_named_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="planner 'magic' is not known; choose one of: cem, demonstration, gradient, "):
        make_planner("magic", {}, RIGHT_MODEL)


def test_options_that_do_not_fit_are_named() -> None:
    with pytest.raises(InputError, match=r"planner_options\.steps: .*greater than 0, got 0"):
        make_planner("random", {"steps": 0}, RIGHT_MODEL)
    with pytest.raises(InputError, match=r"planner_options\.samples: Extra inputs"):
        make_planner("random", {"samples": 3}, RIGHT_MODEL)


def test_every_planner_has_its_options_and_a_plan_of_some_length() -> None:
    for name in PLANNERS:
        kind = PLANNERS.get(name)
        assert issubclass(kind, Planner) and issubclass(kind.Config, Config)
        if kind.needs_heads(kind.Config()):
            with pytest.raises(InputError, match=r"head '\w+' of the model is needed and not there"):
                make_planner(name, kind.Config(), RIGHT_MODEL)
            continue
        planner = make_planner(name, kind.Config(), RIGHT_MODEL)
        # What was recorded is as long as its problem has it.
        assert planner.plan_steps == (LONGEST_PLAN if name == "demonstration" else 25)
        planner.close()
    assert make_planner("random", RandomConfig(steps=7), RIGHT_MODEL).plan_steps == 7
