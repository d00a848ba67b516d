"""What a command starts for itself: two first commands at once, a folder that cannot be written."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from flows.servers.embedded import embedded_prefect
from infra.errors import AddressError
from infra.processes.child import child_server


@pytest.mark.slow
@pytest.mark.prefect
@pytest.mark.timeout(400)
def test_two_first_servers_on_one_new_database_both_start(tmp_path: Path) -> None:
    def start(_: int) -> str:
        variables = {"PREFECT_HOME": str(tmp_path / "home"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
        with child_server("flows.servers.prefect_server", "the embedded Prefect server", variables) as address:
            return address

    with ThreadPoolExecutor(3) as threads:
        addresses = set(threads.map(start, range(3)))
    assert len(addresses) == 3 and all(address.startswith("http://127.0.0.1:") for address in addresses)


def test_a_home_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "file"))
    with pytest.raises(AddressError, match=rf"'{tmp_path / 'file'}' .*; set PREFECT_HOME"), embedded_prefect():
        pass
    monkeypatch.delenv("PREFECT_HOME")
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    with pytest.raises(AddressError, match=rf"'{tmp_path / 'file' / '.prefect'}' .*; set PREFECT_HOME"):
        embedded_prefect().__enter__()


def test_what_is_started_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from contextlib import nullcontext

    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    monkeypatch.setattr("flows.servers.embedded.child_server", lambda *_: nullcontext("http://127.0.0.1:9/api"))
    with embedded_prefect():
        assert os.environ["PREFECT_API_URL"] == "http://127.0.0.1:9/api"
    assert capsys.readouterr().err.startswith("starting Prefect's server")
