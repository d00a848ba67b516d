"""Who can talk to whom: the rendered network policies, asked about connections that pods need and must not have."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from infra.kubernetes.render import TEMPLATE
from tests.infra.kubernetes.conftest import ENVIRONMENTS, PARTS, Manifest, pod_templates

DNS, S3, API_SERVER, SLACK = "kube-dns", "52.216.0.1", "10.64.0.9", "3.68.0.1"
POD_ROLES, NODE_ROLES = "169.254.170.23", "169.254.169.254"
"""Who gives a pod its own role, and who would give it the role of its node."""
KINDS = ("collect", "pretrain", "evaluate")


@dataclass(frozen=True)
class Peer:
    """One end of a connection: a pod of a namespace, or an address outside the cluster."""

    labels: Mapping[str, str] = field(default_factory=dict)
    namespace: str = "jepa"
    address: str = "10.64.1.1"


OUTSIDE = {name: Peer(namespace="", address=name) for name in (S3, API_SERVER, SLACK, POD_ROLES, NODE_ROLES)}
OTHERS = {
    DNS: Peer({"k8s-app": "kube-dns"}, "kube-system"),
    "operator": Peer(namespace="kuberay-system"),
    "prometheus": Peer(namespace="monitoring"),
    "stranger": Peer(namespace="default"),
}


@dataclass(frozen=True)
class Network:
    """The pods of an environment by name, who else there is, and the policies between them."""

    peers: Mapping[str, Peer]
    policies: list[dict[str, Any]]

    def connects(self, source: str, target: str, port: int, protocol: str = "TCP") -> bool:
        """Returns whether the one's policies let it out, and the other's let it in."""
        end = {"protocol": protocol, "port": port}
        return self._passes("egress", "to", self.peers[source], self.peers[target], end) and self._passes(
            "ingress", "from", self.peers[target], self.peers[source], end
        )

    def _passes(self, way: str, side: str, pod: Peer, other: Peer, end: dict[str, Any]) -> bool:
        if pod.namespace != "jepa":
            return True  # no policy of ours reaches there
        chosen = [p for p in self.policies if _selects(p["podSelector"], pod) and way.capitalize() in p["policyTypes"]]
        rules = [rule for policy in chosen for rule in policy.get(way, [])]
        return not chosen or any(
            any(_is_peer(one, other) for one in rule[side]) and end in rule.get("ports", [end]) for rule in rules
        )


def _selects(selector: dict[str, Any], pod: Peer) -> bool:
    assert set(selector) <= {"matchLabels"}
    wanted: dict[str, str] = selector.get("matchLabels", {})
    return wanted.items() <= dict(pod.labels).items()


def _is_peer(one: dict[str, Any], other: Peer) -> bool:
    if block := one.get("ipBlock"):
        address = ip_address(other.address)
        holes = (ip_network(hole) for hole in block.get("except", ()))
        return address in ip_network(block["cidr"]) and not any(address in hole for hole in holes)
    if not other.namespace:
        return False
    space = one.get("namespaceSelector", {"matchLabels": {"kubernetes.io/metadata.name": "jepa"}})
    there = Peer({"kubernetes.io/metadata.name": other.namespace})
    return _selects(space, there) and _selects(one.get("podSelector", {}), other)


@pytest.fixture(params=ENVIRONMENTS)
def network(manifests: Callable[[str], list[Manifest]], request: pytest.FixtureRequest) -> Network:
    """All pods of an environment, with the labels that KubeRay adds to its own, a flow run, and what surrounds them."""
    found = [manifest for part in PARTS for manifest in manifests(f"{request.param}/{part}")]
    pods = {}
    for manifest in found:
        if manifest["metadata"].get("namespace") != "jepa":
            continue
        for where, template in pod_templates(manifest):
            labels = dict(template["metadata"]["labels"])
            name = manifest["metadata"]["name"]
            if manifest["apiVersion"].startswith("ray.io/"):
                role = {"head": "head", "submitter": "submitter"}.get(where, "worker")
                if role != "submitter":
                    labels |= {"ray.io/is-ray-node": "yes", "ray.io/node-type": role}
                name = f"{name} {role}"
            pods[name] = Peer(labels)
    flow = json.loads(TEMPLATE.read_text())["job_configuration"]["job_manifest"]["spec"]["template"]["metadata"]
    pods["flow"] = Peer(flow["labels"])
    policies = [manifest["spec"] for manifest in found if manifest["kind"] == "NetworkPolicy"]
    return Network(pods | OUTSIDE | OTHERS, policies)


def test_every_pod_finds_names_and_none_its_nodes_role(network: Network) -> None:
    pods = [name for name, peer in network.peers.items() if peer.namespace == "jepa"]
    assert len(pods) >= 15
    for pod in pods:
        assert network.connects(pod, DNS, 53, "UDP") and network.connects(pod, DNS, 53), pod
        assert not network.connects(pod, NODE_ROLES, 80), pod
        assert not network.connects("stranger", pod, 4200) and not network.connects("stranger", pod, 8265), pod


@pytest.mark.parametrize("kind", [*KINDS, "shared"])
def test_a_ray_cluster_works_and_reaches_the_store(network: Network, kind: str) -> None:
    """Ray's own ports, most of them chosen at random; the store with the pod's role; who submits, operates, scrapes."""
    head, worker = f"{kind} head", f"{kind} worker"
    for source, target in ((worker, head), (head, worker), (worker, worker)):
        assert all(network.connects(source, target, port) for port in (6379, 10002, 47011)), (source, target)
    for pod in (head, worker):
        assert network.connects(pod, S3, 443) and network.connects(pod, POD_ROLES, 80), pod
        assert network.connects("prometheus", pod, 8080), pod
        assert not network.connects("operator", pod, 6379), pod
    assert network.connects(head, API_SERVER, 443)
    assert network.connects("operator", head, 8265)
    assert network.connects("flow" if kind == "shared" else f"{kind} submitter", head, 8265)


def test_prefect_works_and_its_server_sends_notifications(network: Network) -> None:
    """From a worker and a flow run to the server, its database, and the services that tell people of a failed run."""
    for pod in ("prefect-worker", "flow"):
        assert network.connects(pod, "prefect-server", 4200), pod
    assert network.connects("prefect-worker", API_SERVER, 443)
    assert network.connects("flow", S3, 443) and network.connects("flow", POD_ROLES, 80)
    assert network.connects("prefect-server", "postgres", 5432)
    assert network.connects("prefect-server", SLACK, 443)


def test_nobody_else_talks_to_anybody(network: Network) -> None:
    """The pods of one kind of job not to those of another, the database to nobody, and of Ray's nobody to Prefect."""
    rays = [name for name in network.peers if name.partition(" ")[0] in (*KINDS, "shared")]
    assert len(rays) == 11
    for one in rays:
        strange = [other for other in rays if other.partition(" ")[0] != one.partition(" ")[0]]
        assert not any(network.connects(one, other, port) for other in strange for port in (6379, 8265)), one
        assert not network.connects(one, "prefect-server", 4200) and not network.connects(one, "postgres", 5432), one
        assert not network.connects("flow", one, 6379), one
    for pod in ("flow", "prefect-worker"):
        assert not network.connects(pod, "postgres", 5432), pod
    assert not network.connects("postgres", S3, 443)
    assert not any(network.connects("flow", f"{kind} head", 8265) for kind in KINDS)
