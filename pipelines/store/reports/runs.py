"""Runs: named collections of units of work.

Who evaluates writes down first which units belong to the run, `reports/runs/<run>/<digest>.json`. A unit that is done
already belongs to every run that lists it; a run may list units of several models, dataset versions and seeds.
"""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from infra.errors import InfraError
from infra.storage import Store
from infra.version import code_version
from jepa.core.config import Config, digest_of
from jepa.core.errors import InputError
from pipelines.store.references import check_name
from pipelines.store.reports.manifest import UnitManifest, manifest_path
from pipelines.store.reports.units import committed_units
from pipelines.store.sealed import seal, unseal

RUNS = "reports/runs"

log = logging.getLogger(__name__)


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


def plan_run(store: Store, run: str, units: Sequence[str], config: dict[str, Any]) -> RunPlan:
    """Writes down that units belong to a run and returns what stands; the same units once more change nothing.

    Raises:
        InputError: a run cannot be called so.
    """
    plan = RunPlan(run=check_name("run", run), units=tuple(units), config=config)
    path = plan_path(run, units)
    document = seal(plan.model_dump_json(indent=1).encode())
    if store.write_if_absent(path, document):
        return plan
    try:
        return _read(store, path)
    except InfraError:
        store.write(path, document)  # damaged; its name says which units it listed
        return plan


def run_plans(store: Store, run: str | None = None) -> list[RunPlan]:
    """Returns the plans of a run, or of all runs, the oldest first."""
    prefix = f"{RUNS}/" if run is None else f"{RUNS}/{run}/"
    # A run may be called `runs`, whose report lies beside the folders.
    paths = [path for path in store.list(prefix) if path.count("/") == 3 and path.endswith(".json")]
    return sorted((_read(store, path) for path in paths), key=lambda plan: plan.created_at)


def units_of_run(store: Store, run: str, units: Sequence[UnitManifest] | None = None) -> list[UnitManifest]:
    """Returns the committed units of a run in order of their keys: those that it lists and those that were done for it.

    A run of older code lists none, and neither does a training.

    Args:
        store: where they are.
        run: id of the run.
        units: all units of the store, where they have been read already.
    """
    listed = {key for plan in run_plans(store, run) for key in plan.units}
    every = committed_units(store) if units is None else units
    for key in sorted(listed - {unit.key for unit in every}):
        log.warning(
            "run %s lists a unit whose manifest %s is not there: not done yet, or lost; evaluate again to have it",
            run,
            store.address(manifest_path(key)),
        )
    return [unit for unit in every if unit.run == run or unit.key in listed]


def require_run(store: Store, run: str, units: Sequence[UnitManifest] | None = None) -> list[UnitManifest]:
    """Returns the units of a run, as `units_of_run` does.

    Raises:
        InputError: the store holds none; the message names the runs that it holds.
    """
    found = units_of_run(store, run, units)
    if not found:
        runs = run_names(store)
        known = f"choose one of: {', '.join(runs)}" if runs else "evaluate a model first"
        raise InputError(f"run {run!r} has no results in store {store.uri!r}; {known}")
    return found


def run_names(store: Store) -> list[str]:
    """Returns the names of all runs that have a committed unit."""
    every = committed_units(store)
    done = {unit.key for unit in every}
    listing = {plan.run for plan in run_plans(store) if done & set(plan.units)}
    return sorted(listing | {unit.run for unit in every})


def latest_run(store: Store) -> str:
    """Returns the run that was evaluated, or trained, last.

    Raises:
        InputError: the store holds no results.
    """
    every = committed_units(store)
    if not every:
        raise InputError(f"store {store.uri!r} holds no results; evaluate a model first")
    done = {unit.key for unit in every}
    times = [(unit.created_at, unit.run) for unit in every]
    times += [(plan.created_at, plan.run) for plan in run_plans(store) if done & set(plan.units)]
    return max(times)[1]


def plan_path(run: str, units: Sequence[str]) -> str:
    """Returns where the plan of a run lies that lists these units."""
    return f"{RUNS}/{run}/{digest_of(sorted(units))[:16]}.json"


def parse_plan(store: Store, path: str, data: bytes) -> RunPlan:
    """Returns the plan of a run that the bytes at a path are.

    Raises:
        InfraError: they are not those that were written.
    """
    try:
        plan = RunPlan.model_validate_json(unseal(data))
        if plan_path(plan.run, plan.units) != path:
            raise ValueError("its bytes are not those that were written")
        return plan
    except ValueError as error:
        raise InfraError(
            f"{store.address(path)} is damaged, or no plan of a run that this version reads; delete it, evaluate again"
        ) from error


def _read(store: Store, path: str) -> RunPlan:
    return parse_plan(store, path, store.read(path))
