"""The Ray that a flow's jobs run on."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra.processes.machine import machine_cores
from infra.ray_cluster.connection import connect
from infra.settings import RaySettings
from infra.storage import open_store
from infra.storage.shared import check_seen_by_all_nodes


@contextmanager
def cluster_for(store: str, *parts: Any) -> Iterator[None]:
    """Connects to Ray for jobs of these configurations, for the time of a block, unless all of them run without it.

    A local Ray gets at least as many slots as the largest job asks for, which would wait for ever for the others.

    Raises:
        AddressError: there is no such cluster, it refuses us, or some of its nodes do not see the store.
    """
    slots = ray_slots(*parts)
    if not slots:
        yield
        return
    settings = RaySettings.from_environment()
    if settings.address is None:
        settings = settings.model_copy(update={"num_cpus": max(slots, machine_cores())})
    with connect(settings):
        check_seen_by_all_nodes(open_store(store))
        yield


def ray_slots(*parts: Any) -> int:
    """Returns how many cores the parts ask Ray for at once, 0 where none runs on Ray."""
    wanted = [
        math.ceil((getattr(part, "actors", None) or part.workers) * part.cpus)
        for part in parts
        if part.executor == "ray"
    ]
    return max(wanted, default=0)
