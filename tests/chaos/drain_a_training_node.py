"""Trains on a Ray of two nodes, of which one is drained, with no failure allowed.

`python -m tests.chaos.drain_a_training_node STORE`: the store holds dataset `d0`, the model is `drained`.
"""

import logging
import sys
import threading
from typing import Any

from infra.storage import Store, open_store
from pipelines.pretrain import pretrain
from tests.chaos.lose_training_nodes import Warnings, drain, training, training_nodes, wait_for_checkpoint
from tests.pipelines.small_model import checkpoints_of

NAME = "drained"


def main(uri: str) -> None:
    """Prints at which step the training stopped, and which checkpoints there were then."""
    store = open_store(uri)
    with training_nodes(2) as (cluster, nodes):
        warnings = Warnings()
        logging.getLogger("pipelines.pretrain").addHandler(warnings)
        cloud = threading.Thread(target=take_away, args=(cluster, nodes[0], store, warnings), daemon=True)
        cloud.start()
        pretrain(training(NAME, workers=2, min_workers=1, max_failures=0, max_preemption_failures=1), store)
        cloud.join()


def take_away(cluster: Any, node: Any, store: Store, warnings: Warnings) -> None:
    """Drains a node, as a cloud does before it takes it, and takes it when the training has stopped."""
    wait_for_checkpoint(store, 1, name=NAME)
    drain(cluster, node)
    stopped = warnings.step_of_the_stop()
    kept = stopped in checkpoints_of(store, NAME).steps()
    cluster.remove_node(node, allow_graceful=False)
    print(f"stopped at step {stopped}, {'kept' if kept else 'lost'}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
