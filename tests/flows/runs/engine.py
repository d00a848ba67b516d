"""The process of a worker's flow run, and what the server says of it."""

from typing import Any

import psutil

from tests.flows.conftest import Ask, wait_for


def state_of(ask: Ask, run: str) -> str:
    """Returns the name of a flow run's state."""
    return str(ask(f"flow_runs/{run}", method="GET")["state"]["name"])


def set_state(ask: Ask, run: str, kind: str) -> str:
    """Proposes a state for a flow run, as a worker or the page does, and returns what the server answers."""
    return str(ask(f"flow_runs/{run}/set_state", {"state": {"type": kind}})["status"])


def engine_of(worker: Any) -> psutil.Process:
    """Returns the process of the worker's flow run, as soon as there is one."""

    def look() -> list[psutil.Process]:
        children = psutil.Process(worker.pid).children()
        return [child for child in children if _command(child)[1:3] == ["-m", "prefect.engine"]]

    (engine,) = wait_for(look, "the process of the flow run", 120)
    found: psutil.Process = engine
    return found


def gone_after(process: psutil.Process, seconds: float) -> bool:
    """Returns whether a process ends within some seconds."""
    try:
        process.wait(seconds)
    except psutil.TimeoutExpired:
        return False
    return True


def _command(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []
