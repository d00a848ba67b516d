"""The doctor's check of Ray: an address that leads nowhere, or a token that is refused; a cluster that works."""

import socket
from pathlib import Path

import pytest

from flows.cli.doctor.findings import Asked
from flows.cli.doctor.run import run_checks
from tests.flows.cli.doctor.checked import findings, statuses

UNREACHED = {"address": "failed", "cluster": "skipped", "resources": "skipped", "token": "skipped"}


@pytest.mark.parametrize("listens", [False, True], ids=["nobody", "silent"])
def test_an_address_where_no_cluster_answers_is_named(listens: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if listens:
            server.listen()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("RAY_ADDRESS", address)
        found = findings("ray", seconds=2)
    assert statuses(found) == UNREACHED
    assert address in found["address"].found and "unset it for a local Ray" in found["address"].remedy


def test_without_an_address_a_local_ray_gets_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    assert statuses(findings("ray")) == {"local": "ok"}
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / "file")[:40])
    found = findings("ray")["local"]
    assert found.status == "failed" and "RAY_TMPDIR" in found.remedy


@pytest.mark.ray
@pytest.mark.slow
def test_a_cluster_is_joined_with_its_token_and_refuses_another(
    ray_cluster: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    monkeypatch.setenv("RAY_ADDRESS", ray.get_runtime_context().gcs_address)
    # Each in a process of its own, for this one has joined already.
    found = {finding.step: finding for finding in run_checks(["ray"], Asked("runs/", 120), 1, lambda: None)}
    assert statuses(found) == dict.fromkeys(("address", "cluster", "resources", "token"), "ok")
    assert "1 node, " in found["resources"].found and " of 4 CPUs" in found["resources"].found
    monkeypatch.setenv("RAY_AUTH_TOKEN", "another-token-that-is-long-enough-for-a-cluster")
    found = {finding.step: finding for finding in run_checks(["ray"], Asked("runs/", 120), 1, lambda: None)}
    assert found["cluster"].status == "failed" and "refuses our token" in found["cluster"].found
    assert found["resources"].status == "skipped" and "another-token" not in str(found)
