"""The Ray that the jobs run on: a local one for the time of the work, or an existing cluster."""

import logging
import os
import re
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra.errors import AddressError
from infra.processes.machine import machine_cores
from infra.progress import announce
from infra.ray_cluster.access import cluster_access, local_access, require_token
from infra.ray_cluster.local import RaySession
from infra.ray_cluster.plugin_modules import plugin_paths
from infra.settings import RaySettings, worker_environment

log = logging.getLogger(__name__)

LONGEST_TMPDIR = 107 - len("/pymp-01234567/listener-01234567")
"""Bytes of a temporary folder in which Ray's dashboard can still make the sockets of its processes."""


GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
"""How a client of gRPC begins (RFC 9113, section 3.4): a preface and empty settings, which servers answer at once."""
ANSWER_SECONDS = 15.0
"""How long a cluster has for that."""
STARTS = 2
"""How often a local Ray is started on a machine that is so busy that Ray gives up on its own first node."""
SLOW_START = "timed out during startup"
"""Ray's words for that."""


class _SlowStartError(AddressError):
    """The first node of a local Ray took too long, which another start may not."""


@contextmanager
def connect(settings: RaySettings | None = None) -> Iterator[None]:
    """Connects this process to Ray and leaves it as it was found.

    A process that is connected already stays so, before and after. A local Ray is stopped with the block, also by an
    exception or Ctrl-C; an existing cluster is only left.

    Raises:
        AddressError: there is no cluster at the address, it refuses us, or the local Ray did not start.
    """
    import ray

    if ray.is_initialized():
        yield
        return
    settings = settings or RaySettings.from_environment()
    for last in (*[False] * (STARTS - 1), True):
        with cluster_access() if settings.address else local_access() as session:
            try:
                with _sigterm_kept():
                    _init(settings, session)
                yield
                return
            except _SlowStartError:
                if last:
                    raise
            finally:
                ray.shutdown()


@contextmanager
def _sigterm_kept() -> Iterator[None]:
    """Puts back the handler of SIGTERM that was there, for Ray sets its own, and Prefect cancels runs by Prefect's.

    Ray's stays where there was none: it ends this process by an exception, so that the local Ray is ended, too.
    """
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if callable(before) and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def _init(settings: RaySettings, session: RaySession | None) -> None:
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
            "num_cpus": settings.num_cpus or machine_cores(),
            "object_store_memory": settings.object_store_memory,
            "include_dashboard": True,  # without it Ray Train's clean-up actor loops on the State API
            "dashboard_host": "127.0.0.1",
            "_temp_dir": str(session.temp_dir) if session else None,
        }
    try:
        if settings.address:
            require_listener(settings.address)
            require_token(settings.address)
            announce(f"connecting to Ray at {settings.address}")
        else:
            _require_short_tmpdir()
            announce(_start_of_ray(options))
        ray.init(**options)
    except AddressError:
        raise
    except Exception as error:  # of many types, and of none where its first node takes longer than 30 s
        if settings.address:
            raise AddressError(_refusal(settings.address, error)) from error
        if SLOW_START in str(error):
            raise _SlowStartError(
                "a local Ray did not start: its first node took longer than Ray's 30 s, and did so again; run the "
                "command when the machine is less busy, or set RAY_ADDRESS to a Ray that runs"
            ) from error
        raise AddressError(_local_refusal(error)) from error


def report_shortage(workers: int, cpus: float, gpus: float = 0.0) -> None:
    """Warns where the connected cluster has less than workers ask for: those that find no room wait until it grows.

    Args:
        workers: at once.
        cpus: of each.
        gpus: of each.
    """
    import ray

    held = ray.cluster_resources()
    wanted = {"CPU": workers * cpus, "GPU": workers * gpus}
    short = [
        f"{amount:g} {name}s and there are {held.get(name, 0.0):g}"
        for name, amount in wanted.items()
        if amount > held.get(name, 0.0) + 1e-6
    ]
    if short:
        log.warning("%d workers ask for %s; those that find no room wait until the cluster grows", workers, short[0])


def _start_of_ray(options: dict[str, Any]) -> str:
    cores = options["num_cpus"]
    return f"starting a local Ray with {cores} worker slot{'s' if cores > 1 else ''}; RAY_ADDRESS names one that runs"


def _refusal(address: str, error: Exception) -> str:
    """Returns what keeps this process from a cluster, and what to do about it."""
    from ray.exceptions import AuthenticationError

    reason = " ".join(str(error).split())
    # Ray tries for 20 s and then says no more than that it could not connect; why stands in what led to that.
    if (refused := re.search(r"InvalidAuthToken: ([^.]*)", f"{error.__cause__} {error.__context__}")) is not None:
        reason = refused[1]
    if isinstance(error, AuthenticationError) or "token" in reason.lower() or "unauthenticated" in reason.lower():
        return (
            f"the Ray cluster at {address!r} refuses our token ({_short(reason)}); set RAY_AUTH_MODE, and "
            "RAY_AUTH_TOKEN or RAY_AUTH_TOKEN_PATH, as the cluster has them"
        )
    if "version mismatch" in reason.lower():
        return (
            f"the Ray cluster at {address!r} runs other versions ({_short(reason)}); install those, or unset "
            "RAY_ADDRESS for a local Ray"
        )
    if isinstance(error, OSError) or "could not find any running ray instance" in reason.lower():
        return f"no Ray cluster answers at {address!r}; correct RAY_ADDRESS, or unset it for a local Ray"
    return f"the Ray cluster at {address!r} cannot be joined ({_short(reason)}); correct that, or unset RAY_ADDRESS"


def _local_refusal(error: Exception) -> str:
    """Returns what keeps a local Ray from starting, and what to do about it."""
    reason = " ".join(str(error).split())
    if "AF_UNIX path" in reason:
        return _long_name(os.environ.get("RAY_TMPDIR") or tempfile.gettempdir())
    return f"a local Ray did not start: {_short(reason)}"


def _require_short_tmpdir() -> None:
    """Finds out at once what Ray says after a minute, in its own lines, when its dashboard has not started."""
    folder = tempfile.gettempdir()
    if len(os.fsencode(folder)) > LONGEST_TMPDIR:
        raise AddressError(_long_name(folder))


def _long_name(folder: str) -> str:
    return (
        f"a local Ray cannot make its sockets in {folder!r}, whose name is too long (they have 107 bytes); set "
        "TMPDIR to a folder with a short name, such as /tmp"
    )


def _short(reason: str) -> str:
    return reason if len(reason) <= 300 else f"{reason[:297]}..."


def require_listener(address: str, seconds: float | None = None) -> None:
    """Finds out in seconds that nobody listens at `host:port`, or says nothing; Ray itself would try for minutes.

    Args:
        address: of a cluster; of one that is not `host:port` nothing is asked.
        seconds: that it has to answer, by default `ANSWER_SECONDS`.

    Raises:
        OSError: nobody answers there.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit() or "/" in host:
        return
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        if os.environ.get("RAY_USE_TLS", "0").lower() not in ("1", "true"):
            connection.settimeout(seconds or ANSWER_SECONDS)
            connection.sendall(GREETING)
            if not connection.recv(1):
                raise ConnectionResetError(f"{address} hangs up")
