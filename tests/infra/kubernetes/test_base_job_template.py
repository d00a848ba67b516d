"""The work pool's template: Prefect takes it, and what it makes of a flow run is a job that Kubernetes takes."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from prefect.server.schemas.actions import WorkPoolCreate
from prefect.utilities.templating import apply_values

from infra.kubernetes.render import TEMPLATE, render
from tests.infra.kubernetes.conftest import ENVIRONMENTS, OUTPUTS, Manifest
from tests.infra.kubernetes.test_schemas import kubernetes_version
from tests.tools import ROOT, run_tool, tool


@pytest.fixture
def template(tmp_path: Path) -> dict[str, Any]:
    """The template as it is rendered for an environment."""
    render(json.loads(OUTPUTS.read_text()), "0.1.0", tmp_path)
    found: dict[str, Any] = json.loads((tmp_path / "platform/base-job-template.json").read_text())
    return found


def job(template: dict[str, Any], **variables: Any) -> dict[str, Any]:
    """Returns the job of a flow run: defaults, then a deployment's variables, then what the worker adds."""
    defaults = {n: p["default"] for n, p in template["variables"]["properties"].items() if "default" in p}
    values = defaults | {"name": "run", "command": ["prefect", "flow-run", "execute"], "labels": {}} | variables
    manifest: dict[str, Any] = apply_values(template["job_configuration"]["job_manifest"], values)
    manifest["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "PREFECT_API_URL", "value": "http://…"}]
    return manifest


def test_prefect_takes_it() -> None:
    """The server refuses a template whose placeholders no variable fills."""
    template = json.loads(TEMPLATE.read_text())
    WorkPoolCreate(name="kubernetes", type="kubernetes", base_job_template=template)
    del template["variables"]["properties"]["active_deadline_seconds"]
    with pytest.raises(ValueError, match="active_deadline_seconds"):
        WorkPoolCreate(name="kubernetes", type="kubernetes", base_job_template=template)


@pytest.mark.parametrize("variables", [{}, {"gpus": "1", "cpu": "14", "node_selector": {"jepa-foundry/pool": "gpu"}}])
def test_the_job_is_valid(template: dict[str, Any], tmp_path: Path, variables: dict[str, Any]) -> None:
    """Kubernetes' own schema accepts what a flow run becomes, with and without GPUs."""
    validate = tool("kubernetes-validate", "whether flow runs make valid jobs")
    path = tmp_path / "job.yaml"
    manifest = job(template, **variables)
    manifest["metadata"]["name"] = f"{manifest['metadata'].pop('generateName')}0"  # as the API server does
    path.write_text(yaml.safe_dump(manifest))
    done = run_tool(validate, "-k", kubernetes_version(), "--strict", "--no-warn", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_job_ends_and_is_cleared_away(template: dict[str, Any]) -> None:
    """It has a deadline, a time to live, and is never started twice by Kubernetes: trying again is Prefect's."""
    spec = job(template, active_deadline_seconds=600)["spec"]
    assert (spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"], spec["backoffLimit"]) == (600, 3600, 0)


def test_the_pod_is_restricted_and_finds_the_store(template: dict[str, Any]) -> None:
    """It runs as the manifests' other pods do, by the role of flow runs, with the settings from Terraform."""
    pod = job(template)["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
    assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    outputs = json.loads(OUTPUTS.read_text())
    assert pod["spec"]["serviceAccountName"] == outputs["service_accounts"]["value"]["flows"]["name"]
    assert container["image"] == f"{outputs['image_repository']['value']}:0.1.0-cpu"
    assert container["envFrom"] == [{"configMapRef": {"name": "jepa-settings"}}]
    assert container["resources"]["requests"]["memory"] == container["resources"]["limits"]["memory"] == "8Gi"
    assert pod["metadata"]["labels"]["jepa-foundry/role"] == "flow"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_maintenance_reaches_the_jobs_of_the_shared_cluster(
    template: dict[str, Any], manifests: Callable[[str], list[Manifest]], environment: str
) -> None:
    """It asks the head of the cluster that the platform has, with the token that KubeRay makes for that cluster."""
    deployments = yaml.safe_load((ROOT / "prefect.kubernetes.yaml").read_text())["deployments"]
    (variables,) = (
        one["work_pool"]["job_variables"] for one in deployments if one["name"] == f"maintenance-{environment}"
    )
    (cluster,) = (m["metadata"]["name"] for m in manifests(f"{environment}/platform") if m["kind"] == "RayCluster")
    pod = job(template, **variables)["spec"]["template"]["spec"]
    (volume,) = (one for one in pod["volumes"] if one.get("secret", {}).get("secretName") == cluster)
    (mount,) = (one for one in pod["containers"][0]["volumeMounts"] if one["name"] == volume["name"])
    assert mount["readOnly"] is True and volume["secret"]["optional"] is True
    assert variables["env"]["RAY_AUTH_TOKEN_PATH"] == f"{mount['mountPath']}/auth_token"
    assert variables["env"]["RAY_API_SERVER_ADDRESS"] == f"http://{cluster}-head-svc:8265"


def test_no_other_flow_run_holds_a_token_of_ray() -> None:
    """Who has the shared cluster's token runs anything there, with the rights of a whole job."""
    deployments = yaml.safe_load((ROOT / "prefect.kubernetes.yaml").read_text())["deployments"]
    holding = [one["name"] for one in deployments if "ray_token_secret" in one["work_pool"]["job_variables"]]
    assert holding == ["maintenance-dev", "maintenance-prod"]
    default = json.loads(TEMPLATE.read_text())["variables"]["properties"]["ray_token_secret"]["default"]
    assert default == "no-ray-token"
