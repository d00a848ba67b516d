"""The logs of jobs and of their units of work: `logs/<job>/job.json` and `logs/<job>/<unit>.json`.

`pipelines/executor` writes them through a `LogFolder` while the work is done; here they are read, by `jepa status` and
by whoever wants to know what a store has seen. A job's folder is `<kind>-<name>`, e.g. `collect-d0`, and holds the logs
of its newest run and those units of earlier runs that were not done again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple

from pydantic import ValidationError

from infra.processes.pool import ThreadPool
from infra.storage import Store, open_store
from infra.work_log import JOB_FILE, JobRecord, UnitRecord
from pipelines.store.references import check_name

ROOT = "logs"
SUFFIX = ".json"
LOST_AFTER = timedelta(seconds=60)
"""A job that runs renews its document every 10 seconds; clocks of two machines may differ by some."""
READERS = 16
"""Documents that are read at once: each is small, and a request to S3 is mostly waiting."""

Status = Literal["running", "done", "failed", "interrupted", "lost"]


class LogFolder:
    """The logs of one job."""

    def __init__(self, store: Store, kind: str, name: str) -> None:
        """Takes the kind of a job and the name of what it makes; nothing is read or written."""
        self.store, self.kind, self.name = store, kind, check_name(kind, name)

    def __reduce__(self) -> "tuple[Callable[[str, str, str], LogFolder], tuple[str, str, str]]":
        return _folder_in_worker, (self.store.uri, self.kind, self.name)

    def write_job(self, record: JobRecord) -> None:
        """Puts the job's own document."""
        self.store.write(self._path(JOB_FILE), record.model_dump_json(indent=1).encode())

    def write_unit(self, file: str, record: UnitRecord) -> None:
        """Puts the document of a unit of work under a file name without suffix."""
        self.store.write(self._path(file), record.model_dump_json(indent=1).encode())

    def address(self, file: str) -> str:
        """Returns where the document of a unit is, for people."""
        return self.store.address(self._path(file))

    def units(self) -> list[tuple[str, UnitRecord]]:
        """Returns the documents of all units with their file names, in the names' order, those that can be read."""
        folder = self._path("")[: -len(SUFFIX)]
        files = [path.removeprefix(folder).removesuffix(SUFFIX) for path in self.store.list(folder)]

        def read(file: str) -> tuple[str, UnitRecord] | None:
            try:
                return file, UnitRecord.model_validate_json(self.store.read(self._path(file)))
            except (FileNotFoundError, ValidationError):
                return None

        with ThreadPool(READERS, "read-log") as pool:
            found = pool.map(read, [file for file in files if file != JOB_FILE])
        return [unit for unit in found if unit is not None]

    def _path(self, file: str) -> str:
        return f"{ROOT}/{self.kind}-{self.name}/{file}{SUFFIX}"


@lru_cache(maxsize=4)
def _store_in_worker(uri: str) -> Store:
    """Returns the same store each time: with every unit of work comes a folder, and a client of S3 is slow to make."""
    return open_store(uri)


def _folder_in_worker(uri: str, kind: str, name: str) -> LogFolder:
    return LogFolder(_store_in_worker(uri), kind, name)


class JobStatus(NamedTuple):
    """A job as it is now."""

    job: str
    """name of its folder"""
    status: Status
    record: JobRecord
    seconds: float
    """since it began, until it ended or was last heard from"""


class UnitStatus(NamedTuple):
    """A unit of work as it is now."""

    status: Status
    record: UnitRecord
    earlier: bool
    """whether it was done in an earlier run of the job"""
    address: str


def job_statuses(store: Store, now: datetime) -> list[JobStatus]:
    """Returns all jobs that have left a log, the newest first."""
    paths = [path for path in store.list(f"{ROOT}/") if path.endswith(f"/{JOB_FILE}{SUFFIX}")]
    with ThreadPool(READERS, "read-log") as pool:
        found = pool.map(lambda path: job_status(store, path.split("/")[1], now), paths)
    return sorted((job for job in found if job is not None), key=lambda job: job.record.started, reverse=True)


def job_status(store: Store, job: str, now: datetime) -> JobStatus | None:
    """Returns a job by the name of its folder, or None where there is none that can be read."""
    try:
        record = JobRecord.model_validate_json(store.read(f"{ROOT}/{job}/{JOB_FILE}{SUFFIX}"))
    except (FileNotFoundError, ValidationError):
        return None
    status: Status = record.status
    if status == "running" and now - record.heartbeat > LOST_AFTER:
        status = "lost"
    until = record.ended or (record.heartbeat if status == "lost" else now)
    return JobStatus(job, status, record, max(0.0, (until - record.started).total_seconds()))


def unit_statuses(store: Store, job: JobStatus) -> list[UnitStatus]:
    """Returns the units of a job in the order of their names; a log that cannot be read is left out."""
    folder = LogFolder(store, job.record.kind, job.record.name)
    statuses = []
    for file, record in folder.units():
        earlier = record.run != job.record.run
        # A worker that was killed says nothing; neither its job nor a later run of it would let it run on.
        lost = record.status == "running" and (earlier or job.status != "running")
        statuses.append(UnitStatus("lost" if lost else record.status, record, earlier, folder.address(file)))
    return statuses
