"""Submitted jobs on an existing Ray cluster whose driver is silent.

Of a driver that is gone Ray itself ends what it has started. A submitted job goes on as long as its command does not
return, whatever has become of the driver in it.
"""

import os
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from flows.runs.orphans.found import Found, Look, Orphan
from infra.errors import InfraError
from infra.settings import RaySettings

if TYPE_CHECKING:
    from infra.ray_cluster.jobs import SubmittedJobs


def ray_jobs(look: Look) -> Iterable[Found]:
    """Yields the submitted jobs that the store records as ours, that run, and whose driver has been silent for long."""
    at_work = {life.record.ray.submission for life in look.lives if life.record.ray and not life.ended}
    # One that said how it ended may be followed by another command of the same job.
    lives = [life for life in look.ended if life.record.status in ("running", "lost")]
    silent = [life for life in lives if life.quiet > look.silent_after]
    found = {life.record.ray.submission: life for life in silent if life.record.ray}
    wanted = {job: life for job, life in found.items() if job not in ("", *at_work)}
    if not wanted:
        return
    from infra.ray_cluster.jobs import ADDRESS, SubmittedJobs

    # The address is ours, and none that a document names: whoever answers there gets our token.
    address = os.environ.get(ADDRESS) or RaySettings.from_environment().address
    if address is None:
        open_ones = [life for life in wanted.values() if life.record.status == "running"]
        if open_ones:
            names = ", ".join(sorted(wanted))
            look.leave(f"submitted Ray jobs ({names}); set {ADDRESS} or RAY_ADDRESS to their cluster", *open_ones)
        return
    try:
        jobs = SubmittedJobs(address)
    except InfraError as error:
        look.leave(f"submitted Ray jobs: {error}", *wanted.values())
        return
    for name, life in sorted(wanted.items()):
        assert life.record.ray is not None
        try:
            runs = life.record.ray.cluster == jobs.cluster and jobs.runs(name)
        except InfraError as error:
            look.leave(f"submitted Ray job {name}: {error}", life)
            continue
        if runs:
            yield Found(Orphan(kind="ray job", name=name, why=life.why), partial(_stop, jobs, name), life.record.id)


def _stop(jobs: "SubmittedJobs", name: str) -> str:
    jobs.stop(name)
    return "stopped"
