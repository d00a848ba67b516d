"""`jepa logs JOB`: what the units of a job said: warnings, log records, and the traceback of every failed attempt."""

from collections.abc import Iterator
from datetime import UTC, datetime

from flows.cli.commands.context import Context
from flows.cli.commands.store.status import find_job, unit_facts
from jepa.core.config import Config
from jepa.core.errors import InputError
from pipelines.store.logs import UnitStatus, job_statuses, unit_statuses


class LogsOptions(Config):
    """Which job, and which of its units."""

    job: str
    """job as `jepa status` lists it, e.g. `collect-d0`, or the name of what it makes"""
    unit: str | None = None
    """unit of work whose log is shown; by default all that said anything or failed"""


Options = LogsOptions
POSITIONAL = "job"
EXAMPLE = "jepa logs collect-d0\n  jepa logs m0 --unit training"


def execute(options: LogsOptions, context: Context) -> int:
    """Prints the logs in the order in which the units began."""
    store = context.store(writes=False)
    job = find_job(options.job, job_statuses(store, datetime.now(UTC)), store)
    units = sorted(unit_statuses(store, job), key=lambda unit: unit.record.started)
    if options.unit is not None:
        known = ", ".join(unit.record.name for unit in units) or "none has begun"
        units = [unit for unit in units if unit.record.name == options.unit]
        if not units:
            raise InputError(f"job {job.job!r} has no unit {options.unit!r}; choose one of: {known}")
    said = [unit for unit in units if options.unit is not None or unit.record.messages or unit.record.failures]
    lines = [line for unit in said for line in _lines(unit)]
    context.show(
        {"job": job.job, "status": job.status, "units": [unit_facts(unit) for unit in said]},
        lines or [f"{job.job}: {job.status}; none of its {len(units)} units said anything or failed"],
    )
    return 0


def _lines(unit: UnitStatus) -> Iterator[str]:
    record = unit.record
    where = f"{record.host}, process {record.pid}"
    yield f"── {record.name}: {unit.status}, {record.started:%Y-%m-%d %H:%M:%S} UTC, {where}"
    for number, attempt in enumerate(record.failures, 1):
        yield f"attempt {number} failed after {attempt.seconds:g} s on {attempt.host or 'an unknown host'}:"
        yield from (attempt.traceback or attempt.error).splitlines()
    for message in record.messages:
        yield from message.splitlines()
