"""The deployments, through a real Prefect server, a process work pool and a worker."""

import json
import os
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from tests.conftest import ROOT
from tests.flows.cli.plugin import write_plugin

pytestmark = [pytest.mark.slow, pytest.mark.prefect]

LOCAL = {"executor": "local"}
JOB = {
    "collect": {"name": "d", "episodes": 40, "steps": 40, "image_size": 32, "test_share": 0.2, "actors": 1, **LOCAL},
    "pretrain": {"dataset": "d", "name": "m", "recipe": "smoke", "workers": 1, **LOCAL},
    "evaluate": {"model": "m", "protocol": "tiny-v1", "workers": 1, **LOCAL},
    "report": {},
}
"""The smallest job, without Ray, which is another test's subject."""


@pytest.fixture(scope="module")
def prefect(prefect_server: dict[str, str]) -> Any:
    """Runs the `prefect` command against the server, from the checkout; all four deployments are made."""

    def run(*arguments: str, seconds: float = 300) -> str:
        command = [sys.executable, "-m", "prefect", *arguments]
        environment = os.environ | prefect_server | {"OMP_NUM_THREADS": "1"}
        answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=seconds)
        assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-3000:]
        return answer.stdout + answer.stderr

    run("work-pool", "create", "local", "--type", "process")
    run("--no-prompt", "deploy", "--all")
    return run


@pytest.fixture(scope="module")
def ask(prefect_server: dict[str, str]) -> Any:
    """Asks the server's API."""

    def post(path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(
            f"{prefect_server['PREFECT_API_URL']}/{path}",
            data=json.dumps(body or {}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    return post


def test_all_four_flows_have_forms_tags_and_limits(prefect: Any, ask: Any) -> None:
    deployments = {deployment["name"]: deployment for deployment in ask("deployments/filter")}
    assert set(deployments) == {"world-model", "collect", "pretrain", "evaluate"}
    for name, deployment in deployments.items():
        assert {"jepa", name} <= set(deployment["tags"]) and deployment["global_concurrency_limit"]["limit"] >= 1
        assert "store" in deployment["parameter_openapi_schema"]["properties"]
    schemas = deployments["world-model"]["parameter_openapi_schema"]["definitions"]
    assert {"WorldModelConfig", "CollectConfig", "PretrainConfig", "EvaluateConfig", "ReportConfig"} <= set(schemas)
    episodes = schemas["CollectConfig"]["properties"]["episodes"]
    assert episodes["type"] == "integer" and episodes["description"] == "number of episodes over all splits"
    schedule = deployments["world-model"]["schedules"][0]
    assert schedule["schedule"]["cron"] == "0 3 * * *" and not schedule["active"]


def test_the_parameters_of_prefect_yaml_are_valid() -> None:
    from flows.config import WorldModelConfig
    from pipelines.collect import CollectConfig
    from pipelines.evaluate import EvaluateConfig
    from pipelines.pretrain import PretrainConfig

    models: dict[str, type[BaseModel]] = {
        "world-model": WorldModelConfig,
        "collect": CollectConfig,
        "pretrain": PretrainConfig,
        "evaluate": EvaluateConfig,
    }
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    for deployment in deployments:
        models[deployment["name"]].model_validate(deployment["parameters"]["config"])


@pytest.mark.timeout(900)
def test_a_worker_runs_the_whole_job(prefect: Any, ask: Any, tmp_path: Path) -> None:
    parameters = {"store": str(tmp_path), "config": JOB}
    options = [f"--param={name}={json.dumps(value)}" for name, value in parameters.items()]
    prefect("deployment", "run", "world-model/world-model", *options)
    printed = prefect("worker", "start", "--pool", "local", "--run-once", seconds=800)
    (run,) = [run for run in ask("flow_runs/filter") if run["parameters"]["store"] == str(tmp_path)]
    assert run["state"]["name"] == "Completed", (run["state"]["message"], printed[-5000:])
    tasks = [task["name"].rpartition("-")[0] for task in ask("task_runs/filter", {"sort": "EXPECTED_START_TIME_ASC"})]
    assert tasks == ["collect", "pretrain", "evaluate", "report"]
    left = ask("artifacts/filter", {"limit": 200, "artifacts": {"flow_run_id": {"any_": [run["id"]]}}})
    artifacts = {artifact["key"]: artifact for artifact in left}
    progress = {"collect-d", "pretrain-m", "evaluate-m", "report-m"}
    assert sorted(artifact["key"] for artifact in left) == sorted(
        {"metrics", "report", "dataset-d", "model-m"} | progress
    )
    assert artifacts["pretrain-m"]["type"] == "progress" and artifacts["pretrain-m"]["data"] == 100.0
    rows = json.loads(artifacts["metrics"]["data"])
    assert any("goals reached" in row["figure"] for row in rows)
    report = tmp_path / "reports/m/report.html"
    assert report.exists() and str(report) in artifacts["report"]["data"]


@pytest.mark.timeout(300)
def test_a_wrong_input_is_not_tried_again(prefect: Any, ask: Any, tmp_path: Path) -> None:
    parameters = {"store": str(tmp_path), "config": {"model": "nobody", **LOCAL}}
    options = [f"--param={name}={json.dumps(value)}" for name, value in parameters.items()]
    prefect("deployment", "run", "evaluate/evaluate", *options)
    prefect("worker", "start", "--pool", "local", "--run-once")
    (run,) = [run for run in ask("flow_runs/filter") if run["parameters"]["store"] == str(tmp_path)]
    assert run["state"]["type"] == "FAILED" and "model 'nobody' is not in store" in run["state"]["message"]
    (task,) = ask("task_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
    assert task["run_count"] == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.timeout(600)
def test_a_deployment_imports_the_modules_of_its_job_variables(prefect: Any, ask: Any, tmp_path: Path) -> None:
    name = write_plugin(tmp_path / "modules")
    variables = {"JEPA_IMPORT": name, "PYTHONPATH": str(tmp_path / "modules")}
    config = {"world": "mirrored_room", "name": "d", "episodes": 20, "steps": 6, "image_size": 16, "actors": 2, **LOCAL}
    parameters = {"store": str(tmp_path / "store"), "config": config}
    options = [f"--param={key}={json.dumps(value)}" for key, value in parameters.items()]
    prefect("deployment", "run", "collect/collect", *options, f"--job-variable=env={json.dumps(variables)}")
    printed = prefect("worker", "start", "--pool", "local", "--run-once")
    runs = ask("flow_runs/filter")
    (run,) = [run for run in runs if run["parameters"]["store"] == str(tmp_path / "store")]
    assert run["state"]["name"] == "Completed", (run["state"]["message"], printed[-5000:])
    assert (tmp_path / "store/datasets/d/manifest.json").exists()
