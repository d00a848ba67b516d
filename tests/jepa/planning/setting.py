"""What the tests of planners share: problems of Two-Room, and a run of one planner on them."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

import pytest

from jepa.core.config import Config
from jepa.models.world_model import ModelConfig, WorldModel
from jepa.planning import Execution, PlanningSetting, Problem, execute, make_planner
from jepa.worlds import make_world
from tests.jepa.evaluation.standins import CentroidModel

RIGHT_MODEL = PlanningSetting(CentroidModel(), "two_room", {})  # type: ignore[arg-type]
"""A model that is right where no wall stands in the way."""
UNTRAINED = PlanningSetting(WorldModel.from_config(ModelConfig()), "two_room", {})


def run(
    name: str,
    options: Config | Mapping[str, Any],
    problems: Sequence[Problem],
    setting: PlanningSetting = RIGHT_MODEL,
    budget: int = 50,
    replan_every: int = 25,
) -> list[Execution]:
    """Returns what a planner achieves on problems in the true world."""
    with closing(make_world("two_room", len(problems))) as world, closing(make_planner(name, options, setting)) as it:
        return execute(it, world, problems, budget, replan_every, frameskip=5)


def check_alone_and_in_company(name: str, options: Mapping[str, Any], problems: Sequence[Problem]) -> None:
    """Passes where each problem's path is the same beside others and alone."""
    together = run(name, options, problems, UNTRAINED)
    for problem, company in zip(problems, together, strict=True):
        (alone,) = run(name, options, [problem], UNTRAINED)
        assert alone.path["agent_position"] == pytest.approx(company.path["agent_position"], abs=0)
