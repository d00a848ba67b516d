"""Variants of planners side by side: a grid over a planner's options as labelled planners of one run."""

from collections.abc import Mapping
from itertools import product
from typing import Any

from pydantic import ValidationError

from jepa.core.config import first_problem
from jepa.core.errors import InputError
from jepa.evaluation import PlanningConfig, Protocol
from jepa.evaluation.kinds.planning.config import REFERENCES
from jepa.evaluation.kinds.planning.figures import DEMONSTRATION

RENAMED = {"replan": "replan_every"}
"""Short names of options."""
LARGEST = 200
"""Variants at most."""


def grid_values(values: Any) -> tuple[Any, ...]:
    """Returns the values of one option: of a list, of text with commas (`64,300`), or one alone."""
    if isinstance(values, str):
        return tuple(_number(text.strip()) for text in values.split(",") if text.strip())
    return tuple(values) if isinstance(values, list | tuple) else (values,)


def with_grid(protocol: Protocol, grid: Mapping[str, tuple[Any, ...]]) -> Protocol:
    """Returns a protocol whose planners of choice are replaced by their variants, each labelled by what it varies.

    Planners that are not chosen stay as they are.

    Args:
        protocol: its planners are varied, oracle, random and demonstration aside.
        grid: values by option of the planners; `replan` is short for `replan_every`, `planner` names those to vary.

    Raises:
        InputError: a planner has no such option or not such a value, none can be varied, or there are too many.
    """
    options = dict(grid)
    settings = PlanningConfig.model_validate(protocol.settings("planning").model_dump())
    steady = {*REFERENCES, DEMONSTRATION}
    chosen = options.pop("planner", tuple(label for label in settings.planners if label not in steady))
    if not chosen or not options:
        raise InputError("grid varies nothing; name options of a planner with values, e.g. samples=64,300")
    variants = {label: given for label, given in settings.planners.items() if label not in chosen}
    for label in chosen:
        base = settings.planners.get(label, {"planner": label})
        for values in product(*options.values()):
            changes = dict(zip(options, values, strict=True))
            name = " ".join([str(label), *(f"{option}={value}" for option, value in changes.items())])
            variants[name] = base | {RENAMED.get(option, option): value for option, value in changes.items()}
    if len(variants) > LARGEST:
        raise InputError(f"grid makes {len(variants)} planners; take {LARGEST} or fewer")
    # Its rows must not be taken for those of the protocol itself.
    document = protocol.model_dump(mode="json") | {"name": f"{protocol.name}-grid"}
    document["planning"] = document.get("planning", {}) | {"planners": variants}
    try:
        return Protocol.model_validate(document)
    except ValidationError as error:
        raise InputError(
            f"grid does not fit: {first_problem(error)}; name options that all varied planners have, or with planner=… "
            f"those that have them, of: {', '.join(label for label in settings.planners if label not in steady)}"
        ) from error


def _number(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
