"""Prefect flow runs that are under way as far as the server knows, while the process that carried them out is gone."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flows.runs.orphans.found import Found, Look, Orphan
from flows.runs.orphans.lives import Life

if TYPE_CHECKING:
    from prefect.client.schemas.objects import FlowRun

AT_ONCE = 100
"""Flow runs that the server is asked for by one request."""


def flow_runs(look: Look) -> Iterable[Found]:
    """Yields the flow runs whose process has ended, unless another one has taken them up."""
    living = {life.record.flow_run for life in look.lives if not life.ended}
    # In the order of their starts, so that the newest process of a flow run is the one that stays.
    wanted = {life.record.flow_run: life for life in look.ended if life.record.flow_run not in ("", *living)}
    if not wanted:
        return
    from prefect.settings import PREFECT_API_URL

    if not PREFECT_API_URL.value():
        open_ones = [life for life in wanted.values() if life.record.status == "running"]
        if open_ones:
            look.leave(f"{len(open_ones)} Prefect flow runs; set PREFECT_API_URL to their server", *open_ones)
        return
    try:
        under_way = _under_way(list(wanted))
    except Exception as error:  # of httpx's and Prefect's many types
        look.leave(f"Prefect flow runs, for the server does not answer: {error}", *wanted.values())
        return
    for run in under_way:
        life = wanted[str(run.id)]
        if not _taken_up(run, life.record.heartbeat):
            name = f"{run.name} ({run.state_name})"
            yield Found(Orphan(kind="flow run", name=name, why=life.why), partial(_end, run, life), life.record.id)


def _under_way(ids: list[str]) -> "list[FlowRun]":
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter
    from prefect.client.schemas.objects import StateType

    states = [StateType.PENDING, StateType.RUNNING, StateType.CANCELLING]
    found = []
    with get_client(sync_client=True) as client:
        for start in range(0, len(ids), AT_ONCE):
            chosen: Any = {"id": {"any_": ids[start : start + AT_ONCE]}, "state": {"type": {"any_": states}}}
            found += client.read_flow_runs(flow_run_filter=FlowRunFilter.model_validate(chosen), limit=AT_ONCE)
    return found


def _taken_up(run: "FlowRun", heartbeat: datetime) -> bool:
    """Returns whether a flow run was started again after its process was last heard from."""
    from prefect.client.schemas.objects import StateType

    state = run.state
    if state is None or state.type == StateType.CANCELLING:
        return False
    return state.timestamp > heartbeat


def _end(run: "FlowRun", life: Life) -> str:
    """Sets the final state, which frees the concurrency slot."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.objects import StateType
    from prefect.states import Cancelled, Crashed

    cancelled = run.state is not None and run.state.type == StateType.CANCELLING
    kind = Cancelled if cancelled else Crashed
    with get_client(sync_client=True) as client:
        client.set_flow_run_state(UUID(str(run.id)), kind(message=f"{life.why} without saying so."), force=True)
    return f"set to {'Cancelled' if cancelled else 'Crashed'}"
