"""What Prefect shows never stands in the way of the work, and leads a reader to the report."""

import re
import shlex
import urllib.request
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from flows.runs.artifacts import artifact_key, how_to_open
from flows.runs.progress_artifacts import ProgressArtifacts
from infra.progress import Progress
from infra.storage import open_store


def test_keys_are_as_prefect_wants_them() -> None:
    assert artifact_key("collect two_room-smoke.s0") == "collect-two-room-smoke-s0"


def test_a_server_that_does_not_answer_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.settings import PREFECT_API_URL, temporary_settings

    with (
        temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}),
        Progress(ProgressArtifacts()).phase("p", 2, "u") as phase,
    ):
        phase.advance(2)
    assert phase.state.done == 2


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine on which nothing says where S3 is."""
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))


def command_in(text: str) -> list[str]:
    """Returns the words of the command that a Markdown text shows."""
    (line,) = [line for line in text.splitlines() if line.startswith("    ")]
    return shlex.split(line)


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_the_report_of_a_local_store_opens_at_the_address_that_its_command_serves(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "a store's (reports)"))
    store.write("reports/r0/report.html", b"<h1>the report</h1>")
    shown = how_to_open(store.address("reports/r0/report.html"))
    assert "file://" not in shown
    words = command_in(shown)
    assert words[:4] == ["python", "-m", "http.server", "8000"] and "127.0.0.1" in words
    (address,) = re.findall(r"<(http://127\.0\.0\.1:8000/[^>]*)>", shown)
    folder = words[words.index("--directory") + 1]
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=folder)) as server:
        Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        here = address.replace(":8000/", f":{server.server_port}/")
        with urllib.request.urlopen(here, timeout=10) as page:
            assert page.read() == b"<h1>the report</h1>"
        server.shutdown()


@pytest.mark.parametrize("address", ["http://lab:9000/reports/r0/report.html", "https://lab/reports/r0/report.html"])
def test_a_page_is_a_link(address: str) -> None:
    assert how_to_open(address) == f"[Open the report]({address})"


def test_a_report_on_aws_has_a_command_and_its_place_in_the_console(
    no_aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    address = "s3://bucket/our runs & more/reports/r0/report.html"
    shown = how_to_open(address)
    assert command_in(shown) == ["aws", "s3", "cp", address, "report.html"]
    (link,) = re.findall(r"\]\((https://[^)]*)\)", shown)
    parts = urlsplit(link)
    assert parts.path.endswith("/bucket")
    assert parse_qs(parts.query) == {
        "region": ["eu-central-1"],
        "prefix": ["our runs & more/reports/r0/report.html"],
    }


def test_a_report_on_another_s3_server_is_fetched_from_there(no_aws: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000")
    shown = how_to_open("s3://bucket/reports/r0/report.html")
    assert command_in(shown) == [
        *("aws", "--endpoint-url", "http://127.0.0.1:9000"),
        *("s3", "cp", "s3://bucket/reports/r0/report.html", "report.html"),
    ]
    assert "console.aws" not in shown
