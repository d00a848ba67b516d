"""The log of a training: the job's own, kept by the driver, and one for each attempt, kept by rank 0.

Ray Train starts its workers again when one is lost, and a user gives the same command again: each time is an attempt,
`logs/pretrain-<model>/attempt-0001.json` and so on. One whose process was killed is found by the next.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from infra.errors import InfraError
from infra.observability.event_log import bound
from infra.storage import Store
from jepa.core.collectives import rank
from pipelines.executor import JobLog, UnitLog, recorded
from pipelines.executor.failure import Failure
from pipelines.pretrain.config import PretrainConfig
from pipelines.store.logs import LogFolder

PREFIX = "attempt-"


@contextmanager
def training_log(store: Store, config: PretrainConfig, dataset: str) -> Iterator[JobLog]:
    """Says in the store that the model is being trained, and how that ended."""
    # The model has no digest before it is committed.
    about = {"dataset": dataset, "model": config.name}
    with JobLog(LogFolder(store, "pretrain", config.name), config, about=about) as log:
        log.add_units(1)
        try:
            yield log
        except Exception:
            log.unit_failed(retried=False)
            raise
        log.unit_done()


@contextmanager
def recorded_attempt(log: UnitLog | None, store: Store, in_worker: bool) -> Iterator[None]:
    """Runs one attempt at a training in the block, and logs it where this process is rank 0.

    Args:
        log: of the training, under any name; None logs nothing.
        store: that the log lies in.
        in_worker: this process does nothing but train.
    """
    if log is None or rank():
        with bound(**(log.context if log is not None else {}), rank=str(rank())):
            yield
        return
    number = _end_earlier(log, LogFolder(store, log.folder.kind, log.folder.name)) + 1
    with recorded(replace(log, name=f"{PREFIX}{number:04d}"), in_worker=in_worker):
        yield


def _end_earlier(log: UnitLog, folder: LogFolder) -> int:
    """Returns how many attempts there were; those that still seem to run cannot, for one process trains at a time."""
    try:
        attempts = [(name, record) for name, record in folder.units() if name.startswith(PREFIX)]
    except InfraError:
        return 0
    for name, record in attempts:
        if record.status == "running":
            lost = Failure.of(InfraError("its process ended without a word"), record.started, record.host, record.pid)
            UnitLog(log.folder, record.run, name).write_failure(lost)
    return len(attempts)
