"""The study job: every cell that is not done yet, in any order, by any number of workers, then the claims."""

from dataclasses import dataclass

from infra.observability.metrics import Meter
from infra.progress import Progress
from infra.storage import Store
from jepa.studies import Claim, Finding, judge
from jepa.studies.study import WORLD
from pipelines.executor import JobLog, run_units
from pipelines.store.logs import LogFolder
from pipelines.store.reports import UnitManifest, plan_run, read_units
from pipelines.study.config import StudyConfig
from pipelines.study.findings import commit_findings
from pipelines.study.plan import StudyPlan, plan_study
from pipelines.study.rows import own_rows
from pipelines.study.unit import CellUnit, do_cell


@dataclass(frozen=True)
class Studied:
    """What a study asked for and found done or did, and what its table says of its claims."""

    plan: StudyPlan
    units: tuple[UnitManifest, ...]
    """of all cells, in the grid's order"""
    earlier: tuple[UnitManifest, ...]
    """those that were done before and stand as they were"""
    findings: tuple[tuple[Claim, Finding], ...]

    @property
    def run(self) -> str:
        """The run that lists the cells."""
        return self.plan.run

    def __repr__(self) -> str:
        done = f", {len(self.earlier)} of them done before" if self.earlier else ""
        return f"<study {self.plan.study.name}: {len(self.units)} cells{done}>"


def study(config: StudyConfig, store: Store, progress: Progress | None = None) -> Studied:
    """Runs the cells of a study that are not committed yet, and judges its claims on all of them.

    Raises:
        InputError: a wrong input, found before any work starts.
        InfraError: the store or the cluster failed for good.
    """
    return carry_out(plan_study(config, store), store, progress)


def carry_out(plan: StudyPlan, store: Store, progress: Progress | None = None) -> Studied:
    """Does the cells of a plan; see `study`."""
    plan_run(store, plan.run, [unit.key for unit in plan.units], plan.config.model_dump(mode="json"))
    earlier = {} if plan.config.force else read_units(store, [unit.key for unit in plan.units])
    missing = [unit for unit in plan.units if unit.key not in earlier]
    done = _run(plan, missing, store, progress or Progress()) if missing else {}
    units = tuple((earlier | done)[unit.key] for unit in plan.units)
    findings = judge(plan.study, own_rows(store, plan.study.own_table().name, units, [WORLD]))
    commit_findings(plan, store, findings, units)
    return Studied(plan, units, tuple(earlier.values()), findings)


def _run(plan: StudyPlan, missing: list[CellUnit], store: Store, progress: Progress) -> dict[str, UnitManifest]:
    config, name = plan.config, plan.study.name
    kind = plan.study.Cell
    # The longest first, so that no worker is left with one at the end.
    missing = sorted(missing, key=lambda unit: -plan.study.cost(kind.model_validate(unit.cell)))
    meter = Meter("jepa_study_", name)
    with (
        JobLog(LogFolder(store, "study", plan.run), config, lambda unit: unit.key) as log,
        progress.with_sink(log).phase(f"study {name}", len(plan.units), "cells") as phase,
    ):
        phase.advance(len(plan.units) - len(missing))

        def cell_done(unit: CellUnit, manifest: UnitManifest) -> None:
            meter.count("cells")
            phase.advance()

        done = run_units(
            do_cell,
            missing,
            executor=config.executor,
            workers=min(config.workers, len(missing)),
            cpus_each=config.cpus,
            on_result=cell_done,
            on_retry=lambda unit, error: meter.count("retries"),
            name=lambda unit: f"cell {unit.label}",
            log=log,
        )
    return {manifest.key: manifest for manifest in done}
