"""`prefect.kubernetes.yaml` and the work pool's template on a real server, and the jobs that become of its runs."""

import json
import os
import subprocess
import urllib.error
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.kubernetes.render import TEMPLATE, render
from tests.conftest import ROOT
from tests.flows.conftest import Ask, Prefect
from tests.infra.kubernetes.conftest import OUTPUTS
from tests.infra.kubernetes.test_base_job_template import job
from tests.infra.kubernetes.test_schemas import kubernetes_version
from tests.tools import run_tool, tool

FILE = ROOT / "prefect.kubernetes.yaml"
ENVIRONMENTS = ("dev", "prod")
KINDS = ("world-model", "nightly", "collect", "pretrain", "fit-heads", "evaluate", "study", "maintenance", "compact")


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of an environment, as they are rendered from Terraform's outputs."""
    folder = tmp_path_factory.mktemp("generated")
    render(json.loads(OUTPUTS.read_text()), "0.1.0", folder)
    return dict(line.split("=", 1) for line in (folder / "deployments.env").read_text().splitlines())


@pytest.fixture(scope="module")
def deployments(prefect: Prefect, ask: Ask, variables: dict[str, str]) -> Iterator[dict[str, dict[str, Any]]]:
    """The deployments of the file, made by the command of its first lines, in a work pool of our template."""
    prefect("work-pool", "create", "kubernetes", "--type", "kubernetes", "--base-job-template", str(TEMPLATE))
    prefect("--no-prompt", "deploy", "--all", "--prefect-file", FILE.name, **variables)
    made = {found["name"]: found for found in ask("deployments/filter") if found["work_pool_name"] == "kubernetes"}
    yield made
    for deployment in made.values():
        ask(f"deployments/{deployment['id']}", method="DELETE")
    ask("work_pools/kubernetes", method="DELETE")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_each_environment_has_all_flows(environment: str) -> None:
    written = yaml.safe_load(FILE.read_text())["deployments"]
    tagged = [one for one in written if environment in one["tags"]]
    assert sorted(one["name"] for one in tagged) == sorted(f"{kind}-{environment}" for kind in KINDS)
    assert all({"jepa", one["name"].removesuffix(f"-{environment}")} <= set(one["tags"]) for one in tagged)


@pytest.mark.parametrize("missing", ["JEPA_STORE", "JEPA_IMAGE"])
def test_nothing_is_deployed_without_its_variables(variables: dict[str, str], missing: str) -> None:
    (step,) = yaml.safe_load(FILE.read_text())["build"]
    ((_, options),) = step.items()
    command = ["sh", "-c", options["script"]]
    path = {"PATH": os.environ["PATH"]}
    assert subprocess.run(command, env=path | variables, check=False).returncode == 0
    lacking = {name: value for name, value in variables.items() if name != missing}
    refused = subprocess.run(command, env=path | lacking, capture_output=True, text=True, check=False)
    assert refused.returncode != 0 and f"{missing}: is not set; make render writes it" in refused.stderr


@pytest.mark.slow
@pytest.mark.prefect
def test_the_server_has_them_with_their_store_and_image(
    deployments: dict[str, dict[str, Any]], variables: dict[str, str]
) -> None:
    assert sorted(deployments) == sorted(f"{kind}-{environment}" for kind in KINDS for environment in ENVIRONMENTS)
    for deployment in deployments.values():
        assert deployment["parameters"]["store"] == variables["JEPA_STORE"]
        assert deployment["job_variables"]["image"].startswith(f"{variables['JEPA_IMAGE']}-c")
        assert deployment["global_concurrency_limit"]["limit"] >= 1
        assert deployment["pull_steps"] in ([], None) and ":" not in deployment["entrypoint"]
        assert not any(schedule["active"] for schedule in deployment["schedules"])


@pytest.mark.slow
@pytest.mark.prefect
def test_their_runs_become_valid_jobs(deployments: dict[str, dict[str, Any]], ask: Ask, tmp_path: Path) -> None:
    validate = tool("kubernetes-validate", "whether the deployments' runs make valid jobs")
    template = ask("work_pools/kubernetes", method="GET")["base_job_template"]
    jobs = []
    for name, deployment in deployments.items():
        manifest = job(template, **deployment["job_variables"])
        manifest["metadata"]["name"] = f"{manifest['metadata'].pop('generateName')}{name}"  # as the API server does
        (container,) = manifest["spec"]["template"]["spec"]["containers"]
        assert (container["resources"]["limits"]["nvidia.com/gpu"] != "0") == container["image"].endswith("-cuda")
        jobs.append(manifest)
    path = tmp_path / "jobs.yaml"
    path.write_text(yaml.safe_dump_all(jobs))
    done = run_tool(validate, "-k", kubernetes_version(), "--strict", "--no-warn", path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.prefect
@pytest.mark.parametrize("wrong", [{"active_deadline_seconds": "tomorrow"}, {"cpu": 4}, {"tolerations": "all"}])
def test_the_server_refuses_wrong_job_variables(
    deployments: dict[str, dict[str, Any]], ask: Ask, wrong: dict[str, Any]
) -> None:
    deployment = deployments["collect-dev"]
    path = f"deployments/{deployment['id']}/create_flow_run"
    run = ask(path, {"job_variables": {"active_deadline_seconds": 600}})
    ask(f"flow_runs/{run['id']}", method="DELETE")
    with pytest.raises(urllib.error.HTTPError) as refused:
        ask(path, {"job_variables": wrong})
    assert refused.value.code in (HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY)


@pytest.mark.slow
@pytest.mark.prefect
def test_the_chains_are_off(deployments: dict[str, dict[str, Any]], ask: Ask) -> None:
    wanted = {f"jepa-chain-{job}-{environment}" for job in ("pretrain", "evaluate") for environment in ENVIRONMENTS}
    assert {found["name"]: found["enabled"] for found in ask("automations/filter") if found["name"] in wanted} == (
        dict.fromkeys(wanted, False)
    )
