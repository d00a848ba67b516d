"""The whole job as a user runs it: on a folder, interrupted twice on the way, and on S3, with the same figures."""

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest

from infra.storage import Store, open_store
from infra.storage.s3_server import S3Server
from pipelines.reports import metrics_table, read_table
from pipelines.store import DatasetHandle, verify
from pipelines.store.models.manifest import ModelHandle
from tests.flows.jobs import finished, interrupted
from tests.infra.storage.profiles import use_profile

RUN = "two_room-smoke-s0"
JOB = ["run", "--world", "two_room", "--preset", "smoke"]

pytestmark = [pytest.mark.slow, pytest.mark.ray]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the jobs of this module are run; the first test fills `store` in it."""
    return tmp_path_factory.mktemp("jobs")


def check_store(store: Store, answer: dict[str, Any]) -> None:
    """Checks that a run left all that it should, and that its answer, its page and its tables say the same."""
    assert answer["run"] == RUN and verify(DatasetHandle(store, RUN)).ok
    paths = store.list()
    weights = ModelHandle(store, RUN).require().weights_sha256
    for path in (
        f"datasets/{RUN}/manifest.json",
        f"models/{RUN}/config.json",
        f"models/{RUN}/weights/{weights}.safetensors",
    ):
        assert path in paths
    assert not [path for path in paths if path.endswith((".pkl", ".pt"))]
    figures = [figure.model_dump(mode="json") for figure in metrics_table(store, RUN)]
    assert answer["metrics"] == figures and {"success", "regret", "r2", "auroc"} <= {row["kind"] for row in figures}
    assert answer["units"]["total"] == 9
    page = store.read(f"reports/{RUN}/report.html").decode()
    embedded = json.loads(re.search(r'<script type="application/json"[^>]*>(.*?)</script>', page, re.DOTALL)[1])  # type: ignore[index]
    assert embedded["headlines"] == figures
    metrics = read_table(store, "metrics").compute()
    assert set(metrics.evaluation) >= {"probing", "planning", "surprise"} and set(metrics.run) == {RUN}
    assert set(metrics.planner.dropna()) >= {"cem", "random", "oracle"}


@pytest.mark.timeout(1200)
def test_an_interrupted_run_leaves_no_process_and_goes_on(folder: Path) -> None:
    job = [*JOB, "--store", "store", "--pretrain.steps", "120"]
    for when in ("steps (0 %)", "units (0 %)"):
        status, printed, left = interrupted(job, folder, when)
        assert (status, left) == (130, []), printed
        assert printed.splitlines()[-1] == "jepa: interrupted; the same command goes on from what is done"
    shards = {path: path.stat().st_mtime_ns for path in (folder / "store/datasets").rglob("*") if path.is_file()}
    done = finished([*job, "--json"], folder)
    assert done.returncode == 0, done.stderr
    assert "collect" not in done.stderr and "pretrain" not in done.stderr
    assert {path: path.stat().st_mtime_ns for path in shards} == shards
    check_store(open_store(str(folder / "store")), json.loads(done.stdout))


@pytest.mark.s3
@pytest.mark.timeout(1200)
def test_s3_gives_the_same_figures_as_a_folder(
    s3_server: S3Server, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server and the key stand in a profile alone: every process of every part finds them there."""
    use_profile("services", s3_server, tmp_path, monkeypatch)
    s3 = f"{s3_server.uri}/{uuid.uuid4().hex[:8]}"
    done = finished([*JOB, "--store", s3, "--pretrain.steps", "120", "--json"], folder, 1100)
    assert done.returncode == 0, done.stderr
    answer, store = json.loads(done.stdout), open_store(s3)
    check_store(store, answer)
    assert answer["report"] == f"{s3}/reports/{RUN}/report.html"
    if (folder / "store").exists():
        here = [figure.model_dump(mode="json") for figure in metrics_table(str(folder / "store"), RUN)]
        assert [figure["value"] for figure in answer["metrics"]] == pytest.approx([figure["value"] for figure in here])
    assert "secret-of-the-file" not in done.stdout + done.stderr
    assert not any("secret-of-the-file" in store.read(path).decode(errors="replace") for path in store.list("logs/"))


@pytest.mark.s3
@pytest.mark.timeout(600)
def test_the_embedded_s3_server_keeps_the_report(tmp_path: Path) -> None:
    job = [*JOB, "--store", "s3", "--json", "--collect.executor", "local", "--evaluate.executor", "local"]
    light = ["--pretrain.executor", "local", "--pretrain.workers", "1", "--evaluate.kinds", "probing"]
    done = finished([*job, *light], tmp_path)
    assert done.returncode == 0, done.stderr
    report = Path(json.loads(done.stdout)["report"])
    assert report.is_relative_to(tmp_path) and report.read_text().lower().startswith("<!doctype html>")
