"""The connection to Ray."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.errors import AddressError
from infra.ray_cluster.connection import connect
from infra.settings import RaySettings
from tests.infra.owned import descendants_after

IMPORTS = "from infra.ray_cluster.connection import connect, RaySettings\n"


@pytest.mark.ray
@pytest.mark.slow
def test_workers_see_the_store_settings_and_use_one_thread(ray_cluster: None) -> None:
    import ray

    @ray.remote
    def look() -> dict[str, str]:
        return dict(os.environ)

    seen = ray.get(look.remote())
    assert seen["OMP_NUM_THREADS"] == "1"
    assert seen["AWS_ENDPOINT_URL"] == seen["S3_ENDPOINT_URL"] and seen["AWS_ENDPOINT_URL"].startswith(
        "http://127.0.0.1:"
    )


@pytest.mark.ray
@pytest.mark.slow
def test_who_is_connected_stays_connected(ray_cluster: None) -> None:
    import ray

    with connect(RaySettings(num_cpus=1)):
        assert ray.is_initialized()
    assert ray.is_initialized()


def version_mismatch() -> Exception:
    """Returns what Ray raises where the cluster runs another version."""
    from ray._private.utils import check_version_info

    with pytest.raises(RuntimeError) as raised:
        check_version_info({"ray_version": "2.1.0", "python_version": "3.8.1"}, "this process")
    return raised.value


def wrong_token() -> Exception:
    from ray.exceptions import AuthenticationError

    return AuthenticationError("Token authentication is enabled but the request is not authorized")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (version_mismatch, ["'ray.example:6379' runs other versions", "Ray: 2.1.0", "unset RAY_ADDRESS"]),
        (wrong_token, ["'ray.example:6379' refuses our token", "RAY_AUTH_TOKEN"]),
        (lambda: ConnectionRefusedError("refused"), ["no Ray cluster answers at 'ray.example:6379'", "RAY_ADDRESS"]),
        (lambda: RuntimeError("disk is full"), ["'ray.example:6379' cannot be joined (disk is full)"]),
    ],
)
def test_what_keeps_us_from_a_cluster_is_said(
    error: Callable[[], Exception],
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    import ray

    from flows.cli.main import main

    raised = error()

    def refuse(**options: object) -> None:
        raise raised

    monkeypatch.setattr("infra.ray_cluster.connection.require_listener", lambda address: None)
    monkeypatch.setattr(ray, "init", refuse)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "shutdown", lambda: None)  # the session's Ray serves other tests
    monkeypatch.setenv("RAY_ADDRESS", "ray.example:6379")
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.setenv("RAY_AUTH_TOKEN", "one-of-some-length-for-a-cluster")
    assert main(["collect", "--episodes", "1", "--store", str(tmp_path)]) == 2
    sentence = capsys.readouterr().err.splitlines()[-1]
    assert all(word in sentence for word in words), sentence


@pytest.mark.parametrize("hangs_up", [False, True], ids=["silent", "hangs up"])
def test_an_address_that_is_not_answered_as_ray_does_is_a_sentence_in_seconds(
    hangs_up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    monkeypatch.setattr("infra.ray_cluster.connection.ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "shutdown", lambda: None)
    with socket.create_server(("127.0.0.1", 0)) as server:
        if hangs_up:
            threading.Thread(target=lambda: server.accept()[0].close(), daemon=True).start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(AddressError, match=f"no Ray cluster answers at '{address}'; correct RAY_ADDRESS"):
            connect(RaySettings(address=address)).__enter__()


@pytest.mark.parametrize(("slow_starts", "starts"), [(1, 2), (5, 2)])
def test_a_local_ray_that_is_slow_to_start_is_started_once_more(
    slow_starts: int, starts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    folders: list[object] = []
    ended: list[None] = []

    def start(**options: object) -> None:
        folders.append(options["_temp_dir"])
        if len(folders) <= slow_starts:
            raise Exception("The current node timed out during startup. This could happen because some of the raylet …")

    monkeypatch.setattr(ray, "init", start)
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "shutdown", lambda: ended.append(None))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    if slow_starts < starts:
        with connect(RaySettings(num_cpus=1)):
            pass
    else:
        with pytest.raises(AddressError, match="its first node took longer than Ray's 30 s, and did so again"):
            connect(RaySettings(num_cpus=1)).__enter__()
    assert len(folders) == len(set(folders)) == len(ended) == starts


def test_a_temporary_folder_with_a_long_name_is_named(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 25)
    folder.mkdir()
    script = IMPORTS + "with connect(RaySettings(num_cpus=1)): pass"
    answer = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    last = answer.stderr.splitlines()[-1]
    assert answer.returncode != 0 and str(folder) in last and "set TMPDIR" in last, answer.stderr


@pytest.mark.ray
@pytest.mark.slow
def test_no_cluster_at_the_address_is_one_sentence() -> None:
    # In a process of its own: this one may be connected already.
    script = IMPORTS + "with connect(RaySettings(address='127.0.0.1:9')): pass"
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=400)
    last = answer.stderr.splitlines()[-1]
    assert (
        answer.returncode != 0
        and "AddressError: no Ray cluster answers at '127.0.0.1:9'" in last
        and "RAY_ADDRESS" in last
    )


@pytest.mark.ray
@pytest.mark.slow
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_a_local_ray_ends_with_its_owner(end: signal.Signals) -> None:
    imports = "from infra.ray_cluster.connection import connect\nfrom infra.settings import RaySettings"
    assert descendants_after(imports, "connect(RaySettings(num_cpus=1))", end, patience=90) == []
