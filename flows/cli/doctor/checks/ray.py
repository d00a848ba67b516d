"""Ray: the cluster that RAY_ADDRESS names, with its versions, token and resources, or what a local Ray needs."""

import os
import platform
from contextlib import ExitStack
from importlib import metadata

from flows.cli.doctor.findings import Asked, Report, Step
from infra.processes.environment import applied_environment
from infra.processes.machine import machine_cores
from infra.ray_cluster.connection import connect, require_listener
from infra.ray_cluster.local import ray_session
from infra.settings import RaySettings

IMPATIENT = {"RAY_gcs_server_port_wait_time_s": "3"}
"""Ray would try to join for longer than a step may take, also where it is refused."""


def check(asked: Asked, report: Report) -> None:
    """Joins the cluster as a job does, and leaves it; a local Ray is not started."""
    settings = RaySettings.from_environment()
    if settings.address is None:
        with report.step("local") as step, ray_session() as session:
            step.ok(
                f"RAY_ADDRESS is not set: commands start a Ray of their own (Ray {metadata.version('ray')}, "
                f"{machine_cores()} slots, in {session.folder.parent})"
            )
        return
    with report.step("address") as step:
        _listens(settings.address, 0.4 * asked.seconds, step)
    if not step.passed:
        report.skip("no cluster answers", "cluster", "resources", "token")
        return
    with ExitStack() as joined, applied_environment(IMPATIENT):
        with report.step("cluster") as step:
            joined.enter_context(connect(settings))
            # Ray itself refuses a cluster of another Ray or Python, and one that does not take our token.
            step.ok(f"joined: Ray {metadata.version('ray')} and Python {platform.python_version()} at both ends")
        if step.passed:
            with report.step("resources") as step:
                _resources(step)
        else:
            report.skip("the cluster cannot be joined", "resources")
    with report.step("token") as step:
        _token(step)


def _listens(address: str, seconds: float, step: Step) -> None:
    try:
        require_listener(address, seconds)
    except OSError as error:
        step.failed(
            f"no Ray cluster answers at {address!r} ({error})", "correct RAY_ADDRESS, or unset it for a local Ray"
        )
    else:
        step.ok(address)


def _resources(step: Step) -> None:
    import ray

    nodes = [node for node in ray.nodes() if node["Alive"]]
    held, free = ray.cluster_resources(), ray.available_resources()
    words = ", ".join(f"{free.get(name, 0.0):g} of {held.get(name, 0.0):g} {name}s free" for name in ("CPU", "GPU"))
    words = f"{len(nodes)} node{'s' if len(nodes) > 1 else ''}, {words}"
    if not held.get("CPU"):
        step.warning(words, "no node offers a CPU: jobs wait until the cluster grows; see `ray status`")
    else:
        step.ok(words)


def _token(step: Step) -> None:
    mode = os.environ.get("RAY_AUTH_MODE") or "token"
    if mode.lower() == "token":
        step.ok("a token is sent (RAY_AUTH_MODE is token)")
    else:
        step.warning(
            f"none is sent (RAY_AUTH_MODE is {mode}): such a cluster runs what anybody sends who reaches its port",
            "start the cluster with RAY_AUTH_MODE=token and put its token into RAY_AUTH_TOKEN",
        )
