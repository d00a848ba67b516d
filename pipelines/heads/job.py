"""The head job: every head that is not fitted yet, in any order, by any number of workers."""

from dataclasses import dataclass

from infra.observability.metrics import Meter
from infra.progress import Progress
from infra.storage import Store
from pipelines.device import gpus_each
from pipelines.executor import JobLog, run_units
from pipelines.heads.config import FitHeadsConfig
from pipelines.heads.plan import HeadsPlan, plan_heads
from pipelines.heads.unit import HeadUnit, do_head, held_head
from pipelines.store.logs import LogFolder
from pipelines.store.models.heads.manifest import HeadManifest


@dataclass(frozen=True)
class HeadsFitted:
    """What a fit asked for and found done or did."""

    plan: HeadsPlan
    heads: tuple[HeadManifest, ...]
    """in the plan's order"""
    earlier: tuple[str, ...]
    """names of those that were fitted before and stand as they were"""

    def __repr__(self) -> str:
        return f"<heads of {self.plan.model}: {', '.join(head.name for head in self.heads)}>"


def fit_heads(config: FitHeadsConfig, store: Store, progress: Progress | None = None) -> HeadsFitted:
    """Fits heads on the frozen latents of a model; committed ones are not fitted again without `force`.

    Raises:
        InputError: a wrong input, found before any work starts.
        InfraError: the store or the cluster failed for good.
    """
    return carry_out(plan_heads(config, store), store, progress)


def carry_out(plan: HeadsPlan, store: Store, progress: Progress | None = None) -> HeadsFitted:
    """Does the units of a plan; see `fit_heads`."""
    held = {} if plan.config.force else {unit.key: held_head(store, unit.request) for unit in plan.units}
    earlier = {key: manifest for key, manifest in held.items() if manifest is not None}
    missing = [unit for unit in plan.units if unit.key not in earlier]
    done = _run(plan, missing, store, progress or Progress()) if missing else {}
    heads = tuple((earlier | done)[unit.key] for unit in plan.units)
    return HeadsFitted(plan, heads, tuple(earlier))


def _run(plan: HeadsPlan, missing: list[HeadUnit], store: Store, progress: Progress) -> dict[str, HeadManifest]:
    config, name = plan.config, plan.model.name
    workers = min(config.workers, len(missing))
    meter = Meter("jepa_heads_", name)
    about = {"dataset": str(plan.dataset), "model": str(plan.model)}
    with (
        JobLog(LogFolder(store, "fit-heads", name), config, lambda unit: unit.key, about) as log,
        progress.with_sink(log).phase(f"fit heads of {name}", len(plan.units), "heads") as phase,
    ):
        phase.advance(len(plan.units) - len(missing))

        def head_done(unit: HeadUnit, manifest: HeadManifest) -> None:
            meter.count("fitted")
            phase.advance()

        done = run_units(
            do_head,
            missing,
            executor=config.executor,
            workers=workers,
            cpus_each=config.cpus,
            gpus_each=gpus_each(config.device, config.executor, workers),
            on_result=head_done,
            on_retry=lambda unit, error: meter.count("retries"),
            name=lambda unit: f"head {unit.key}",
            log=log,
        )
    return {manifest.name: manifest for manifest in done}
