"""The doctor's check of Prefect: a server of another kind, version or password is found, and none is started."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from flows.servers.embedded import without_password
from tests.flows.cli.doctor.checked import findings, statuses
from tests.http_servers import Handler, served
from tests.infra.storage.s3_answers import silent

OURS = version("prefect")


@contextmanager
def api(answers: Mapping[str, tuple[int, Any]]) -> Iterator[str]:
    """Serves JSON by path on loopback and yields the address of the API."""

    class Answers(Handler):
        def answer(self) -> None:
            self.body()
            status, document = answers[self.path.removeprefix("/api/")]
            data = json.dumps(document).encode()
            self.send_response_only(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = answer

    with served(Answers) as address:
        yield f"{address}/api"


GOOD = {"health": (200, True), "admin/version": (200, OURS), "flows/count": (200, 0)}


@pytest.mark.parametrize(
    ("answers", "wanted", "words"),
    [
        ({}, {"server": "ok", "version": "ok", "access": "ok"}, ""),
        ({"admin/version": (200, "2.20.1")}, {"server": "ok", "version": "failed", "access": "ok"}, "2.20.1"),
        ({"admin/version": (200, "3.0.0")}, {"server": "ok", "version": "warning", "access": "ok"}, "older"),
        ({"admin/version": (200, "3.999.0")}, {"server": "ok", "version": "ok", "access": "ok"}, "3.999.0"),
        ({"flows/count": (401, "")}, {"server": "ok", "version": "ok", "access": "failed"}, "PREFECT_API_AUTH_STRING"),
        ({"health": (404, "")}, {"server": "failed", "version": "skipped", "access": "skipped"}, "404"),
        ({"health": (200, [])}, {"server": "failed", "version": "skipped", "access": "skipped"}, "no Prefect server"),
    ],
    ids=["good", "other major", "older", "newer", "password", "not found", "something else"],
)
def test_what_is_wrong_with_a_server_is_found(
    answers: Mapping[str, tuple[int, Any]], wanted: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with api(GOOD | dict(answers)) as url:
        monkeypatch.setenv("PREFECT_API_URL", url)
        found = findings("prefect")
    assert statuses(found) == wanted
    assert words in " ".join(f"{one.found} {one.remedy}" for one in found.values())


@pytest.mark.parametrize("address", ["silent", "nobody", "no address", "no host"])
def test_an_address_where_no_server_answers_is_named(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with silent() as (endpoint, _), socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and does not listen
        urls = {"silent": endpoint, "nobody": f"http://127.0.0.1:{closed.getsockname()[1]}", "no host": "http:///x"}
        monkeypatch.setenv("PREFECT_API_URL", f"{urls.get(address, 'nonsense')}/api")
        found = findings("prefect", seconds=2)
    assert statuses(found) == {"server": "failed", "version": "skipped", "access": "skipped"}
    assert "unset PREFECT_API_URL" in found["server"].remedy


def test_a_password_in_the_address_is_refused_and_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://user:hunter-two@127.0.0.1:9/api")
    found = findings("prefect")
    assert found["server"].status == "failed" and "PREFECT_API_AUTH_STRING" in found["server"].remedy
    assert "hunter" not in str(found)
    assert without_password("http://user:hunter-two@host:9/api?x=1") == "http://host:9/api"
    assert "hunter" not in without_password("http://user:hunter-two@[host/api")


def test_without_an_address_the_place_of_the_database_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    assert statuses(findings("prefect")) == {"server": "ok"} and list(tmp_path.iterdir()) == []
    (tmp_path / "home").write_text("a file")
    found = findings("prefect")["server"]
    assert found.status == "failed" and "set PREFECT_HOME" in found.remedy


@pytest.mark.prefect
@pytest.mark.slow
def test_a_real_server_passes(prefect_server: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", prefect_server["PREFECT_API_URL"])
    assert statuses(findings("prefect")) == {"server": "ok", "version": "ok", "access": "ok"}
