"""What the manifests promise: no root, a token, limits, tolerations of Terraform's pools, jobs that end."""

import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from infra.kubernetes.render import FOLDER
from pipelines.collect import CollectConfig
from pipelines.evaluate import EvaluateConfig
from pipelines.pretrain import PretrainConfig
from tests.infra.kubernetes.conftest import ENVIRONMENTS, OVERLAYS, Manifest, pod_templates
from tests.tools import ROOT, run_tool

JOBS = ("collect", "pretrain", "evaluate")
CONFIGS: dict[str, Any] = {"collect": CollectConfig, "pretrain": PretrainConfig, "evaluate": EvaluateConfig}
Overlay = Callable[[str], list[Manifest]]
ALLOCATABLE = {"m6i.large": (1.4, 6.3), "m6i.xlarge": (3.4, 13.7)}
"""Cores and GiB of a node for pods, less half a core and 0.8 GiB for what runs on all: network, disks, logs."""
OTHER_PODS = [(0.1, 0.1)] * 2 + [(0.1, 0.5), (0.1, 0.25), (0.1, 0.25), (0.1, 0.25)]
"""Cores and GiB of what others make: DNS, KubeRay's operator, the disks' controllers, the agent of logs."""


def ray_job(manifests: Overlay, name: str) -> Manifest:
    """Returns the one RayJob of an overlay."""
    (job,) = (manifest for manifest in manifests(name) if manifest["kind"] == "RayJob")
    return job


def locked_version(package: str) -> str:
    """Returns the version that the lock file has of a package."""
    found = re.search(rf"^{package}==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("name", OVERLAYS)
def test_every_pod_is_restricted(manifests: Overlay, name: str) -> None:
    """No root, a root file system that nobody writes, seccomp, no capability, requests and limits of memory and CPU."""
    for manifest in manifests(name):
        for where, template in pod_templates(manifest):
            pod, label = template["spec"], f"{manifest['kind']} {manifest['metadata']['name']} {where}"
            assert pod["securityContext"]["runAsNonRoot"] is True, label
            assert pod["securityContext"]["runAsUser"] >= 10001, label
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, label
            for container in pod["containers"] + pod.get("initContainers", []):
                assert container["securityContext"] == {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                }, label
                for bound in ("requests", "limits"):
                    assert {"cpu", "memory"} <= set(container["resources"][bound]), label
                if manifest["apiVersion"].startswith("ray.io/"):  # Ray keeps its sessions there
                    assert {"name": "tmp", "mountPath": "/tmp"} in container["volumeMounts"], label


@pytest.mark.parametrize("name", OVERLAYS)
def test_only_who_asks_the_api_server_gets_a_token(manifests: Overlay, name: str) -> None:
    """Workers, submitters, servers and databases hold no credential of the cluster."""
    asking = {("collect", "head"), ("shared", "head"), ("cluster-autoscaler", "Deployment")}
    for manifest in manifests(name):
        for where, template in pod_templates(manifest):
            key = (manifest["metadata"]["name"], where)
            if key == ("prefect-worker", "Deployment"):
                continue  # its service account says so
            assert template["spec"]["automountServiceAccountToken"] is (key in asking), key


@pytest.mark.parametrize("name", OVERLAYS)
def test_ray_asks_for_its_token_and_is_the_locked_one(manifests: Overlay, name: str) -> None:
    """Token authentication is on everywhere, and the version is that of the lock file, as it is in the image."""
    for manifest in manifests(name):
        cluster = manifest["spec"].get("rayClusterSpec", manifest["spec"]) if "spec" in manifest else {}
        if "headGroupSpec" not in cluster:
            continue
        assert cluster["authOptions"] == {"mode": "token"}
        assert cluster["rayVersion"] == locked_version("ray"), (
            f"{manifest['metadata']['name']} says Ray {cluster['rayVersion']}, but the image has the lock file's "
            f"{locked_version('ray')}: change rayVersion in infra/kubernetes/bases"
        )


def test_prefect_is_the_locked_one(manifests: Overlay) -> None:
    """The server and the worker are of the version that our flows run with."""
    images = [
        template["spec"]["containers"][0]["image"]
        for manifest in manifests("prod/platform")
        for _, template in pod_templates(manifest)
    ]
    found = {re.split("[:-]", image)[1] for image in images if image.startswith("prefecthq/prefect:")}
    assert found == {locked_version("prefect")}


def test_no_password_stands_in_a_manifest(manifests: Overlay) -> None:
    """Passwords come from one secret, also into the jobs that the worker makes of flow runs."""
    variables = [
        variable
        for manifest in manifests("prod/platform")
        for _, template in pod_templates(manifest)
        for container in template["spec"]["containers"]
        for variable in container.get("env", [])
    ]
    secret = {v["name"]: v["valueFrom"]["secretKeyRef"] for v in variables if "valueFrom" in v}
    assert {reference["name"] for reference in secret.values()} == {"prefect"}
    assert {"PREFECT_API_AUTH_STRING", "PREFECT_SERVER_API_AUTH_STRING"} <= set(secret)
    plain = {v["name"]: v["value"] for v in variables if "value" in v}
    worker = "PREFECT_INTEGRATIONS_KUBERNETES_WORKER_API_AUTH_STRING_SECRET_"
    assert (plain[f"{worker}NAME"], plain[f"{worker}KEY"]) == ("prefect", secret["PREFECT_API_AUTH_STRING"]["key"])
    assert not [name for name in plain if name.endswith(("PASSWORD", "AUTH_STRING", "CONNECTION_URL"))]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("kind", JOBS)
def test_a_job_runs_its_command_with_a_valid_configuration(manifests: Overlay, environment: str, kind: str) -> None:
    """The entry point is the command line's, and its file has fields that the command knows, with right values."""
    job = ray_job(manifests, f"{environment}/{kind}")
    assert job["spec"]["entrypoint"] == f"jepa {kind} --config /etc/jepa/job.yaml"
    (config,) = (m for m in manifests(f"{environment}/{kind}") if m["kind"] == "ConfigMap")
    CONFIGS[kind].model_validate(yaml.safe_load(config["data"]["job.yaml"]))
    head = dict(pod_templates(job))["head"]["spec"]
    assert {"name": "job", "configMap": {"name": config["metadata"]["name"]}} in head["volumes"]
    assert {"name": "job", "mountPath": "/etc/jepa", "readOnly": True} in head["containers"][0]["volumeMounts"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("kind", JOBS)
def test_a_job_ends(manifests: Overlay, environment: str, kind: str) -> None:
    """It has a deadline, a bounded number of tries, and takes its cluster with it."""
    spec = ray_job(manifests, f"{environment}/{kind}")["spec"]
    assert spec["shutdownAfterJobFinishes"] is True
    assert spec["activeDeadlineSeconds"] > 0 and spec["ttlSecondsAfterFinished"] >= 0
    assert 1 <= spec["backoffLimit"] <= 5


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_pods_tolerate_the_pools_that_they_select(manifests: Overlay, environment: str) -> None:
    """Pools, their taints and their names are those of Terraform's environment."""
    text = (ROOT / "terraform/environments" / environment / "main.tf").read_text()
    pools = set(re.findall(r"^    (\w+) += \{", text, re.MULTILINE))
    assert {"system", "collect", "gpu"} <= pools
    for part in ("platform", *JOBS):
        for manifest in manifests(f"{environment}/{part}"):
            for where, template in pod_templates(manifest):
                pod = template["spec"]
                pool = pod["nodeSelector"]["jepa-foundry/pool"]
                assert pool in pools, (manifest["metadata"]["name"], where)
                expected = set() if pool == "system" else {("jepa-foundry/pool", pool)}
                if "nvidia.com/gpu" in pod["containers"][0]["resources"]["limits"]:
                    expected.add(("nvidia.com/gpu", "present"))
                assert {(t["key"], t["value"]) for t in pod.get("tolerations", [])} == expected, where


def test_collection_is_autoscaled_and_training_undisturbed(manifests: Overlay) -> None:
    """Spot and an autoscaler for the one; for the other no autoscaler, no eviction, and a worker may be missing."""
    collect, pretrain = ray_job(manifests, "prod/collect"), ray_job(manifests, "prod/pretrain")
    assert collect["spec"]["rayClusterSpec"]["enableInTreeAutoscaling"] is True
    (group,) = collect["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    assert group["minReplicas"] == 0 < group["maxReplicas"]
    assert "enableInTreeAutoscaling" not in pretrain["spec"]["rayClusterSpec"]
    for _, template in pod_templates(pretrain):
        kept = template["metadata"]["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict"]
        assert kept == "false"
    (budget,) = (m for m in manifests("prod/platform") if m["kind"] == "PodDisruptionBudget")
    selected = budget["spec"]["selector"]["matchLabels"].items()
    assert all(selected <= template["metadata"]["labels"].items() for _, template in pod_templates(pretrain))
    (config,) = (m for m in manifests("prod/pretrain") if m["kind"] == "ConfigMap")
    settings = yaml.safe_load(config["data"]["job.yaml"])
    (group,) = pretrain["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    gpus = int(group["template"]["spec"]["containers"][0]["resources"]["limits"]["nvidia.com/gpu"])
    assert 1 <= settings["min_workers"] < settings["workers"] == group["replicas"] * gpus


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_training_has_time_to_checkpoint_before_its_pod_ends(manifests: Overlay, environment: str) -> None:
    """After SIGTERM Ray waits for the training to leave the node, about as long as Kubernetes waits for the pod."""
    template = dict(pod_templates(ray_job(manifests, f"{environment}/pretrain")))["training"]["spec"]
    variables = {one["name"]: one["value"] for one in template["containers"][0]["env"]}
    code = "from ray._private import ray_constants as c; print(c.RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S)"
    waited = float(run_tool(sys.executable, "-c", code, env=variables).stdout)
    assert 3 * PretrainConfig(dataset="d0", name="m0").stop_seconds <= waited
    assert waited + 10 <= template["terminationGracePeriodSeconds"]


def test_production_jobs_wait_in_the_queue(manifests: Overlay) -> None:
    """Each is labelled for the queue and suspended until Kueue admits all of it; the queue and its priorities exist."""
    platform = manifests("prod/platform")
    queues = {m["metadata"]["name"] for m in platform if m["kind"] == "LocalQueue"}
    priorities = {m["metadata"]["name"] for m in platform if m["kind"] == "WorkloadPriorityClass"}
    for kind in JOBS:
        job = ray_job(manifests, f"prod/{kind}")
        assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] in queues
        assert job["metadata"]["labels"]["kueue.x-k8s.io/priority-class"] in priorities
        assert job["spec"]["suspend"] is True
        assert "suspend" not in ray_job(manifests, f"dev/{kind}")["spec"]


def test_a_job_fits_the_quota_of_its_pool(manifests: Overlay) -> None:
    """What a job asks for at its largest is not more than its queue ever gives, or it would wait for ever."""
    (queue,) = (m for m in manifests("prod/platform") if m["kind"] == "ClusterQueue")
    (group,) = queue["spec"]["resourceGroups"]
    quota = {
        (flavor["name"], resource["name"]): _amount(resource["nominalQuota"])
        for flavor in group["flavors"]
        for resource in flavor["resources"]
    }
    for kind in JOBS:
        job = ray_job(manifests, f"prod/{kind}")
        replicas = {g["groupName"]: g["maxReplicas"] for g in job["spec"]["rayClusterSpec"]["workerGroupSpecs"]}
        for where, template in pod_templates(job):
            pool = template["spec"]["nodeSelector"]["jepa-foundry/pool"]
            for name, amount in template["spec"]["containers"][0]["resources"]["requests"].items():
                if name in group["coveredResources"]:
                    assert _amount(amount) * replicas.get(where, 1) <= quota[pool, name], (kind, where, name)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_what_stands_and_a_job_of_each_kind_fit_the_system_pool(manifests: Overlay, environment: str) -> None:
    """Heads and submitters run on its nodes, beside Prefect: with too few of them a job would wait for ever."""
    text = (ROOT / "terraform/environments" / environment / "main.tf").read_text()
    kind, most = re.findall(r'system = \{ instance_types = \["(\S+)"\], minimum = \d+, maximum = (\d+) \}', text)[0]
    nodes = [ALLOCATABLE[kind]] * int(most)
    pods = [asked for part in ("platform", *JOBS) for asked in _on_system_nodes(manifests(f"{environment}/{part}"))]
    assert len(pods) == 11
    for cpu, memory in sorted([*pods, *OTHER_PODS], key=lambda pod: -pod[1]):
        place = next((n for n, (free, room) in enumerate(nodes) if free >= cpu and room >= memory), None)
        assert place is not None, f"no node of the {most} has {cpu:g} cores and {memory:g} GiB left: {nodes}"
        nodes[place] = (nodes[place][0] - cpu, nodes[place][1] - memory)


def test_nothing_talks_unless_a_policy_says_so(manifests: Overlay) -> None:
    """The default is to deny, both ways; and no policy lets in everybody, or a pod out to its node's credentials."""
    policies = {m["metadata"]["name"]: m["spec"] for m in manifests("prod/platform") if m["kind"] == "NetworkPolicy"}
    assert policies["deny-all"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for name, policy in policies.items():
        for rule in policy.get("ingress", []):
            assert rule.get("from"), f"{name} lets in everybody"
        for rule in policy.get("egress", []):
            assert rule.get("to"), f"{name} lets out to everywhere"
            for peer in rule["to"]:
                block = peer.get("ipBlock", {})
                if block.get("cidr") == "0.0.0.0/0":
                    assert any(hole.startswith("169.254.") for hole in block["except"]), name
                    assert rule["ports"] == [{"protocol": "TCP", "port": 443}], name


def test_the_kustomizations_are_all_rendered() -> None:
    """No overlay is left out of these tests."""
    found = {
        str(path.parent.relative_to(FOLDER / "overlays")) for path in FOLDER.glob("overlays/*/*/kustomization.yaml")
    }
    assert found - {name for name in found if "generated" in name} == set(OVERLAYS)


def _on_system_nodes(rendered: list[Manifest]) -> list[tuple[float, float]]:
    """Returns cores and GiB that each pod of the system pool asks for, the autoscaler beside a head included."""
    pods = []
    for manifest in rendered:
        for where, template in pod_templates(manifest):
            if template["spec"]["nodeSelector"]["jepa-foundry/pool"] != "system":
                continue
            asked = [container["resources"]["requests"] for container in template["spec"]["containers"]]
            cluster = manifest["spec"].get("rayClusterSpec", manifest["spec"])
            if where == "head" and cluster.get("enableInTreeAutoscaling"):
                asked.append(cluster["autoscalerOptions"]["resources"]["requests"])
            pods.append((sum(_amount(a["cpu"]) for a in asked), sum(_amount(a["memory"]) for a in asked) / 2**30))
    return pods


def _amount(quantity: str) -> float:
    units = {"m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
    number, unit = re.fullmatch(r"([\d.]+)(\w*)", str(quantity)).groups()  # type: ignore[union-attr]
    return float(number) * units.get(unit, 1)
