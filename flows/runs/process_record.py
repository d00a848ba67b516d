"""What this process says of itself in the store while it works: what it is, what it has started, and that it lives."""

import logging
import os
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra.observability.secrets import without_secrets
from infra.processes.background import LEAVING_SECONDS, BackgroundThread
from infra.processes.descendants import descendants, mark_of
from infra.processes.environment import applied_environment
from infra.processes.identity import this_process
from infra.ray_cluster.work import ray_record
from infra.storage import Store, open_store
from infra.storage.local import LocalStore
from infra.work_log import ProcessRecord, utc_now
from pipelines.store.processes import write_process

HEARTBEAT_SECONDS = 10.0
"""Time between two writes, as of a job's log."""

log = logging.getLogger(__name__)


@contextmanager
def recorded_process(store: str, what: str, flow_run: str = "") -> Iterator[None]:
    """Keeps the record of this process in a store for the time of a block; a store that fails stops nothing.

    Args:
        store: its address.
        what: the process carries out, for people.
        flow_run: id of the Prefect flow run that it is.
    """
    record = _Record(store, what, flow_run)
    with applied_environment(mark_of(record.id)):
        record.start()
        try:
            yield
        except Exception as error:
            record.end("failed", error)
            raise
        except BaseException as error:  # Ctrl-C, a cancellation, an eviction
            record.end("interrupted", error)
            raise
        else:
            record.end("done")


class _Record:
    """The document of this process and the thread that keeps it, so that nothing waits for a store that is silent."""

    def __init__(self, store: str, what: str, flow_run: str) -> None:
        now = utc_now()
        self._uri = store
        self._store: Store | None = None
        self._record = ProcessRecord(
            id=uuid.uuid4().hex,
            what=what,
            status="running",
            process=this_process(),
            user=os.getuid(),
            started=now,
            heartbeat=now,
            flow_run=flow_run,
        )
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = BackgroundThread(self._keep, "process-record")
        self._complained = self._written = False

    @property
    def id(self) -> str:
        return self._record.id

    def start(self) -> None:
        self._thread.start()

    def end(self, status: str, error: BaseException | None = None) -> None:
        text = without_secrets(f"{type(error).__name__}: {error}") if error else ""
        self._change(status=status, ended=utc_now(), error=text)
        self._over.set()
        # A store that has not answered yet has said nothing of this process, and need not say how it ended.
        self._thread.leave(LEAVING_SECONDS if self._written else 1.0)

    def _keep(self) -> None:
        while True:
            over = self._over.is_set()
            self._write()
            if over:
                return
            self._over.wait(HEARTBEAT_SECONDS)

    def _write(self) -> None:
        try:
            self._change(heartbeat=utc_now(), ray=self._record.ray or ray_record(), children=descendants())
            self._store = self._store or open_store(self._uri)
            if isinstance(self._store, LocalStore) and not self._store.root.exists():
                return  # a folder with a typing error, which the run is about to refuse, is not made
            write_process(self._store, self._record)
            self._written = True
        except Exception as error:
            if not self._complained:
                log.debug("the record of this process cannot be written: %s", error)
            self._complained = True

    def _change(self, **fields: Any) -> None:
        with self._lock:
            self._record = self._record.model_copy(update=fields)
