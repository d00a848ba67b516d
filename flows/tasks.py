"""The tasks that the flows are made of: coarse, repeatable, and handing on names and small manifests only.

Each job finds in the store what is done and does the rest, so a task may be run again at any time, with no cache.
"""

import os
from typing import Any

from prefect import task
from prefect.cache_policies import NO_CACHE

from flows.runs.artifacts import publish_dataset, publish_findings, publish_metrics, publish_model, publish_report
from flows.runs.interruption import stoppable
from flows.runs.lineage import record_dataset, record_model, record_report
from flows.runs.progress_artifacts import ProgressArtifacts
from flows.runs.run_log import RunLogSink
from flows.shifts import judge, prepare
from infra.observability.event_log import logs_json
from infra.progress import Progress, console_progress
from infra.storage import open_store
from jepa.core.errors import InputError
from jepa.training.trainer import TrainingFailure
from pipelines.collect import CollectConfig
from pipelines.collect import collect as collect_dataset
from pipelines.evaluate import EvaluateConfig
from pipelines.heads import FitHeadsConfig
from pipelines.heads import fit_heads as fit_model_heads
from pipelines.pretrain import PretrainConfig
from pipelines.pretrain import pretrain as pretrain_model
from pipelines.reports import metrics_table
from pipelines.reports.page import ReportConfig
from pipelines.reports.page import report as render_report
from pipelines.store import DatasetManifest
from pipelines.study import StudyConfig
from pipelines.study import study as run_study

FINAL = (InputError, TrainingFailure, TypeError, KeyError, AttributeError)
"""What would be the same the next time: a wrong input, a training that diverged, a fault in the program."""


async def is_transient(task: Any, run: Any, state: Any) -> bool:
    """Returns whether a failure may be over the next time: a lost worker, a store that did not answer."""
    error = await state.aresult(raise_on_failure=False)
    return not isinstance(error, FINAL) and not getattr(error, "final", False)


TASK_OPTIONS: dict[str, Any] = {
    "retries": 2,
    "retry_delay_seconds": [5, 30],
    "retry_condition_fn": is_transient,
    "cache_policy": NO_CACHE,
    "persist_result": False,
}


def _progress() -> Progress:
    # Under a worker the lines of the run's log are those of the console, too, unless it has lines for programs.
    quiet = "PREFECT__FLOW_RUN_ID" in os.environ and not logs_json()
    shown = Progress() if quiet else console_progress()
    return shown.with_sink(RunLogSink()).with_sink(ProgressArtifacts())


@task(name="collect", **TASK_OPTIONS)
def collect_task(config: CollectConfig, store: str) -> DatasetManifest:
    """Collects what is missing of a dataset and returns its manifest."""
    target = open_store(store)
    manifest = collect_dataset(config, target, _progress())
    publish_dataset(manifest, config.name)
    record_dataset(manifest, target)
    return manifest


@task(name="pretrain", **TASK_OPTIONS)
def pretrain_task(config: PretrainConfig, store: str, run: str) -> str:
    """Trains a model from its last checkpoint on and returns its name."""
    manifest = stoppable(
        lambda stop: pretrain_model(config, open_store(store), _progress(), run=run, sources=(stop,)),
        config.stop_seconds,
    )
    publish_model(manifest)
    record_model(manifest, open_store(store))
    return manifest.name


@task(name="fit-heads", **TASK_OPTIONS)
def fit_heads_task(config: FitHeadsConfig, store: str) -> list[str]:
    """Fits the heads that are missing and returns the names of all that were asked for."""
    return [head.name for head in fit_model_heads(config, open_store(store), _progress()).heads]


@task(name="evaluate", **TASK_OPTIONS)
def evaluate_task(config: EvaluateConfig, store: str) -> str:
    """Evaluates the units that are missing, also under shifts, and returns the name of the run that lists them."""
    target = open_store(store)
    evaluated = judge(prepare(config, target), target, _progress()).evaluated
    publish_metrics(metrics_table(store, evaluated.run), evaluated.run)
    return evaluated.run


@task(name="study", **TASK_OPTIONS)
def study_task(config: StudyConfig, store: str) -> str:
    """Runs the cells that are missing, judges the claims, and returns the name of the run that lists both."""
    studied = run_study(config, open_store(store), _progress())
    publish_findings(studied)
    return studied.run


@task(name="report", **TASK_OPTIONS)
def report_task(config: ReportConfig, store: str) -> str:
    """Renders the report and returns its address."""
    target = open_store(store)
    result = render_report(config, target, _progress())
    publish_report(result)
    record_report(result, target)
    return result.address
