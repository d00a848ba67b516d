"""A flow run that sees for itself that it is to be cancelled.

Prefect's worker does that for the runs that it started. But it gives up watching after an outage of the server, it may
be gone itself, and a flow that somebody runs without one has none.
"""

import logging
import os
import signal
import threading
import time
from functools import partial
from types import TracebackType
from uuid import UUID

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import StateType
from prefect.runtime import flow_run

from infra.processes.background import BackgroundThread

POLL_SECONDS = 10.0
"""Time between two questions for the state of the run."""
PATIENCE_SECONDS = 30.0
"""What the worker gets to act on a cancellation before we do."""

log = logging.getLogger(__name__)


class CancellationWatch:
    """Sends SIGTERM to this process when its flow run is to be cancelled and nobody else has ended it."""

    def __init__(self) -> None:
        self.acted = False
        """whether the signal was sent"""
        # Of a run that a worker started Prefect says so in this variable.
        self._patience = PATIENCE_SECONDS if "PREFECT__FLOW_RUN_ID" in os.environ else 0.0
        self._over = threading.Event()

    def __enter__(self) -> "CancellationWatch":
        if flow_run.id is not None:
            BackgroundThread(partial(self._watch, UUID(flow_run.id)), "cancellation-watch").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()

    def _watch(self, run: UUID) -> None:
        seen: float | None = None
        while not self._over.wait(POLL_SECONDS if seen is None else 1.0):
            if seen is None and not _is_to_be_cancelled(run):
                continue
            seen = seen or time.monotonic()
            if time.monotonic() - seen >= self._patience and not self._over.is_set():
                self.acted = True
                os.kill(os.getpid(), signal.SIGTERM)
                return


def _is_to_be_cancelled(run: UUID) -> bool:
    """Returns what the server says; False while it does not answer, for outages end."""
    try:
        with get_client(sync_client=True) as client:
            state = client.read_flow_run(run).state
    except Exception as error:
        log.debug("the state of flow run %s cannot be read: %s", run, error)
        return False
    return state is not None and state.type in (StateType.CANCELLING, StateType.CANCELLED)
