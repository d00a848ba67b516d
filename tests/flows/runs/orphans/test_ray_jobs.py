"""A submitted Ray job whose driver is silent is stopped; one that is alive, or that no record names, runs on."""

import dataclasses
import os
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flows.runs.orphans import reconcile
from infra.processes.identity import this_process
from infra.ray_cluster.access import cluster_access
from infra.ray_cluster.jobs import NOT_YET, SubmittedJobs
from infra.ray_cluster.work import ray_record
from infra.storage import Store, open_store
from infra.work_log import ProcessRecord, utc_now
from pipelines.store.processes import write_process
from tests.flows.conftest import wait_for

# Long: beside other work Ray's agent, which takes jobs, may not begin for minutes.
pytestmark = [pytest.mark.slow, pytest.mark.ray, pytest.mark.long]

TEN_MINUTES = timedelta(minutes=10)
FAR = dataclasses.replace(this_process(), host="far")


@pytest.fixture
def jobs(ray_cluster: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[SubmittedJobs, list[str]]]:
    """The jobs of the session's cluster, and two that wait."""
    from ray.dashboard.modules.job.sdk import JobSubmissionClient

    record = ray_record()
    assert record is not None
    monkeypatch.setenv("RAY_ADDRESS", record.address)
    # Ray remembers the mode of an earlier test, until it is asked to look again.
    with cluster_access():
        client: Any = JobSubmissionClient(record.address)

        def submit() -> str | None:
            try:
                return str(client.submit_job(entrypoint=f"{sys.executable} -c 'import time; time.sleep(600)'"))
            except RuntimeError as error:
                if NOT_YET not in str(error):  # the agent of a cluster that has just begun is not there at once
                    raise
                return None

        submitted = [wait_for(submit, "a job", 120) for _ in range(2)]
        found = SubmittedJobs(record.address)
        yield found, submitted
        for job in submitted:
            client.stop_job(job)
            wait_for(lambda: not found.runs(job), "the end of a job", 120)  # noqa: B023


def record(name: str, job: str, cluster: str, minutes: float) -> ProcessRecord:
    heartbeat = utc_now() - timedelta(minutes=minutes)
    return ProcessRecord.model_validate(
        {
            "id": name,
            "what": "command collect",
            "status": "running",
            "process": FAR,
            "user": os.getuid(),
            "started": heartbeat,
            "heartbeat": heartbeat,
            "ray": {"cluster": cluster, "address": "a", "job": "01", "namespace": "n", "submission": job},
        }
    )


@pytest.mark.timeout(400)
def test_only_the_recorded_job_of_a_silent_driver_is_stopped(
    jobs: tuple[SubmittedJobs, list[str]], tmp_path: Path
) -> None:
    submitted, (ours, foreign) = jobs
    store: Store = open_store(str(tmp_path / "store"))
    # The same id on another cluster is another job.
    write_process(store, record("foreign", foreign, "session_of_another", 60))
    write_process(store, record("ours", ours, submitted.cluster, 9))
    assert [(one.kind, one.name) for one in reconcile(store, TEN_MINUTES, act=True).orphans] == [("record", "foreign")]
    assert submitted.runs(ours) and submitted.runs(foreign)
    write_process(store, record("ours", ours, submitted.cluster, 11))
    listed = reconcile(store, TEN_MINUTES, act=False)
    assert [(one.kind, one.name) for one in listed.orphans] == [("ray job", ours), ("record", "ours")]
    assert "has been silent for 11 minutes" in listed.orphans[0].why and submitted.runs(ours)
    ended = reconcile(store, TEN_MINUTES, act=True)
    assert [one.done for one in ended.orphans] == ["stopped", "closed"] and ended.left_out == ()
    wait_for(lambda: not submitted.runs(ours), "the end of the job", 120)
    assert submitted.runs(foreign) and not submitted.runs("raysubmit_unknown")
