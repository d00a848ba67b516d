"""Collects on a Ray of several nodes and takes one away in the middle: `python -m tests.chaos.lose_a_node FOLDER`."""

import sys
import threading

from infra.ray_cluster.access import local_access
from infra.storage import open_store
from tests.chaos.slow import collect_slowly, wait_for_shards
from tests.pipelines.small_dataset import small_config
from tests.ray_address import note_address_in


def main(folder: str) -> None:
    """Prints what it did; a process of its own, for a process has one Ray at a time."""
    with local_access() as session:
        import ray
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "object_store_memory": 80_000_000, "temp_dir": str(session.temp_dir)}
        note_address_in(session.temp_dir)
        cluster = Cluster(initialize_head=True, head_node_args=head)
        nodes = [cluster.add_node(num_cpus=1, object_store_memory=80_000_000) for _ in range(2)]
        ray.init(address=cluster.address, log_to_driver=False)
        store = open_store(folder)
        collecting = threading.Thread(
            target=collect_slowly, args=(small_config(executor="ray", actors=2, retries=3), store)
        )
        collecting.start()
        wait_for_shards(store, 2)
        cluster.remove_node(nodes[0], allow_graceful=False)
        print("1 node lost", flush=True)
        collecting.join()
        ray.shutdown()
        cluster.shutdown()


if __name__ == "__main__":
    main(sys.argv[1])
