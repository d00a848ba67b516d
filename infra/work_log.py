"""What a job and its units of work leave in the store about themselves: who did what, where, how long, and what failed.

These are the documents alone. `pipelines/executor` fills them in while the work is done, `flows/runs/process_record.py`
does for whole processes; `pipelines/store/logs.py` and `processes.py` know where they lie. All times are UTC.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

from infra.processes.identity import ProcessIdentity

JOB_FILE = "job"
"""Name of a job's own document, without suffix; no unit's is called so."""

UnitStatus = Literal["running", "done", "failed", "interrupted"]
JobStatus = Literal["running", "done", "failed", "interrupted"]
ProcessStatus = Literal["running", "done", "failed", "interrupted", "lost"]


class _Document(BaseModel):
    # What later code adds is no error: old and new programs look at one store.
    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class FailedAttempt(_Document):
    """One attempt at a unit of work that failed."""

    host: str = ""
    pid: int = 0
    started: datetime
    seconds: float
    error: str
    """type and message of the exception"""
    traceback: str = ""
    """the whole of it; empty where the worker died and could not say"""


class UnitRecord(_Document):
    """The newest attempt at a unit of work, with the failures of those before it."""

    name: str
    run: str
    """of the job, as its `JobRecord` has it: units of an earlier run keep their logs"""
    status: UnitStatus
    host: str
    pid: int
    started: datetime
    seconds: float | None = None
    peak_memory_mb: float | None = None
    """largest resident set of the process; in a worker since the unit began, elsewhere since the process began"""
    retries: int = 0
    messages: tuple[str, ...] = ()
    """warnings and log records of the attempt"""
    failures: tuple[FailedAttempt, ...] = ()
    """all failed attempts of the run, the newest last"""


class JobRecord(_Document):
    """One run of a job; a run that ended without saying so has an old heartbeat."""

    kind: str
    """`collect`, `evaluate`, `pretrain` …"""
    name: str
    """of the dataset, the model or the run that it makes"""
    run: str
    """a random id"""
    status: JobStatus
    config: Mapping[str, Any]
    total: int = 0
    """units of work"""
    done: int = 0
    failed: int = 0
    retries: int = 0
    progress: str = ""
    """the newest line that people were shown"""
    error: str = ""
    host: str
    pid: int
    started: datetime
    heartbeat: datetime
    ended: datetime | None = None
    code_version: str


class RayRecord(_Document):
    """The Ray that a process works on."""

    cluster: str
    """name of Ray's session, which no two clusters share"""
    address: str
    job: str
    """number that the cluster gave this driver"""
    namespace: str
    submission: str = ""
    """id of the submitted job that the driver is a part of"""
    folder: str = ""
    """private folder of a local Ray"""


class ProcessRecord(_Document):
    """A process that works on a store, and what it has started: enough to end that once the process is gone."""

    id: str
    """random; the environment of everything that the process starts holds it, see `infra.processes.descendants`"""
    what: str
    """`flow world-model`, `command collect` …"""
    status: ProcessStatus
    process: ProcessIdentity
    user: int
    """number of the user that the process belongs to"""
    started: datetime
    heartbeat: datetime
    ended: datetime | None = None
    error: str = ""
    flow_run: str = ""
    """id of the Prefect flow run that the process carries out"""
    ray: RayRecord | None = None
    children: tuple[ProcessIdentity, ...] = ()
    """descendants at the time of the heartbeat"""


class LogFolder(Protocol):
    """The place of one job's log; workers hold it, so it pickles."""

    @property
    def kind(self) -> str:
        """`collect`, `evaluate`, `pretrain` …"""
        ...

    @property
    def name(self) -> str:
        """The name of what the job makes."""
        ...

    def write_job(self, record: JobRecord) -> None:
        """Puts the job's own document."""
        ...

    def write_unit(self, file: str, record: UnitRecord) -> None:
        """Puts the document of a unit of work under a file name without suffix."""
        ...

    def address(self, file: str) -> str:
        """Returns where the document of a unit is, for people."""
        ...


def utc_now() -> datetime:
    """Returns the time in UTC, to the millisecond."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
