"""What `prefect.yaml` and `prefect.kubernetes.yaml` say, without a server: valid parameters, chains that start once."""

from typing import Any

import jinja2
import pytest
import yaml
from pydantic import BaseModel

from flows.compact import CompactConfig
from flows.maintenance import MaintenanceConfig
from flows.whole_job.config import WorldModelConfig
from pipelines.collect import CollectConfig
from pipelines.evaluate import EvaluateConfig
from pipelines.heads import FitHeadsConfig
from pipelines.pretrain import PretrainConfig
from pipelines.study import StudyConfig
from tests.conftest import ROOT

FILES = ("prefect.yaml", "prefect.kubernetes.yaml")
CONFIGS: dict[str, type[BaseModel]] = {
    "world_model": WorldModelConfig,
    "collect": CollectConfig,
    "pretrain": PretrainConfig,
    "fit_heads": FitHeadsConfig,
    "evaluate": EvaluateConfig,
    "study": StudyConfig,
    "maintenance": MaintenanceConfig,
    "compact": CompactConfig,
}
"""By the flow's function."""
PAYLOADS: dict[str, dict[str, Any]] = {
    "jepa.dataset.committed": {"store": "s3://b", "name": "d0", "version": 2, "reference": "d0@2"},
    "jepa.model.committed": {"store": "s3://b", "name": "m0", "reference": "m0@1a2b3c4d", "dataset": "d0@2"},
}
MADE: dict[str, dict[str, str]] = {
    "jepa.dataset.committed": {"dataset": "d0@2", "name": "d0-v2"},
    "jepa.model.committed": {"model": "m0@1a2b3c4d", "dataset": "d0@2"},
}
"""What the configuration of the run that an event starts must say."""


def deployments(file: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in yaml.safe_load((ROOT / file).read_text())["deployments"]}


def config_of(deployment: dict[str, Any]) -> type[BaseModel]:
    """Returns the model of a deployment's configuration."""
    return CONFIGS[deployment["entrypoint"].replace(":", ".").split(".")[-1]]


def filled_in(template: Any, payload: dict[str, Any]) -> Any:
    """Returns parameters as Prefect's server makes them of an event."""
    if isinstance(template, dict):
        return {name: filled_in(value, payload) for name, value in template.items()}
    if isinstance(template, str):
        environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
        return environment.from_string(template).render(event={"payload": payload})
    return template


def test_the_parameters_of_prefect_kubernetes_yaml_are_valid() -> None:
    for deployment in deployments("prefect.kubernetes.yaml").values():
        config_of(deployment).model_validate(deployment["parameters"]["config"])


@pytest.mark.parametrize("file", FILES)
def test_runs_send_heartbeats(file: str) -> None:
    for deployment in deployments(file).values():
        environment = deployment["work_pool"]["job_variables"]["env"]
        assert int(environment["PREFECT_FLOWS_HEARTBEAT_FREQUENCY"]) * 3 < 180  # what the automation waits for


@pytest.mark.parametrize("file", FILES)
def test_each_trigger_is_off_and_starts_one_valid_run_for_a_version(file: str) -> None:
    found = deployments(file)
    triggers = [(one, trigger) for one in found.values() for trigger in one.get("triggers", ())]
    assert triggers and len({trigger["name"] for _, trigger in triggers}) == len(triggers)
    for deployment, trigger in triggers:
        assert trigger["enabled"] is False and trigger["posture"] == "Reactive"
        assert trigger["for_each"] == ["prefect.resource.id"] and trigger["within"] >= 365 * 24 * 3600
        (event,) = trigger["expect"]
        related = trigger["match_related"]
        assert related["prefect.resource.role"] == "deployment" and related["prefect.resource.name"] in found
        parameters = filled_in(trigger["parameters"], PAYLOADS[event])
        assert parameters["store"] == "s3://b" and MADE[event].items() <= parameters["config"].items()
        config_of(deployment).model_validate(parameters["config"])
