"""`jepa status`: what runs in a store, what is done and what failed, from the logs in the store alone."""

from datetime import UTC, datetime
from typing import Any

from flows.cli.commands.context import Context
from flows.cli.table import table_lines
from infra.storage import Store
from jepa.core.config import Config
from jepa.core.errors import InputError
from pipelines.store.logs import JobStatus, UnitStatus, job_statuses, unit_statuses


class StatusOptions(Config):
    """Which job to show."""

    job: str | None = None
    """job whose units of work are shown, e.g. `collect-d0`, or the name of what it makes; by default all jobs"""


Options = StatusOptions
POSITIONAL = "job"
EXAMPLE = "jepa status\n  jepa status collect-d0   # its units of work, and the traceback of what failed"


def execute(options: StatusOptions, context: Context) -> int:
    """Shows all jobs, or the units of one."""
    store = context.store(writes=False)
    jobs = job_statuses(store, datetime.now(UTC))
    if options.job is None:
        lines = table_lines([_job_row(job) for job in jobs], right=("units", "failed", "retries", "time"))
        context.show({"jobs": [_job_facts(job) for job in jobs]}, lines or [f"no job has run in {store.uri} yet"])
        return 0
    job = find_job(options.job, jobs, store)
    units = unit_statuses(store, job)
    facts = _job_facts(job) | {"units": [unit_facts(unit) for unit in units]}
    context.show(facts, [*_describe(job), "", *_unit_lines(units), *_failure_lines(units)])
    return 0


def find_job(wanted: str, jobs: list[JobStatus], store: Store) -> JobStatus:
    """Returns the job of a folder's name, or of the name of what it makes.

    Raises:
        InputError: there is none, or there are several.
    """
    found = [job for job in jobs if job.job == wanted] or [job for job in jobs if job.record.name == wanted]
    if len(found) == 1:
        return found[0]
    names = ", ".join(sorted(job.job for job in found or jobs)) or "none"
    if found:
        raise InputError(f"job {wanted!r} may be several; choose one of: {names}")
    raise InputError(f"job {wanted!r} has left no log in store {store.uri!r}; choose one of: {names}")


def _job_row(job: JobStatus) -> dict[str, str]:
    record = job.record
    return {
        "job": job.job,
        "status": job.status,
        "units": f"{record.done}/{record.total}",
        "failed": str(record.failed),
        "retries": str(record.retries),
        "started": f"{record.started:%Y-%m-%d %H:%M:%S}",
        "time": _duration(job.seconds),
        "host": record.host,
        "what": _one_line(record.error if job.status in ("failed", "interrupted") else record.progress),
    }


def _describe(job: JobStatus) -> list[str]:
    record = job.record
    lines = [
        f"{job.job}: {job.status} after {_duration(job.seconds)}, started {record.started:%Y-%m-%d %H:%M:%S} UTC",
        f"  {record.done} of {record.total} units done, {record.failed} failed, {record.retries} tried again",
        f"  on {record.host}, process {record.pid}, code {record.code_version}",
    ]
    if job.status == "lost":
        lines.append(
            f"  last heard from at {record.heartbeat:%Y-%m-%d %H:%M:%S} UTC; jepa gc --orphans shows what it left"
        )
    return lines + [f"  {_one_line(text)}" for text in (record.progress, record.error) if text]


def _unit_lines(units: list[UnitStatus]) -> list[str]:
    if not units:
        return ["no unit of work has begun"]
    return table_lines([_unit_row(unit) for unit in units], right=("retries", "time", "peak memory", "process"))


def _unit_row(unit: UnitStatus) -> dict[str, str]:
    record = unit.record
    return {
        "unit": record.name,
        "status": unit.status + (" (earlier run)" if unit.earlier else ""),
        "retries": str(record.retries),
        "time": "" if record.seconds is None else _duration(record.seconds),
        "peak memory": "" if record.peak_memory_mb is None else f"{record.peak_memory_mb:,.0f} MB",
        "host": record.host,
        "process": str(record.pid),
        "messages": str(len(record.messages) or ""),
    }


def _failure_lines(units: list[UnitStatus]) -> list[str]:
    """Returns the tracebacks of the units that failed for good; those of retries are in the units' logs."""
    lines = []
    for unit in units:
        if unit.status != "failed" or not unit.record.failures:
            continue
        last = unit.record.failures[-1]
        where = f"attempt {len(unit.record.failures)}, on {last.host}, process {last.pid}; all in {unit.address}"
        lines += ["", f"{unit.record.name} failed ({where}):", *(last.traceback or last.error).splitlines()]
    return lines


def _job_facts(job: JobStatus) -> dict[str, Any]:
    return {"job": job.job, **job.record.model_dump(mode="json"), "status": job.status, "seconds": job.seconds}


def unit_facts(unit: UnitStatus) -> dict[str, Any]:
    """Returns a unit's log for a program."""
    facts = unit.record.model_dump(mode="json")
    return {**facts, "status": unit.status, "earlier": unit.earlier, "log": unit.address}


def _duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _one_line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 300 else f"{line[:299]}…"
