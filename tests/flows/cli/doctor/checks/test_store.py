"""The doctor's check of the store: each fault of a store is found at its step, and nothing is left behind."""

import os
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infra.storage import Store, open_store
from infra.storage.s3_server import S3Server
from tests.flows.cli.doctor.altering_proxy import Fault, altered
from tests.flows.cli.doctor.checked import findings, statuses
from tests.infra.storage.s3_answers import silent

STEPS = ("address", "write", "read", "conditional write", "range read", "listing", "clock", "delete")


def shifted(seconds: float) -> Fault:
    """Returns a server whose clock is ahead by so many seconds."""

    def shift(match: re.Match[bytes]) -> bytes:
        moment = datetime.fromisoformat(match[1].decode().replace("Z", "+00:00")) + timedelta(seconds=seconds)
        return f"<LastModified>{moment:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>".encode()

    return Fault(answer=lambda body: re.sub(rb"<LastModified>([^<]+)</LastModified>", shift, body))


def emptied(body: bytes) -> bytes:
    return re.sub(rb"<Contents>.*</Contents>", b"", body, flags=re.DOTALL)


def test_a_store_that_works_passes_and_is_left_as_it_was(store: Store) -> None:
    assert statuses(findings("store", store.uri)) == dict.fromkeys(STEPS, "ok")
    assert store.written() == {}


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    found = findings("store", str(tmp_path / "a" / "store"))
    assert set(statuses(found).values()) == {"ok"} and "not there yet" in found["address"].found
    assert list(tmp_path.iterdir()) == []


def test_nothing_else_that_lies_there_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that is not there yet is checked on its parent, which may be the root of a large disk."""
    walked: list[Path] = []
    walk = os.walk

    def watched(top: Path, **options: Any) -> Any:
        walked.append(Path(top))
        return walk(top, **options)

    monkeypatch.setattr(os, "walk", watched)
    (tmp_path / "large" / "tree").mkdir(parents=True)
    assert set(statuses(findings("store", str(tmp_path / "store"))).values()) == {"ok"}
    assert walked and tmp_path not in walked and os.listdir(tmp_path) == ["large"]


@pytest.mark.s3
@pytest.mark.parametrize(
    ("fault", "step", "status", "words"),
    [
        (Fault(refused="PUT"), "write", "failed", "AccessDenied"),
        (Fault(ignored="If-None-Match"), "conditional write", "failed", "use a server that honours them"),
        (Fault(ignored="Range"), "range read", "failed", "ignores byte ranges"),
        (Fault(answer=emptied), "listing", "failed", "not listed"),
        (shifted(3600), "clock", "failed", "ahead of this machine's: running jobs would be taken for lost"),
        (shifted(-30), "clock", "warning", "behind this machine's"),
        (Fault(refused="DELETE"), "delete", "failed", "AccessDenied"),
    ],
    ids=["no write", "no conditions", "no ranges", "no listing", "clock ahead", "clock behind", "no delete"],
)
def test_a_fault_of_the_server_is_found_at_its_step(
    fault: Fault, step: str, status: str, words: str, s3: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with altered(s3_server.endpoint, fault) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        found = findings("store", s3)
    assert found[step].status == status and words in f"{found[step].found}; {found[step].remedy}"
    assert {other for other, ended in statuses(found).items() if ended in ("failed", "warning")} == {step}
    assert tuple(found) == STEPS
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.endpoint)
    assert len(open_store(s3).written()) == (fault.refused == "DELETE")


@pytest.mark.s3
def test_a_bucket_that_is_not_there_is_named_and_not_made(s3: str) -> None:
    for _ in range(2):
        found = findings("store", "s3://no-such-bucket/prefix")
        failed = {step for step, status in statuses(found).items() if status == "failed"}
        assert failed == {"write"} and "bucket 'no-such-bucket' does not exist" in found["write"].found
        assert "create it" in found["write"].remedy


def test_a_server_that_never_answers_is_given_up_in_the_time_of_a_step(
    s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silent() as (endpoint, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        found = findings("store", s3, seconds=1.5)
    assert found["address"].status == "failed" and "did not finish" in found["address"].found
    assert {found[step].status for step in STEPS[1:]} == {"skipped"}


def test_a_store_where_a_file_lies_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = findings("store", str(tmp_path / "file" / "store"))
    assert found["write"].status == "failed" and "choose another one, by --store" in found["write"].remedy


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    found = findings("store", str(tmp_path))
    assert found["write"].status == "failed" and "by --store" in found["write"].remedy
    assert {found[step].status for step in STEPS[2:]} == {"skipped"}
