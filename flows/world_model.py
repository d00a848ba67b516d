"""The main job: from no data to a judged world model."""

from prefect.runtime import flow_run

from flows.cluster import cluster_for
from flows.job import job
from flows.tasks import collect_task, evaluate_task, fit_heads_task, pretrain_task, report_task
from flows.whole_job.checks import check_job
from flows.whole_job.config import WorldModelConfig, dated
from flows.whole_job.heads import heads_to_fit
from infra.storage import open_store


def run_name() -> str:
    """Returns the name of the flow run: that of the run that its rows carry, with the day where names have one."""
    parameters = flow_run.parameters
    config: WorldModelConfig = parameters["config"]
    return dated(config, flow_run.scheduled_start_time).run if parameters["by_day"] else config.run


@job("world-model", run_name=run_name)
def world_model(config: WorldModelConfig, store: str = "runs/", by_day: bool = False) -> str:
    """Collects a dataset, pretrains a model on it, evaluates the model on held-out episodes and reports.

    Heads that planners of the protocol ask for are fitted before the evaluation.

    Args:
        config: the four parts of the job.
        store: folder or s3://bucket/prefix that everything is written to.
        by_day: adds the scheduled day to all names, so that a schedule makes a new run each time.

    Returns:
        The address of the report.
    """
    if by_day:
        config = dated(config, flow_run.scheduled_start_time)
    check_job(config, open_store(store))
    with cluster_for(store, config.collect, config.pretrain, config.evaluate):
        collect_task(config.collect, store)
        pretrain_task(config.pretrain, store, config.run)
        if (heads := heads_to_fit(config, open_store(store))) is not None:
            fit_heads_task(heads, store)
        evaluate_task(config.evaluate, store)
    return report_task(config.report, store)
