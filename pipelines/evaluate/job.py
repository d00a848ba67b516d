"""The evaluation job: every unit that is not done yet, in any order, by any number of workers."""

from dataclasses import dataclass

from infra.observability.metrics import Meter
from infra.progress import Phase, Progress
from infra.storage import Store
from pipelines.device import gpus_each
from pipelines.evaluate.config import EvaluateConfig
from pipelines.evaluate.division import Division
from pipelines.evaluate.plan import EvaluationPlan, plan_evaluation
from pipelines.evaluate.readiness import check_ready
from pipelines.evaluate.unit import EvaluationUnit, UnitDone, do_unit
from pipelines.executor import JobLog, run_units
from pipelines.store.logs import LogFolder
from pipelines.store.reports import UnitManifest, plan_run, read_units
from pipelines.store.reports.problems import write_problems


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation asked for and found done or did."""

    plan: EvaluationPlan
    units: tuple[UnitManifest, ...]
    """of all units, in the plan's order"""
    earlier: tuple[UnitManifest, ...]
    """those that were done before and stand as they were"""

    @property
    def run(self) -> str:
        """The run that lists the units."""
        return self.plan.run

    def __repr__(self) -> str:
        done = f", {len(self.earlier)} of them done before" if self.earlier else ""
        return f"<evaluation of {self.plan.model} on {self.plan.dataset}: {len(self.units)} units{done}>"


def evaluate(config: EvaluateConfig, store: Store, progress: Progress | None = None) -> Evaluated:
    """Judges a model; units that are committed already are not done again, unless `force` is set.

    Raises:
        InputError: a wrong input, found before any work starts.
        InfraError: the store or the cluster failed for good.
    """
    return carry_out(plan_evaluation(config, store), store, progress)


def carry_out(plan: EvaluationPlan, store: Store, progress: Progress | None = None) -> Evaluated:
    """Does the units of a plan; see `evaluate`."""
    earlier = {} if plan.config.force else read_units(store, [unit.key for unit in plan.units])
    missing = [unit for unit in plan.units if unit.key not in earlier]
    check_ready(missing, plan.problems, store)
    for problems in plan.problems:
        write_problems(store, problems)
    plan_run(store, plan.run, [unit.key for unit in plan.units], plan.config.model_dump(mode="json"))
    done = _run(plan, missing, store, progress or Progress()) if missing else {}
    units = earlier | done
    return Evaluated(plan, tuple(units[unit.key] for unit in plan.units), tuple(earlier.values()))


def _run(
    plan: EvaluationPlan, missing: list[EvaluationUnit], store: Store, progress: Progress
) -> dict[str, UnitManifest]:
    config = plan.config
    division = Division(store, missing, config.problems_per_slice)
    workers = max(1, min(config.workers, len(division.work)))
    log_folder = LogFolder(store, "evaluate", plan.run)
    about = {"dataset": str(plan.dataset), "model": str(plan.model)}
    with (
        JobLog(log_folder, config, lambda unit: unit.name, about) as log,
        progress.with_sink(log).phase(
            f"evaluate {plan.model.name}", len(plan.units) - len(missing) + division.pieces, "units"
        ) as phase,
    ):
        phase.advance(len(plan.units) - len(missing) + division.pieces - len(division.work))
        figures = Figures(phase, plan.model.name)

        def unit_done(unit: EvaluationUnit, result: UnitDone) -> None:
            division.done(unit, result)
            figures.unit_done(result)

        begun = 0
        while begun < len(division.work):  # more comes where slices are lost
            work, begun = division.work[begun:], len(division.work)
            run_units(
                do_unit,
                work,
                executor=config.executor,
                workers=workers,
                cpus_each=config.cpus,
                gpus_each=gpus_each(config.device, config.executor, workers),
                on_result=unit_done,
                on_retry=lambda unit, error: figures.retried(),
                name=lambda unit: unit.title,
                log=log,
            )
    return division.committed


class Figures:
    """Counts units, units done again and the seconds of plans: on the progress line and as metrics."""

    def __init__(self, phase: Phase, model: str) -> None:
        self._phase, self._meter = phase, Meter("jepa_evaluate_", model)

    def unit_done(self, unit: UnitDone) -> None:
        """Counts a unit that is done."""
        self._meter.count("units")
        self._meter.observe("planner_seconds", unit.plan_seconds)
        self._phase.advance()

    def retried(self) -> None:
        """Counts a unit that is done again."""
        self._meter.count("retries")
