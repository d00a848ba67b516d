"""What a role may do in the store is what its jobs ask S3 for: real jobs' requests against the policies as made."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from flows.runs.orphans import reconcile
from flows.runs.process_record import recorded_process
from infra.progress import Progress
from infra.storage import Store, open_store
from infra.storage.s3 import S3Store
from pipelines.collect import collect, name_claim, plan_dataset
from pipelines.evaluate import evaluate
from pipelines.pretrain import pretrain
from pipelines.reports.page import ReportConfig, report
from pipelines.store import DatasetHandle
from pipelines.store.garbage import delete_garbage, find_garbage
from pipelines.store.reports import committed_units
from pipelines.store.reports.compaction.compact import compact
from pipelines.store.reports.manifest import MANIFESTS
from pipelines.study import study
from tests.flows.cli.doctor.checked import findings
from tests.pipelines.evaluate import asked as evaluation
from tests.pipelines.small_dataset import small_config
from tests.pipelines.small_model import small_training
from tests.pipelines.study import asked as studies
from tests.terraform.conftest import Terraform

ACTIONS = {
    "get_object": "s3:GetObject",
    "head_object": "s3:GetObject",
    "put_object": "s3:PutObject",
    "delete_object": "s3:DeleteObject",
    "list_objects_v2": "s3:ListBucket",
}
"""What IAM asks for before S3 carries out each request that our store sends."""
BUCKET = "arn:aws:s3:::jepa-test"
"""The bucket of the module's own tests."""


class Request(NamedTuple):
    """What a job asked S3 for, as IAM sees it; `prefix` only of a listing."""

    action: str
    resource: str
    prefix: str | None = None


@pytest.fixture(scope="module")
def policies(terraform: Terraform, tree: Path) -> dict[str, list[dict[str, Any]]]:
    """The statements of each kind of job, as the module makes them; its own tests pass on the way."""
    terraform.init(tree / "modules/storage")
    events = terraform.events(tree / "modules/storage", "-verbose")
    assert [event["test_summary"]["status"] for event in events if event["type"] == "test_summary"] == ["pass"]
    (state,) = (event["test_state"]["root_module"] for event in events if event["type"] == "test_state")
    made = [one for one in state["resources"] if one["type"] == "aws_iam_policy"]
    return {one["index"]: json.loads(one["values"]["policy"])["Statement"] for one in made}


def allows(statements: list[dict[str, Any]], request: Request) -> bool:
    """Returns whether statements that allow something allow a request: by action, resource and listed prefix."""

    def matches(patterns: list[str], text: str) -> bool:
        return any(fnmatchcase(text, pattern) for pattern in patterns)  # `*` of IAM, too, matches any characters

    def met(condition: dict[str, Any]) -> bool:
        # IfExists: what a request does not carry is no hindrance.
        patterns = condition.get("StringLikeIfExists", {}).get("s3:prefix", ["*"])
        return request.prefix is None or matches(patterns, request.prefix)

    return any(
        request.action in one["Action"] and matches(one["Resource"], request.resource) and met(one.get("Condition", {}))
        for one in statements
    )


class Recorder:
    """What stores on S3 ask for while jobs of a kind run."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: dict[str, set[Request]] = {}
        self._monkeypatch = monkeypatch

    @contextmanager
    def job(self, kind: str) -> Iterator[None]:
        """Notes the requests of a block as those of a kind of job."""
        asked = self.asked.setdefault(kind, set())
        real = S3Store._request

        def noted(store: S3Store, operation: str, **options: Any) -> Any:
            start = f"{store.prefix}/"
            if operation == "list_objects_v2":
                asked.add(Request(ACTIONS[operation], BUCKET, options["Prefix"].removeprefix(start)))
            else:
                asked.add(Request(ACTIONS[operation], f"{BUCKET}/{options['Key'].removeprefix(start)}"))
            return real(store, operation, **options)

        with self._monkeypatch.context() as patch:
            patch.setattr(S3Store, "_request", noted)
            yield


def collecting(store: Store, recorder: Recorder) -> None:
    """A plan under which nothing was finished is replaced; then the dataset is made, and extended."""
    plan = plan_dataset(small_config(name="d0", seed=1))
    name_claim.claim_version(DatasetHandle(store, "d0"), plan, 0)
    with recorder.job("collect"):
        for episodes in (8, 12):
            collect(small_config(name="d0", steps=40, episodes=episodes), store)


def training(store: Store, recorder: Recorder) -> None:
    """A training writes its rows where a killed attempt has begun to, and is trained on."""
    with recorder.job("pretrain"):
        pretrain(small_training(steps=21), store)
    (unit,) = committed_units(store)
    (metrics,) = (part.path for part in unit.parts if part.table == "metrics")
    store.write(f"{metrics.rpartition(unit.key)[0]}{unit.key}.{'0' * 12}.parquet", b"of a killed attempt")
    store.delete(f"{MANIFESTS}/{unit.key}.json")
    with recorder.job("pretrain"):
        for steps in (21, 22):
            pretrain(small_training(steps=steps), store)
    assert not [path for path in store.list("reports/kind=metrics/") if "0" * 12 in path]


def judging(store: Store, recorder: Recorder) -> None:
    """An evaluation and a study are done, and done again; a report is made."""
    with recorder.job("evaluate"):
        evaluate(evaluation.config(kinds=["latent", "planning"], problems_per_slice=2), store)
        evaluate(evaluation.config(kinds=["latent"], force=True), store)
        for force in (False, True):
            study(studies.config(force=force), store)
        report(ReportConfig(), store, Progress())


def cleaning(store: Store, recorder: Recorder) -> None:
    """What runs without a parent and what belongs to nothing is looked for and ended, or deleted."""
    for folder in ("datasets/d9/shards", "models/m9/checkpoints", "reports/kind=metrics", "problems"):
        store.write(f"{folder}/left", b"left")
    with recorder.job("maintenance"):
        store.check()
        reconcile(store, timedelta(minutes=10), act=True)
        delete_garbage(store, find_garbage(store, timedelta()))
        compact(store)


@pytest.mark.slow
@pytest.mark.s3
@pytest.mark.usefixtures("sample_mean")
def test_a_role_may_do_what_its_jobs_do(
    policies: dict[str, list[dict[str, Any]]], s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that a job asks for is denied, the rare requests included: what replaces and clears up after a kill."""
    monkeypatch.setattr(name_claim, "START_SECONDS", 0.0)
    recorder, store = Recorder(monkeypatch), open_store(s3)
    for work in (collecting, training, judging, cleaning):
        work(store, recorder)
    for kind in policies:
        with recorder.job(kind), recorded_process(s3, f"flow {kind}"):
            assert {finding.status.value for finding in findings("store", s3).values()} == {"ok"}
    assert set(recorder.asked) == set(policies)
    for kind, asked in recorder.asked.items():
        assert [request for request in asked if not allows(policies[kind], request)] == [], kind
        deleted = {request.resource for request in asked if request.action == "s3:DeleteObject"}
        assert [path for path in deleted if ".tmp-check-" not in path], f"{kind}: only what it probed with"


@pytest.mark.slow
def test_a_role_may_not_do_what_is_for_others(policies: dict[str, list[dict[str, Any]]]) -> None:
    """Who collects reads no model, and no job deletes what a manifest names: a shard, weights, the manifest itself."""

    def may(kind: str, action: str, path: str) -> bool:
        return allows(policies[kind], Request(f"s3:{action}", f"{BUCKET}/{path}"))

    assert not may("collect", "GetObject", "models/m0/config.json")
    assert not may("evaluate", "PutObject", "models/m0/config.json")
    assert not may("pretrain", "PutObject", "datasets/d0/manifest.json")
    kept = ("datasets/d0/manifest.json", "datasets/d0/shards/train/shard-000000.mds", "reports/manifests/a.json")
    for kind in ("collect", "pretrain", "evaluate"):
        for path in kept:
            assert not may(kind, "DeleteObject", path)
        assert not allows(policies[kind], Request("s3:ListBucket", BUCKET, ""))
