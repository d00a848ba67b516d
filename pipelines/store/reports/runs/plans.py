"""Which plans of runs there are, loose or compacted, and how one is written; each counts once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from infra.errors import InfraError
from infra.processes.pool import ThreadPool
from infra.storage import Store
from pipelines.store.references import check_name
from pipelines.store.reports.compaction.generation import REREADS
from pipelines.store.reports.compaction.index import Compacted, read_compacted
from pipelines.store.reports.compaction.plans import KeptPlan
from pipelines.store.reports.manifest import Name, standing
from pipelines.store.reports.runs.plan import RUNS, RunPlan, parse_plan, plan_name, plan_stem
from pipelines.store.reports.units import READERS
from pipelines.store.sealed import read_if_there, seal


@dataclass(frozen=True)
class PlanSnapshot:
    """Which plans there are at one moment."""

    loose: Mapping[str, Sequence[Name]]
    """by stem: the names of those that lie loose, listed before what is compacted was read"""
    compacted: Compacted | None

    def standing(self, stem: str) -> Name | KeptPlan | None:
        """Returns the name of the plan that stands for a stem, or the plan itself where it is compacted.

        Raises:
            InfraError: the file of the compacted plans is lost.
        """
        held = self.compacted
        loose = self.loose.get(stem, ())
        if held is None:
            return standing(loose, None, 0)
        return standing(loose, held.plans.get(stem), held.plan_revision(stem))

    def revision(self, stem: str) -> int:
        """Returns the highest revision of a stem of which there is a trace, 0 where there is none."""
        loose = max((name.revision for name in self.loose.get(stem, ())), default=0)
        return max(loose, self.compacted.plan_revision(stem) if self.compacted is not None else 0)

    def stems(self, run: str | None = None) -> list[str]:
        """Returns the stems of which a plan stands, of a run or of all, in their order."""
        every = {*self.loose, *(self.compacted.plans if self.compacted is not None else ())}
        of_run = sorted(stem for stem in every if run is None or stem.startswith(f"{run}/"))
        return [stem for stem in of_run if self.standing(stem) is not None]

    def loose_standing(self) -> list[Name]:
        """Returns the names of the plans that stand and lie loose."""
        return [one for stem in sorted(self.loose) if isinstance(one := self.standing(stem), Name)]

    def superseded(self) -> list[Name]:
        """Returns the names of the loose plans that count no more; none where nobody knows what is compacted."""
        held = self.compacted
        if held is None or held.lost_plans:
            return []
        every = sorted(name for names in self.loose.values() for name in names)
        return [name for name in every if name.revision <= held.plan_revision(name.key)]


def loose_plans(store: Store, prefix: str = "") -> dict[str, list[Name]]:
    """Returns the names of the plans that lie loose, by stem, those that begin so.

    Who wants to know which plans stand lists these *before* what is compacted is read; see `look_at_plans`.
    """
    loose: dict[str, list[Name]] = {}
    for path in store.list(f"{RUNS}/{prefix}"):
        if (name := plan_name(path)) is not None:
            loose.setdefault(name.key, []).append(name)
    return loose


def look_at_plans(store: Store, prefix: str = "") -> PlanSnapshot:
    """Returns which plans there are; of those that lie loose only such whose stem begins so."""
    # In this order: what is compacted between the two is then found in both, and not in neither.
    loose = loose_plans(store, prefix)
    return PlanSnapshot(loose, read_compacted(store))


def read_plans(store: Store, names: Sequence[Name]) -> dict[Name, bytes | None]:
    """Returns the bytes of plans that lie loose, None of one that is gone."""
    if not names:
        return {}
    with ThreadPool(min(READERS, len(names)), "read-plan") as pool:
        return dict(zip(names, pool.map(lambda name: read_if_there(store, name.path), names), strict=True))


def plan_run(store: Store, run: str, units: Sequence[str], config: dict[str, Any]) -> RunPlan:
    """Writes down that units belong to a run and returns what stands; the same units once more change nothing.

    Raises:
        InputError: a run cannot be called so.
        InfraError: the file of the compacted plans is lost.
    """
    plan = RunPlan(run=check_name("run", run), units=tuple(units), config=config)
    document = seal(plan.model_dump_json(indent=1).encode())
    stem = plan_stem(run, units)
    for _ in range(REREADS):
        snapshot = look_at_plans(store, f"{stem}.")
        stands = snapshot.standing(stem)
        if isinstance(stands, KeptPlan):
            return stands.plan
        if stands is None:
            # A name under which it was removed does not count any more.
            revision = snapshot.revision(stem)
            ours = Name(revision, "", stem, RUNS).next() if revision else Name(1, "", stem, RUNS)
            store.write_if_absent(ours.path, document)
        elif (data := read_if_there(store, stands.path)) is not None:
            try:
                return parse_plan(store, stands.path, data)
            except InfraError:
                store.write(stands.path, document)  # damaged; its name says which units it listed
        # Whether it stands the next look says: it may have been removed, or compacted, meanwhile.
    raise InfraError(f"plans of run {run!r} of store {store.uri!r} are written by others all the time; evaluate again")


def run_plans(store: Store, run: str | None = None) -> list[RunPlan]:
    """Returns the plans of a run, or of all runs, the oldest first.

    Raises:
        InfraError: a plan, or the file of the compacted ones, is damaged.
    """
    for _ in range(REREADS):
        snapshot = look_at_plans(store, "" if run is None else f"{run}/")
        stands = {stem: snapshot.standing(stem) for stem in snapshot.stems(run)}
        loose = read_plans(store, [one for one in stands.values() if isinstance(one, Name)])
        plans = {stem: one.plan for stem, one in stands.items() if isinstance(one, KeptPlan)}
        plans |= {name.key: parse_plan(store, name.path, data) for name, data in loose.items() if data is not None}
        if None not in loose.values():
            return sorted((plans[stem] for stem in stands), key=lambda plan: plan.created_at)
        # One was compacted or removed since it was listed.
    raise InfraError(f"plans of runs of store {store.uri!r} change all the time while they are read; try again")
