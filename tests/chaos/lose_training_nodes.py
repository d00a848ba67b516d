"""Trains on a Ray of three nodes, of which one is drained and one dies.

`python -m tests.chaos.lose_training_nodes STORE`: the store holds dataset `d0`, the model is `lost`, and a line is
printed for each event.
"""

import logging
import queue
import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra.processes.environment import applied_environment
from infra.ray_cluster.access import local_access
from infra.settings import worker_environment
from infra.storage import Store, open_store
from pipelines.pretrain import PretrainConfig, pretrain
from tests.pipelines.small_model import checkpoints_of
from tests.ray_address import note_address_in

STEPS = 300


def training(name: str, **changes: Any) -> PretrainConfig:
    """Returns the training that is disturbed, and in one process the one to compare it with."""
    fields = {"dataset": "d0", "name": name, "recipe": "smoke", "device": "cpu", "steps": STEPS, "precision": "fp64"}
    return PretrainConfig.model_validate(fields | changes)


@contextmanager
def training_nodes(count: int) -> Iterator[tuple[Any, list[Any]]]:
    """Connects to a cluster with so many nodes of one core beside the head; yields it and them."""
    with applied_environment({"RAY_TRAIN_PREEMPTION_POLL_INTERVAL_S": "0.5"}), local_access() as session:
        import ray
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "object_store_memory": 80_000_000, "_system_config": {"health_check_period_ms": 1000}}
        head["temp_dir"] = str(session.temp_dir)
        note_address_in(session.temp_dir)
        cluster = Cluster(initialize_head=True, head_node_args=head)
        nodes = [cluster.add_node(num_cpus=1, object_store_memory=80_000_000) for _ in range(count)]
        cluster.wait_for_nodes()  # or an elastic training begins with those that there are
        ray.init(address=cluster.address, log_to_driver=False, runtime_env={"env_vars": worker_environment(threads=1)})
        yield cluster, nodes
        ray.shutdown()
        cluster.shutdown()


def main(uri: str) -> None:
    """A process of its own, for a process has one Ray at a time."""
    with training_nodes(3) as (cluster, nodes):
        store = open_store(uri)
        vandal = threading.Thread(target=disturb, args=(cluster, nodes, store), daemon=True)
        vandal.start()
        pretrain(training("lost", workers=3, min_workers=1), store)
        vandal.join()


def disturb(cluster: Any, nodes: list[Any], store: Store) -> None:
    """Drains the first node as a cloud does before it takes it, and kills the second without a word."""
    warnings = Warnings()
    logging.getLogger("pipelines.pretrain").addHandler(warnings)
    wait_for_checkpoint(store, 1)
    drain(cluster, nodes[0])
    stopped = warnings.step_of_the_stop()
    cluster.remove_node(nodes[0], allow_graceful=False)
    print(f"stopped at step {stopped}", flush=True)
    wait_for_checkpoint(store, stopped + 40)
    cluster.remove_node(nodes[1], allow_graceful=False)
    print("a node died", flush=True)


def drain(cluster: Any, node: Any, seconds: int = 60) -> None:
    """Announces that a node will be taken away."""
    from ray._raylet import GcsClient  # type: ignore[attr-defined] # compiled, and not in its stub
    from ray.core.generated import autoscaler_pb2

    reasons = autoscaler_pb2.DrainNodeReason  # type: ignore[attr-defined] # made when it is imported
    reason = reasons.Value("DRAIN_NODE_REASON_PREEMPTION")
    deadline = time.time_ns() // 1_000_000 + 1000 * seconds
    accepted, why = GcsClient(address=cluster.address).drain_node(node.node_id, reason, "taken away", deadline)
    assert accepted, why


class Warnings(logging.Handler):
    """Hears the line by which the driver says that its workers were preempted."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: queue.Queue[int] = queue.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        if match := re.search(r"was preempted at step (\d+)", record.getMessage()):
            self._steps.put(int(match[1]))

    def step_of_the_stop(self) -> int:
        return self._steps.get(timeout=180)


def wait_for_checkpoint(store: Store, step: int, seconds: float = 180, name: str = "lost") -> None:
    """Returns when there is a checkpoint of this step or a later one."""
    deadline = time.monotonic() + seconds
    while max(checkpoints_of(store, name).steps(), default=0) < step:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no checkpoint of step {step} within {seconds} s")
        time.sleep(0.02)


if __name__ == "__main__":
    main(sys.argv[1])
