"""Terraform's outputs reach the manifests unchanged."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.kubernetes.render import main, render
from infra.processes.environment import applied_environment
from infra.settings import S3Settings
from tests.infra.kubernetes.conftest import ENVIRONMENTS, OUTPUTS, PARTS, Manifest, pod_templates

VALUES = {name: output["value"] for name, output in json.loads(OUTPUTS.read_text()).items()}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_settings_are_those_that_jepa_reads(manifests: Callable[[str], list[Manifest]], environment: str) -> None:
    """A pod's variables name the bucket and the region that Terraform made, by the names that our code asks for."""
    found = next(m for m in manifests(f"{environment}/platform") if m["metadata"]["name"] == "jepa-settings")
    assert found["data"]["JEPA_STORE"] == VALUES["store_uri"]
    with applied_environment(found["data"]):
        assert S3Settings.from_environment().region == VALUES["region"]


def test_service_accounts_are_those_that_have_roles(manifests: Callable[[str], list[Manifest]]) -> None:
    """Each role's service account exists where Terraform says, and no job's pods use another."""
    accounts = {
        (m["metadata"]["namespace"], m["metadata"]["name"]): m["metadata"].get("annotations", {})
        for m in manifests("dev/platform")
        if m["kind"] == "ServiceAccount"
    }
    for account in VALUES["service_accounts"].values():
        assert accounts[account["namespace"], account["name"]]["jepa-foundry/role-arn"] == account["role_arn"]
    for part in PARTS:
        for manifest in manifests(f"dev/{part}"):
            for where, template in pod_templates(manifest):
                used = (manifest["metadata"]["namespace"], template["spec"]["serviceAccountName"])
                assert used in accounts, f"{manifest['metadata']['name']} {where} uses {used}, which nothing makes"
    for kind in ("collect", "pretrain", "evaluate"):
        (job,) = (m for m in manifests(f"dev/{kind}") if m["kind"] == "RayJob")
        used_by = {template["spec"]["serviceAccountName"] for _, template in pod_templates(job)}
        assert used_by == {VALUES["service_accounts"][kind]["name"]}


@pytest.mark.parametrize("name", ["dev/collect", "dev/pretrain", "prod/platform"])
def test_images_are_those_of_the_registry(manifests: Callable[[str], list[Manifest]], name: str) -> None:
    """No placeholder is left, and pods that ask for a GPU have the image with CUDA."""
    for manifest in manifests(name):
        if not manifest["apiVersion"].startswith("ray.io/"):
            continue
        for where, template in pod_templates(manifest):
            container = template["spec"]["containers"][0]
            kind = "cuda" if "nvidia.com/gpu" in container["resources"]["limits"] else "cpu"
            assert container["image"] == f"{VALUES['image_repository']}:0.1.0-{kind}", where


def test_the_autoscaler_knows_its_cluster(manifests: Callable[[str], list[Manifest]]) -> None:
    """It finds its node groups by the cluster's name, in the namespace that it runs in."""
    found = next(
        m
        for m in manifests("dev/platform")
        if m["kind"] == "ConfigMap" and m["metadata"]["name"] == "cluster-autoscaler"
    )
    assert found["metadata"]["namespace"] == "kube-system"
    assert found["data"]["CLUSTER_NAME"] == VALUES["cluster_name"]


def test_missing_outputs_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One sentence, no trace, exit status 2."""
    path = tmp_path / "outputs.json"
    path.write_text(json.dumps({"region": {"value": "us-east-1"}}))
    assert main(["--environment", "dev", "--version", "1", "--outputs", str(path)]) == 2
    assert "lack store_uri, cluster_name, namespace" in capsys.readouterr().err
    path.write_text("")
    assert main(["--environment", "dev", "--version", "1", "--outputs", str(path)]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_rendering_again_changes_nothing(tmp_path: Path) -> None:
    """The same outputs make the same files."""
    outputs = json.loads(OUTPUTS.read_text())
    first = {path.name + str(i): path.read_text() for i, path in enumerate(render(outputs, "1", tmp_path))}
    assert first == {path.name + str(i): path.read_text() for i, path in enumerate(render(outputs, "1", tmp_path))}
