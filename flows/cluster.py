"""The Ray that a flow's jobs run on."""

import math
import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from infra.ray_cluster import connect
from infra.settings import RaySettings


def cluster_for(*parts: Any) -> AbstractContextManager[None]:
    """Returns the connection for jobs of these configurations; nothing where all of them run without Ray.

    A local Ray gets at least as many slots as the largest job asks for, which would wait for ever for the others.
    """
    slots = ray_slots(*parts)
    if not slots:
        return nullcontext()
    settings = RaySettings.from_environment()
    if settings.address is None:
        settings = settings.model_copy(update={"num_cpus": max(slots, os.cpu_count() or 1)})
    return connect(settings)


def ray_slots(*parts: Any) -> int:
    """Returns how many cores the parts ask Ray for at once, 0 where none runs on Ray."""
    wanted = [
        math.ceil((getattr(part, "actors", None) or part.workers) * part.cpus)
        for part in parts
        if part.executor == "ray"
    ]
    return max(wanted, default=0)
