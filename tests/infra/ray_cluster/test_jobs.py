"""The Jobs API of a cluster: where it is, what keeps us from it, and the log of a job whose cluster goes."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import ray

from infra.errors import AddressError, InfraError
from infra.ray_cluster import jobs
from infra.ray_cluster.jobs import JobsApi, SubmittedJobs, jobs_address, jobs_api
from tests.http_servers import Handler, served
from tests.infra.storage.s3_answers import answering

VERSION = json.dumps({"ray_version": ray.__version__}).encode()


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    monkeypatch.delenv("RAY_API_SERVER_ADDRESS", raising=False)


def test_the_dashboard_is_where_rays_own_tools_look_for_it() -> None:
    here = "http://head:8265"
    assert jobs_address({"RAY_API_SERVER_ADDRESS": f"{here}/", "RAY_ADDRESS": "http://other:8265"}) == here
    assert jobs_address({"RAY_ADDRESS": here}) == here


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "no cluster is named to submit to; set RAY_API_SERVER_ADDRESS"),
        ({"RAY_ADDRESS": "head:6379"}, "RAY_ADDRESS is 'head:6379', which is no address of a dashboard"),
        ({"RAY_API_SERVER_ADDRESS": "auto"}, "RAY_API_SERVER_ADDRESS is 'auto'"),
        ({"RAY_API_SERVER_ADDRESS": "http://me:hunter2@head:8265"}, "holds a name or a password"),
    ],
)
def test_an_address_that_leads_to_no_dashboard_is_a_sentence(variables: dict[str, str], words: str) -> None:
    with pytest.raises(AddressError) as raised:
        jobs_address(variables)
    assert words in str(raised.value) and "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (401, b"Unauthorized: Missing authentication token", "refuses our token"),
        (403, b"Forbidden: Invalid authentication token", "refuses our token"),
        (404, b"", "is no Ray dashboard"),
        (200, b"<html>", "is no Ray dashboard"),
        (200, b"{}", "is no Ray dashboard"),
        (200, b'{"ray_version": "2.1.0"}', f"runs Ray 2.1.0 and this is {ray.__version__}"),
    ],
)
def test_what_keeps_us_from_a_cluster_is_one_sentence(
    status: int, body: bytes, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with answering(status, body) as address:
        monkeypatch.setenv("RAY_API_SERVER_ADDRESS", address)
        with pytest.raises(AddressError) as raised, jobs_api():
            pass
    assert words in str(raised.value) and address in str(raised.value) and "\n" not in str(raised.value)


def test_nobody_and_a_silent_server_are_sentences_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "ANSWER_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        silent = f"http://127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(AddressError, match=f"no Ray cluster answers at '{silent}'"):
            JobsApi(silent)
    with pytest.raises(AddressError, match=r"no Ray cluster answers at 'http://127\.0\.0\.1:1'"):
        JobsApi("http://127.0.0.1:1")


@contextmanager
def cluster_that_knows_no_job() -> Iterator[str]:
    """Serves what a cluster that was started again answers."""

    class Answers(Handler):
        def do_GET(self) -> None:
            known = self.path == "/api/version"
            body = VERSION if known else b"Job jepa-run-x does not exist"
            self.send_response(200 if known else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    with served(Answers) as address:
        yield address


def test_a_job_whose_cluster_was_started_again_or_is_gone_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with cluster_that_knows_no_job() as address:
        api = JobsApi(address)
        with pytest.raises(InfraError, match="was started again and does not know job 'jepa-run-x'; the same command"):
            api.follow("jepa-run-x", print)
    monkeypatch.setattr(jobs, "LOST_SECONDS", 0.5)
    with pytest.raises(InfraError, match=r"has not answered for 0\.5 s.*the same command follows it again"):
        api.follow("jepa-run-x", print)


def test_a_log_that_is_read_again_is_shown_once() -> None:
    said: list[str] = []
    shown = jobs._Shown(said.append)
    for text in ("one\n", "two\n"):
        shown.take(text)
    shown.rewind()  # the connection broke
    for text in ("one\ntw", "o\nthr", "ee\n"):
        shown.take(text)
    assert "".join(said) == "one\ntwo\nthree\n"


def test_jobs_of_a_name_are_numbered() -> None:
    ids = ["jepa-run-d", "jepa-run-d-2", "jepa-run-d-12", "jepa-run-d-e", "jepa-run-dd", "x-jepa-run-d", None]
    assert [jobs._number(job, "jepa-run-d") for job in ids] == [1, 2, 12, 0, 0, 0, 0]


def test_a_cluster_that_does_not_answer_is_a_sentence() -> None:
    with pytest.raises(AddressError, match=r"does not answer .* correct RAY_API_SERVER_ADDRESS or RAY_ADDRESS"):
        SubmittedJobs("127.0.0.1:1")
