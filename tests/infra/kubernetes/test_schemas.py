"""Every object of every overlay is valid by its schema: Kubernetes' own, and KubeRay's and Kueue's if at hand."""

import copy
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.infra.kubernetes.conftest import OVERLAYS, Manifest
from tests.infra.kubernetes.schemas import load, problems
from tests.tools import ROOT, run_tool, tool

CUSTOM = {"ray.io/v1": "KUBERAY_SCHEMAS", "kueue.x-k8s.io/v1beta2": "KUEUE_SCHEMAS"}
"""API groups that are not Kubernetes' own, with the variable that names the folder of their schemas."""


def kubernetes_version() -> str:
    """Returns the version of Kubernetes that Terraform asks for."""
    text = (ROOT / "terraform/modules/cluster/variables.tf").read_text()
    found = re.search(r'variable "kubernetes_version" \{.*?default\s+= "([\d.]+)"', text, re.DOTALL)
    assert found is not None
    return found[1]


def schemas(variable: str) -> dict[tuple[str, str], Any]:
    """Returns the schemas of the folder that a variable names, or that lies beside the project; else skips the test."""
    beside = sorted((ROOT.parent / "shared/data").glob(f"{variable.removesuffix('_SCHEMAS').lower()}-*"))
    folder = os.environ.get(variable) or (beside[-1] if beside else None)
    if folder is None:
        pytest.skip(f"{variable} names no folder with schemas, so nobody has checked the objects that are theirs")
    return load(Path(folder))


@pytest.mark.parametrize("name", OVERLAYS)
def test_kubernetes_own_objects_are_valid(
    manifests: Callable[[str], list[Manifest]], tmp_path: Path, name: str
) -> None:
    """`kubernetes-validate --strict` accepts them: right types, no field that Kubernetes does not know."""
    validate = tool("kubernetes-validate", "whether the manifests are valid for Kubernetes")
    path = tmp_path / "core.yaml"
    path.write_text(yaml.safe_dump_all(m for m in manifests(name) if m["apiVersion"] not in CUSTOM))
    done = run_tool(validate, "-k", kubernetes_version(), "--strict", "--no-warn", path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_unknown_field_of_kubernetes_is_refused(tmp_path: Path) -> None:
    """The validation above can fail."""
    validate = tool("kubernetes-validate", "whether the manifests are valid for Kubernetes")
    path = tmp_path / "wrong.yaml"
    path.write_text("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a}\nautomountServiceAccountTokens: false\n")
    assert run_tool(validate, "-k", kubernetes_version(), "--strict", path).returncode != 0


@pytest.mark.parametrize("api", CUSTOM)
@pytest.mark.parametrize("name", OVERLAYS)
def test_custom_resources_are_valid(manifests: Callable[[str], list[Manifest]], name: str, api: str) -> None:
    """They fit the schemas of their definitions, with unknown fields refused."""
    objects = [manifest for manifest in manifests(name) if manifest["apiVersion"] == api]
    if not objects:
        return
    known = schemas(CUSTOM[api])
    wrong = {m["metadata"]["name"]: problems(known[api, m["kind"]], m) for m in objects}
    assert {name: found for name, found in wrong.items() if found} == {}


def test_a_misspelt_field_of_kuberay_is_refused(manifests: Callable[[str], list[Manifest]]) -> None:
    """The validation above can fail, deep inside a pod template too."""
    known = schemas("KUBERAY_SCHEMAS")
    job = next(m for m in manifests("dev/pretrain") if m["kind"] == "RayJob")
    for path in ((), ("rayClusterSpec",), ("rayClusterSpec", "headGroupSpec", "template", "spec", "containers", 0)):
        wrong = copy.deepcopy(job)
        at: Any = wrong["spec"]
        for step in path:
            at = at[step]
        at["misspelt"] = True
        assert ["misspelt" in problem for problem in problems(known["ray.io/v1", "RayJob"], wrong)] == [True]
