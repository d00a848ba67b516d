"""Whether all nodes of a Ray cluster see a store that is a folder: what a worker writes elsewhere would be lost."""

import uuid
from pathlib import Path
from typing import Any

from infra.errors import AddressError
from infra.storage.local import LocalStore
from infra.storage.store import TEMPORARY, Store

ANSWER_SECONDS = 120.0
"""How long nodes have to answer; one that does not is taken to see the folder, and its workers say so themselves."""


def check_seen_by_all_nodes(store: Store) -> None:
    """Passes where the connected cluster can work on a store: any on S3, a folder where every node finds its files.

    Raises:
        AddressError: nodes do not see the folder.
    """
    if not isinstance(store, LocalStore) or len(_nodes()) < 2:
        return
    path = f"{TEMPORARY}seen-{uuid.uuid4().hex}"
    store.write(path, b"seen by all nodes")
    try:
        blind = sorted(node for node, sees in _answers(store.address(path)).items() if not sees)
    finally:
        store.delete(path)
    if blind:
        raise AddressError(
            f"store {store.uri!r} is a folder that {len(blind)} of {len(_nodes())} nodes of the Ray cluster do not see "
            f"({', '.join(blind[:3])}); give s3://bucket/prefix, or a folder that all of them share"
        )


def _nodes() -> list[dict[str, Any]]:
    import ray

    return [node for node in ray.nodes() if node["Alive"]]


def _answers(path: str) -> dict[str, bool]:
    """Returns, by the names of the nodes that answer, whether they find a file."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    @ray.remote(num_cpus=0, max_retries=0)
    def sees() -> bool:
        return Path(path).exists()

    asked = {
        sees.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)).remote(): str(
            node["NodeName"]
        )
        for node in _nodes()
    }
    answered, _ = ray.wait(list(asked), num_returns=len(asked), timeout=ANSWER_SECONDS)
    return {asked[reference]: bool(ray.get(reference)) for reference in answered}
