"""The metrics that a running job gives to Ray, and so to Prometheus: what dashboards and alert rules may name."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """One metric, by the name under which it is made in our code."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    label: str
    """the label that tells one from another: a dataset, a model or a run"""
    meaning: str
    boundaries: tuple[float, ...] = ()
    """upper ends of a histogram's buckets"""

    @property
    def exported(self) -> tuple[str, ...]:
        """Returns the names under which Prometheus scrapes it from Ray."""
        endings = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_sum", "_count")}
        return tuple(f"ray_{self.name}{ending}" for ending in endings[self.kind])


PLAN_SECONDS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)

METRICS = (
    Metric("jepa_collect_episodes", "counter", "dataset", "episodes stored"),
    Metric("jepa_collect_frames", "counter", "dataset", "frames stored; its rate is frames/s"),
    Metric("jepa_collect_bytes", "counter", "dataset", "bytes stored; its rate is bytes/s"),
    Metric("jepa_collect_retries", "counter", "dataset", "shards made again"),
    Metric("jepa_collect_frames_per_second", "gauge", "dataset", "frames stored a second since the start"),
    Metric("jepa_pretrain_steps", "gauge", "model", "optimiser steps done"),
    Metric("jepa_pretrain_loss", "gauge", "model", "loss of the last logged step"),
    Metric("jepa_pretrain_clips_per_second", "gauge", "model", "clips trained on a second"),
    Metric("jepa_pretrain_data_wait", "gauge", "model", "share of the time spent waiting for data"),
    Metric(
        "jepa_pretrain_step_seconds", "gauge", "model", "seconds of an optimiser step, waiting for its data included"
    ),
    Metric("jepa_pretrain_gradient_norm", "gauge", "model", "norm of the gradient before it is clipped"),
    Metric("jepa_pretrain_checkpoint_seconds", "gauge", "model", "seconds that checkpoints held training up"),
    Metric("jepa_pretrain_checkpoint_failures", "gauge", "model", "checkpoints not written since the process began"),
    Metric("jepa_pretrain_workers", "gauge", "model", "workers that train together"),
    Metric("jepa_pretrain_restarts", "counter", "model", "times a training went back to a checkpoint"),
    Metric("jepa_evaluate_units", "counter", "model", "units of work done"),
    Metric("jepa_evaluate_retries", "counter", "model", "units of work done again"),
    Metric("jepa_evaluate_planner_seconds", "histogram", "model", "seconds of a plan by the model", PLAN_SECONDS),
    Metric("jepa_heads_fitted", "counter", "model", "heads that were fitted"),
    Metric("jepa_heads_retries", "counter", "model", "heads that were fitted again after a failure"),
    Metric("jepa_study_cells", "counter", "study", "cells of a study that were run"),
    Metric("jepa_study_retries", "counter", "study", "cells of a study that were run again"),
    Metric("jepa_run_heartbeat_age_seconds", "gauge", "run", "seconds since a job last showed progress"),
)

RAY_METRICS = ("ray_node_gpus_utilization", "ray_node_mem_used", "ray_node_mem_total", "ray_node_disk_free")
"""Ray's own metrics that dashboards and rules name, as Prometheus scrapes them."""
