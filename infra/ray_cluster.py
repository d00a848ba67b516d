"""The Ray that the jobs run on: a local one for the time of the work, or an existing cluster."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra.environment import applied_environment
from infra.errors import InfraError
from infra.plugin_modules import plugin_paths
from infra.settings import RaySettings, worker_environment

LOCAL_ENVIRONMENT = {
    # Loopback only, for minutes, one user: a token would only have to be handed to every worker.
    "RAY_AUTH_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_TRAIN_ENABLE_STATE_TRACKING": "0",
}


@contextmanager
def connect(settings: RaySettings | None = None) -> Iterator[None]:
    """Connects this process to Ray and leaves it as it was found.

    A process that is connected already stays so, before and after. A local Ray is stopped with the block, also by an
    exception or Ctrl-C; an existing cluster is only left.

    Raises:
        InfraError: there is no cluster at the address, or the local Ray did not start.
    """
    import ray

    if ray.is_initialized():
        yield
        return
    settings = settings or RaySettings.from_environment()
    with applied_environment({} if settings.address else LOCAL_ENVIRONMENT):
        try:
            _init(settings)
            yield
        finally:
            ray.shutdown()


def _init(settings: RaySettings) -> None:
    import ray

    options: dict[str, Any] = {
        "runtime_env": {"env_vars": worker_environment(settings.threads)},
        "logging_level": logging.ERROR,
        "log_to_driver": False,
    }
    if settings.address:
        options["address"] = settings.address
        # Processes of a local Ray find what we find; the machines of a cluster get a copy.
        if modules := plugin_paths():
            options["runtime_env"]["py_modules"] = modules
    else:
        options |= {
            # Named, or ray.init would look for a cluster that somebody else runs on this machine.
            "address": "local",
            "num_cpus": settings.num_cpus or os.cpu_count(),
            "object_store_memory": settings.object_store_memory,
            "include_dashboard": True,  # without it Ray Train's clean-up actor loops on the State API
            "dashboard_host": "127.0.0.1",
        }
    try:
        _require_listener(settings.address)
        ray.init(**options)
    except (ConnectionError, OSError, RuntimeError, ValueError) as error:
        if settings.address:
            raise InfraError(
                f"no Ray cluster answers at {settings.address!r}; correct RAY_ADDRESS, or unset it for a local Ray"
            ) from error
        raise InfraError(f"a local Ray did not start: {str(error).splitlines()[0]}") from error


def _require_listener(address: str | None) -> None:
    """Finds out in seconds that nobody listens at `host:port`; Ray itself would try for minutes."""
    host, _, port = (address or "").rpartition(":")
    if host and port.isdigit() and "/" not in host:
        socket.create_connection((host, int(port)), timeout=5).close()
