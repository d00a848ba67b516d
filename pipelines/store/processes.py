"""The processes that work on a store, each with what it has started: `logs/processes/<id>.json`.

A job's document is named after what the job makes and is replaced by its next run; that of a process that was killed
stays until somebody has ended what it left (`jepa gc --orphans`).
"""

from collections.abc import Iterator

from pydantic import ValidationError

from infra.processes.pool import ThreadPool
from infra.storage import Store
from infra.work_log import ProcessRecord
from pipelines.store.logs import READERS
from pipelines.store.logs import ROOT as LOGS

ROOT = f"{LOGS}/processes"


def write_process(store: Store, record: ProcessRecord) -> None:
    """Puts the document of a process."""
    store.write(f"{ROOT}/{record.id}.json", record.model_dump_json(indent=1).encode())


def process_records(store: Store) -> list[ProcessRecord]:
    """Returns the processes that a store knows, in the order of their starts, those that can be read."""

    def read(path: str) -> ProcessRecord | None:
        try:
            record = ProcessRecord.model_validate_json(store.read(path))
        except (FileNotFoundError, ValidationError):
            return None
        return record if path == f"{ROOT}/{record.id}.json" else None

    with ThreadPool(READERS, "read-process") as pool:
        found = list(pool.map(read, store.list(f"{ROOT}/")))
    return sorted((record for record in found if record is not None), key=lambda record: record.started)


def ended_records(store: Store) -> Iterator[str]:
    """Yields the paths of the documents of processes that have said how they ended, or were found to have ended."""
    for record in process_records(store):
        if record.status != "running":
            yield f"{ROOT}/{record.id}.json"
