"""MLflow: figures as a run's metrics; the server is that of MLFLOW_TRACKING_URI, a local folder without it."""

import os
import time
from typing import Any

from pipelines.pretrain.records.trackers.tracker import TRACKERS, Tracked, Tracker

TAG = "jepa.training"
"""Tag by which a restarted training finds its run again."""


@TRACKERS.register("mlflow")
class MlflowTracker(Tracker):
    """One MLflow run for each model, in the experiment of MLFLOW_EXPERIMENT_NAME (`jepa` without it)."""

    package = "mlflow"

    def __init__(self, tracked: Tracked) -> None:
        from mlflow.tracking import MlflowClient

        self._client: Any = MlflowClient()
        experiment = self._experiment(os.environ.get("MLFLOW_EXPERIMENT_NAME") or "jepa")
        self._run = self._found(experiment, tracked) or self._begun(experiment, tracked)
        # Steps after the checkpoint come again with the same figures: what is there already stays.
        self._last = self._last_step()

    def log(self, step: int, figures: dict[str, float]) -> None:
        if step <= self._last:
            return
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        metrics = [Metric(name, value, now, step) for name, value in figures.items()]
        self._client.log_batch(self._run, metrics=metrics, synchronous=False)

    def close(self) -> None:
        self._client.set_terminated(self._run)

    def _experiment(self, name: str) -> str:
        held = self._client.get_experiment_by_name(name)
        return str(held.experiment_id if held is not None else self._client.create_experiment(name))

    def _found(self, experiment: str, tracked: Tracked) -> str | None:
        runs = self._client.search_runs([experiment], f"tags.`{TAG}` = '{tracked.id}'", max_results=1)
        if not runs:
            return None
        self._client.update_run(runs[0].info.run_id, status="RUNNING")
        return str(runs[0].info.run_id)

    def _begun(self, experiment: str, tracked: Tracked) -> str:
        tags = {TAG: tracked.id}
        run = str(self._client.create_run(experiment, tags=tags, run_name=tracked.model.name).info.run_id)
        for name, value in tracked.settings.items():
            self._client.log_param(run, name, value)
        return run

    def _last_step(self) -> int:
        history = self._client.get_metric_history(self._run, "loss")
        return max((metric.step for metric in history), default=-1)
