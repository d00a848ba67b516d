"""The overlays, rendered as a cluster would get them: outputs of Terraform, then `kubectl kustomize`."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from infra.kubernetes.render import FOLDER, render
from tests.tools import run_tool, tool

OUTPUTS = Path(__file__).with_name("outputs.json")
ENVIRONMENTS = ("dev", "prod")
PARTS = ("platform", "collect", "pretrain", "evaluate")
OVERLAYS = [f"{environment}/{part}" for environment in ENVIRONMENTS for part in PARTS]
POD_PATHS = {
    "Pod": ("spec",),
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
}
Manifest = dict[str, Any]


@pytest.fixture(scope="session")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Gives the file that an overlay renders to; each is rendered once."""
    kubectl = tool("kubectl", "whether the Kubernetes manifests render and are valid")
    folder = tmp_path_factory.mktemp("kubernetes")
    for part in ("bases", "components", "overlays"):
        shutil.copytree(FOLDER / part, folder / part, ignore=shutil.ignore_patterns("generated"))
    outputs = json.loads(OUTPUTS.read_text())
    for environment in ENVIRONMENTS:
        render(outputs, "0.1.0", folder / "overlays" / environment / "generated")

    def rendered(name: str) -> Path:
        path = folder / "rendered" / name / "all.yaml"
        if not path.exists():
            done = run_tool(kubectl, "kustomize", folder / "overlays" / name)
            assert done.returncode == 0, done.stderr
            path.parent.mkdir(parents=True)
            path.write_text(done.stdout)
        return path

    return rendered


@pytest.fixture(scope="session")
def manifests(overlay: Callable[[str], Path]) -> Callable[[str], list[Manifest]]:
    """Gives the objects that an overlay renders to."""
    return lambda name: [found for found in yaml.safe_load_all(overlay(name).read_text()) if found]


def pod_templates(manifest: Manifest) -> list[tuple[str, Manifest]]:
    """Returns the pod templates of an object (metadata and spec), by where they stand in it."""
    kind, spec = manifest["kind"], manifest.get("spec", {})
    if kind in POD_PATHS:
        return [(kind, spec["template"] if kind != "Pod" else manifest)]
    cluster = {"RayCluster": spec, "RayJob": spec.get("rayClusterSpec", {})}.get(kind)
    if cluster is None:
        return []
    found = [("head", cluster["headGroupSpec"]["template"])]
    found += [(group["groupName"], group["template"]) for group in cluster["workerGroupSpecs"]]
    return found + ([("submitter", spec["submitterPodTemplate"])] if kind == "RayJob" else [])
