"""The plan of a run: the units that one evaluation asked for under the run's name, and where the plan lies.

`reports/runs/<run>/<digest of the units>.json` is the first of its kind. Where it was removed from a store that is
compacted, that name is never used again: whoever plans the same once more writes it beside, under the next number,
`<digest>.~000002.<token>.revised`. A loose plan can so be deleted by its name alone.
"""

import re
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple

from pydantic import ConfigDict, Field

from infra.errors import InfraError
from infra.storage import Store
from infra.version import code_version
from jepa.core.config import Config, digest_of
from pipelines.store.sealed import unseal

RUNS = "reports/runs"
_NAME = re.compile(
    # A run may be called `runs`, whose report lies beside the folders.
    rf"{RUNS}/(?P<stem>[^/]+/[^/~]+)(\.json|\.~(?P<revision>[0-9]{{6,}})\.(?P<token>[0-9a-f]{{8}})\.revised)"
)


class PlanName(NamedTuple):
    """What the path of a plan says; of two of one stem that with the higher (revision, token) stands."""

    revision: int
    token: str
    stem: str
    """the run, and the digest of the units: `m0/0123456789abcdef`"""

    @property
    def path(self) -> str:
        """Returns the path."""
        end = f"~{self.revision:06d}.{self.token}.revised" if self.token else "json"
        return f"{RUNS}/{self.stem}.{end}"

    def next(self) -> "PlanName":
        """Returns a name that nobody else takes, for a plan that counts though this one does not."""
        return PlanName(self.revision + 1, uuid.uuid4().hex[:8], self.stem)


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
    """Returns what the names of all plans begin with that list these units for a run."""
    return f"{run}/{digest_of(sorted(units))[:16]}"


def plan_path(run: str, units: Sequence[str]) -> str:
    """Returns where the first plan of a run lies that lists these units."""
    return PlanName(1, "", plan_stem(run, units)).path


def plan_name(path: str) -> PlanName | None:
    """Returns what the path of a plan says; None where it is of none."""
    found = _NAME.fullmatch(path)
    return None if found is None else PlanName(int(found["revision"] or 1), found["token"] or "", found["stem"])


def parse_plan(store: Store, path: str, data: bytes) -> RunPlan:
    """Returns the plan of a run that the bytes at a path are.

    Raises:
        InfraError: they are not those that were written.
    """
    try:
        plan, name = RunPlan.model_validate_json(unseal(data)), plan_name(path)
        if name is None or name.stem != plan_stem(plan.run, plan.units):
            raise ValueError("its bytes are not those that were written")
        return plan
    except ValueError as error:
        raise InfraError(
            f"{store.address(path)} is damaged, or no plan of a run that this version reads; delete it, evaluate again"
        ) from error
