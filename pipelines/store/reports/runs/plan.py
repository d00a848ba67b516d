"""The plan of a run: the units that one evaluation asked for under the run's name, and where the plan lies.

`reports/runs/<run>/<digest of the units>.json` is the first of its kind. Where it was removed from a store that is
compacted, that name is never used again: whoever plans the same once more writes it beside, under the next number,
`<digest>.~000002.<token>.revised`. A loose plan can so be deleted by its name alone.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from infra.errors import InfraError
from infra.storage import Store
from infra.version import code_version
from jepa.core.config import Config, digest_of
from pipelines.store.reports.manifest import DOCUMENT, Name, name_in
from pipelines.store.sealed import unseal

RUNS = "reports/runs"
# A run may be called `runs`, whose report lies beside the folders.
_NAME = re.compile(rf"{RUNS}/(?P<key>[^/]+/[^/~]+){DOCUMENT}")


class RunPlan(Config):
    """What one evaluation will do, or find done, under the name of a run."""

    # A field that later code adds is none of this code's business.
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore")

    run: str
    units: tuple[str, ...]
    """keys of the units"""
    config: dict[str, Any]
    """what was asked for"""
    code_version: str = Field(default_factory=code_version)
    created_at: datetime = Field(default_factory=lambda: datetime.now(UTC))

    def __repr__(self) -> str:
        return f"<plan of run {self.run}: {len(self.units)} units>"

    __str__ = __repr__


def plan_stem(run: str, units: Sequence[str]) -> str:
    """Returns the key that all plans share which list these units for a run: `m0/0123456789abcdef`."""
    return f"{run}/{digest_of(sorted(units))[:16]}"


def plan_path(run: str, units: Sequence[str]) -> str:
    """Returns where the first plan of a run lies that lists these units."""
    return Name(1, "", plan_stem(run, units), RUNS).path


def plan_name(path: str) -> Name | None:
    """Returns what the path of a plan says, whose key is the stem; None where it is of none."""
    return name_in(_NAME.fullmatch(path), RUNS)


def parse_plan(store: Store, path: str, data: bytes) -> RunPlan:
    """Returns the plan of a run that the bytes at a path are.

    Raises:
        InfraError: they are not those that were written.
    """
    try:
        plan, name = RunPlan.model_validate_json(unseal(data)), plan_name(path)
        if name is None or name.key != plan_stem(plan.run, plan.units):
            raise ValueError("its bytes are not those that were written")
        return plan
    except ValueError as error:
        raise InfraError(
            f"{store.address(path)} is damaged, or no plan of a run that this version reads; delete it, evaluate again"
        ) from error
