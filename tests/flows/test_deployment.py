"""The deployments, through a real Prefect server, a process work pool and a worker."""

import json
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from infra.storage import open_store
from pipelines.store import resolve_dataset
from pipelines.store.models.manifest import require_model
from pipelines.store.sealed import sha256
from tests.conftest import ROOT
from tests.flows.cli.plugin import write_plugin
from tests.flows.conftest import Ask, Prefect
from tests.flows.events import kept
from tests.pipelines.store.reports.compaction.stage import in_all_ways, put

pytestmark = [pytest.mark.slow, pytest.mark.prefect]

LOCAL = {"executor": "local"}
JOB = {
    "collect": {"name": "d", "episodes": 40, "steps": 40, "image_size": 32, "test_share": 0.2, "actors": 1, **LOCAL},
    "pretrain": {"dataset": "d", "name": "m", "recipe": "smoke", "workers": 1, **LOCAL},
    "evaluate": {"model": "m", "protocol": "tiny-v1", "workers": 1, **LOCAL},
    "report": {},
}
"""The smallest job, without Ray, which is another test's subject."""


def test_all_deployments_have_forms_tags_and_limits(prefect: Prefect, ask: Ask) -> None:
    deployments = {deployment["name"]: deployment for deployment in ask("deployments/filter")}
    jobs = {"collect", "pretrain", "fit-heads", "evaluate", "study"}
    assert set(deployments) == {"world-model", "nightly", "maintenance", "compact"} | jobs
    for name, deployment in deployments.items():
        assert {"jepa", name} <= set(deployment["tags"]) and deployment["global_concurrency_limit"]["limit"] >= 1
        assert "store" in deployment["parameter_openapi_schema"]["properties"]
    schemas = deployments["world-model"]["parameter_openapi_schema"]["definitions"]
    assert {"WorldModelConfig", "CollectConfig", "PretrainConfig", "EvaluateConfig", "ReportConfig"} <= set(schemas)
    episodes = schemas["CollectConfig"]["properties"]["episodes"]
    assert episodes["type"] == "integer" and episodes["description"] == "number of episodes over all splits"


def test_the_parameters_of_prefect_yaml_are_valid() -> None:
    from flows.compact import CompactConfig
    from flows.maintenance import MaintenanceConfig
    from flows.whole_job.config import WorldModelConfig
    from pipelines.collect import CollectConfig
    from pipelines.evaluate import EvaluateConfig
    from pipelines.heads import FitHeadsConfig
    from pipelines.pretrain import PretrainConfig
    from pipelines.study import StudyConfig

    models: dict[str, type[BaseModel]] = {
        "world-model": WorldModelConfig,
        "nightly": WorldModelConfig,
        "collect": CollectConfig,
        "pretrain": PretrainConfig,
        "fit-heads": FitHeadsConfig,
        "evaluate": EvaluateConfig,
        "study": StudyConfig,
        "maintenance": MaintenanceConfig,
        "compact": CompactConfig,
    }
    deployments = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
    for deployment in deployments:
        models[deployment["name"]].model_validate(deployment["parameters"]["config"])


@pytest.mark.timeout(900)
def test_a_worker_runs_the_whole_job(prefect: Prefect, ask: Ask, tmp_path: Path) -> None:
    parameters = {"store": str(tmp_path), "config": JOB}
    options = [f"--param={name}={json.dumps(value)}" for name, value in parameters.items()]
    prefect("deployment", "run", "world-model/world-model", *options)
    begin_study(prefect, tmp_path / "studied")
    printed = prefect("worker", "start", "--pool", "local", "--run-once", seconds=800)
    (run,) = [run for run in ask("flow_runs/filter") if run["parameters"]["store"] == str(tmp_path)]
    assert run["state"]["name"] == "Completed", (run["state"]["message"], printed[-5000:])
    of_run = {"flow_runs": {"id": {"any_": [run["id"]]}}}
    in_order = ask("task_runs/filter", of_run | {"sort": "EXPECTED_START_TIME_ASC"})
    assert [task["name"].rpartition("-")[0] for task in in_order] == ["collect", "pretrain", "evaluate", "report"]
    left = ask("artifacts/filter", {"limit": 200, "artifacts": {"flow_run_id": {"any_": [run["id"]]}}})
    artifacts = {artifact["key"]: artifact for artifact in left}
    progress = {"collect-d", "pretrain-m", "evaluate-m", "report-m"}
    assert sorted(artifact["key"] for artifact in left) == sorted(
        {"metrics-m", "results-m", "dataset-d", "model-m"} | progress
    )
    assert artifacts["pretrain-m"]["type"] == "progress" and artifacts["pretrain-m"]["data"] == 100.0
    rows = json.loads(artifacts["metrics-m"]["data"])
    (reached, *_) = [row for row in rows if "goals reached" in row["figure"]]
    report, results = tmp_path / "reports/m/report.html", artifacts["results-m"]["data"]
    assert report.exists() and f"`{report}`" in results and reached["value"] in results
    lines = [line["message"] for line in ask("logs/filter", {"logs": {"flow_run_id": {"any_": [run["id"]]}}})]
    shown = [line for line in lines if line.startswith(("collect d: 40/40 episodes", "pretrain m: ", "evaluate m: "))]
    assert sum(line.endswith(", done") for line in shown) == 3, lines
    check_lineage(ask, run["id"], tmp_path)
    check_study(ask, tmp_path / "studied")


def begin_study(prefect: Prefect, store: Path) -> None:
    """Asks for a run of the deployment `study` with two small cells."""
    config = {"study": "generalization", "grid": [{"experiment": "bridge", "rho": [0.5, 0.8]}], "executor": "local"}
    options = [f"--param={name}={json.dumps(value)}" for name, value in (("store", str(store)), ("config", config))]
    prefect("deployment", "run", "study/study", *options)


def check_study(ask: Ask, store: Path) -> None:
    """Passes where the run of a study has ended well, with verdicts on Prefect's page and a page of its own."""
    (run,) = [run for run in ask("flow_runs/filter") if run["parameters"]["store"] == str(store)]
    assert run["state"]["name"] == "Completed", run["state"]["message"]
    left = ask("artifacts/filter", {"limit": 200, "artifacts": {"flow_run_id": {"any_": [run["id"]]}}})
    (claims,) = [json.loads(one["data"]) for one in left if one["key"].startswith("claims-generalization")]
    assert {"held", "not decided"} == {claim["verdict"] for claim in claims}
    (page,) = store.glob("reports/*/report.html")
    assert 'class="verdict-held"' in page.read_text()


def check_lineage(ask: Ask, run: str, folder: Path) -> None:
    """Passes where the server knows what a run made of what: dataset version, model, report, each with its digest."""
    store = open_store(str(folder))
    dataset, model = resolve_dataset(store, "d"), require_model(store, "m").reference
    digests = {
        str(dataset): dataset.digest,
        str(model): model.digest,
        "m": sha256((folder / "reports/m/report.html").read_bytes()),
    }
    made = {one["payload"]["reference"]: one for one in kept(ask, run, "prefect.asset.materialization.succeeded", 3)}
    assert {reference: one["payload"]["digest"] for reference, one in made.items()} == digests
    keys = {reference: one["resource"]["prefect.resource.id"] for reference, one in made.items()}
    upstream = {
        reference: sorted(
            other["prefect.resource.id"] for other in one["related"] if other["prefect.resource.role"] == "asset"
        )
        for reference, one in made.items()
    }
    of_dataset, of_model = keys[str(dataset)], keys[str(model)]
    assert upstream == {str(dataset): [], str(model): [of_dataset], "m": sorted([of_dataset, of_model])}
    said = {one["event"]: one for one in kept(ask, run, "jepa.*", 3)}
    assert set(said) == {"jepa.dataset.committed", "jepa.model.committed", "jepa.report.written"}
    assert said["jepa.model.committed"]["payload"] == made[str(model)]["payload"]


@pytest.mark.timeout(300)
def test_a_worker_takes_the_tables_into_few_files(prefect: Prefect, ask: Ask, tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    for key in "abc":
        put(store, key, 1)
    loose = len(store.list("reports/"))
    prefect("deployment", "run", "compact/compact", f"--param=store={json.dumps(str(tmp_path))}")
    printed = prefect("worker", "start", "--pool", "local", "--run-once")
    (run,) = [run for run in ask("flow_runs/filter") if run["parameters"]["store"] == str(tmp_path)]
    assert run["state"]["name"] == "Completed", (run["state"]["message"], printed[-5000:])
    (left,) = ask("artifacts/filter", {"artifacts": {"flow_run_id": {"any_": [run["id"]]}}})
    assert left["key"] == "compact" and "3 taken in" in left["data"]
    assert len(store.list("reports/")) < loose and in_all_ways(store, [*"abc"]) == dict.fromkeys("abc", 1)


@pytest.mark.timeout(300)
def test_a_wrong_input_is_not_tried_again(prefect: Prefect, ask: Ask, tmp_path: Path) -> None:
    parameters = {"store": str(tmp_path), "config": {"model": "nobody", **LOCAL}}
    options = [f"--param={name}={json.dumps(value)}" for name, value in parameters.items()]
    prefect("deployment", "run", "evaluate/evaluate", *options)
    prefect("worker", "start", "--pool", "local", "--run-once")
    (run,) = [run for run in ask("flow_runs/filter") if run["parameters"]["store"] == str(tmp_path)]
    assert run["state"]["type"] == "FAILED" and "model 'nobody' is not in store" in run["state"]["message"]
    (task,) = ask("task_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
    assert task["run_count"] == 1
    (left,) = open_store(str(tmp_path)).list()
    assert left.startswith("logs/processes/") and '"status": "failed"' in (tmp_path / left).read_text()


@pytest.mark.timeout(300)
def test_a_run_by_day_carries_the_day_in_its_name(prefect: Prefect, ask: Ask, tmp_path: Path) -> None:
    # A world that there is not ends it before any work, and after it has got its name.
    config = JOB | {"collect": {**JOB["collect"], "world": "gymnasium:Nothing-v0"}}
    parameters = {"store": str(tmp_path), "config": config, "by_day": True}
    options = [f"--param={name}={json.dumps(value)}" for name, value in parameters.items()]
    prefect("deployment", "run", "world-model/world-model", *options)
    prefect("worker", "start", "--pool", "local", "--run-once")
    (run,) = [run for run in ask("flow_runs/filter") if run["parameters"]["store"] == str(tmp_path)]
    assert run["state"]["type"] == "FAILED" and "Nothing" in run["state"]["message"]
    day = datetime.fromisoformat(run["expected_start_time"])
    assert run["name"] == f"m-{day:%Y%m%d}"


@pytest.mark.timeout(600)
def test_a_deployment_imports_the_modules_of_its_job_variables(prefect: Prefect, ask: Ask, tmp_path: Path) -> None:
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
