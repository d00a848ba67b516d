"""What runs hold: named collections of units of work.

Who evaluates writes down first which units belong to the run (`plans.py`). A unit that is done already belongs to every
run that lists it; a run may list units of several models, dataset versions and seeds.
"""

import logging
from collections.abc import Sequence

from infra.storage import Store
from jepa.core.errors import InputError
from pipelines.store.reports.manifest import UnitManifest, manifest_path
from pipelines.store.reports.runs.plans import run_plans
from pipelines.store.reports.units import committed_units

log = logging.getLogger(__name__)


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
