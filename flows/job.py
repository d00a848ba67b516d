"""What all flows have in common: how they end when they are cancelled, what they log, and what they say to a typo."""

import difflib
import functools
import inspect
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from prefect import Flow, flow
from prefect.exceptions import TerminationSignal
from prefect.states import Cancelled
from prefect.utilities.callables import parameter_schema

from flows.cancellation import CancellationWatch
from flows.lost_console import survive_lost_console
from flows.run_log import lines_in_run_log
from jepa.core.errors import InputError

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
            _check_names(parameters, signature)
            survive_lost_console()
            with lines_in_run_log(), CancellationWatch() as watch:
                try:
                    return function(*arguments, **parameters)
                except TerminationSignal:
                    if watch.acted:
                        return Cancelled(message="Flow run was cancelled; its worker did not do it.")
                    raise

        # Any name is taken, or Prefect would end the process before the flow begins, and the page would say `exit code
        # 1`. The form, which is made of the flow's own signature, shows the true ones.
        anything = inspect.Parameter("others", inspect.Parameter.VAR_KEYWORD, annotation=Any)
        run.__signature__ = signature.replace(parameters=[*signature.parameters.values(), anything])  # type: ignore[attr-defined]
        made = flow(name=name, flow_run_name=run_name, persist_result=False)(run)
        made.__signature__ = signature  # type: ignore[attr-defined]
        made.parameters = parameter_schema(made)
        return cast(Flow[P, R], made)

    return decorate


def _check_names(given: dict[str, Any], signature: inspect.Signature) -> None:
    """Passes where every name belongs to a parameter.

    Raises:
        InputError: one does not; the sentence says which was meant.
    """
    for name in given:
        if name not in signature.parameters:
            close = difflib.get_close_matches(name, signature.parameters, 1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            raise InputError(f"parameter {name!r} is not known; {hint}There are: {', '.join(signature.parameters)}")
