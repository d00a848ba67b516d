"""What all flows have in common: how they end when they are cancelled, what they log, and what they say to a typo."""

import difflib
import functools
import inspect
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ParamSpec, TypeVar
from uuid import UUID

from prefect import Flow, flow
from prefect.client.orchestration import get_client
from prefect.exceptions import Abort, TerminationSignal
from prefect.runtime import flow_run
from prefect.states import Cancelled, Failed

from flows.runs.cancellation import CancellationWatch
from flows.runs.lost_console import survive_lost_console
from flows.runs.process_record import recorded_process
from flows.runs.run_log import lines_in_run_log
from infra.observability.event_log import configure_logging

P = ParamSpec("P")
R = TypeVar("R")


def job(name: str, run_name: str | Callable[[], str]) -> Callable[[Callable[P, R]], Flow[P, R]]:
    """Returns a decorator that makes a flow of a function.

    Args:
        name: of the flow.
        run_name: of its runs; a template over the parameters, or a function.
    """

    def decorate(function: Callable[P, R]) -> Flow[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def run(*arguments: Any, **parameters: Any) -> Any:
            survive_lost_console()
            configure_logging()
            given = signature.bind(*arguments, **parameters)
            given.apply_defaults()
            with lines_in_run_log(), CancellationWatch() as watch:
                try:
                    with _recorded(name, given.arguments.get("store")):
                        return function(*arguments, **parameters)
                except TerminationSignal:
                    if watch.acted:
                        return Cancelled(message="Flow run was cancelled; its worker did not do it.")
                    raise

        _refuse_typos(name, signature)
        return flow(name=name, flow_run_name=run_name, persist_result=False)(run)

    return decorate


def _recorded(name: str, store: str | None) -> AbstractContextManager[None]:
    """Returns what keeps the record of this process in the store of a flow that has one."""
    return nullcontext() if store is None else recorded_process(store, f"flow {name}", flow_run.id or "")


def _refuse_typos(name: str, signature: inspect.Signature) -> None:
    """Ends the run of this flow that the process was started for, if a name among its parameters is not known.

    Prefect itself would end the process before the flow begins, and the page would say `exit code 1`.
    """
    number = os.environ.get("PREFECT__FLOW_RUN_ID")
    if number is None:
        return
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(UUID(number))
        problem = typo(run.parameters, signature)
        if problem is not None and client.read_flow(run.flow_id).name == name:
            client.set_flow_run_state(run.id, Failed(message=problem), force=True)
            raise Abort(problem)


def typo(given: Mapping[str, Any], signature: inspect.Signature) -> str | None:
    """Returns a sentence on the first name that belongs to no parameter, None where each does."""
    for name in given:
        if name not in signature.parameters:
            close = difflib.get_close_matches(name, signature.parameters, 1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            return f"parameter {name!r} is not known; {hint}There are: {', '.join(signature.parameters)}"
    return None
