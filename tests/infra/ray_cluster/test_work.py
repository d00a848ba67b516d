"""What a process works on in Ray, as its record has it."""

import json

import pytest

from infra.ray_cluster.local import PREFIX
from infra.ray_cluster.work import ray_record, submission_id


@pytest.mark.slow
@pytest.mark.ray
def test_a_connected_process_names_its_cluster_and_folder(ray_cluster: None) -> None:
    record = ray_record()
    assert record is not None and record.cluster.startswith("session_") and record.address.startswith("127.0.0.1:")
    assert record.job and record.namespace and record.submission == "" and f"/{PREFIX}" in record.folder


@pytest.mark.parametrize(
    ("variable", "job"),
    [
        (None, ""),
        ("no JSON", ""),
        ("[]", ""),
        (json.dumps({"metadata": {}}), ""),
        (json.dumps({"metadata": {"job_submission_id": "raysubmit_1"}}), "raysubmit_1"),
    ],
)
def test_a_submitted_job_s_id_is_in_its_environment(
    variable: str | None, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAY_JOB_CONFIG_JSON_ENV_VAR", raising=False)
    if variable is not None:
        monkeypatch.setenv("RAY_JOB_CONFIG_JSON_ENV_VAR", variable)
    assert submission_id() == job
