"""The event chain of `prefect.yaml` on a real server: a dataset version starts a training, a model an evaluation."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from infra.storage import open_store
from pipelines.evaluate import EvaluateConfig
from pipelines.pretrain import PretrainConfig, find_model
from pipelines.store import resolve_dataset
from tests.flows.conftest import Ask, Prefect, Worker, wait_for
from tests.flows.events import emit, kept
from tests.flows.test_deployment import JOB, LOCAL

pytestmark = [pytest.mark.slow, pytest.mark.prefect]

CHAIN = ("jepa-chain-pretrain", "jepa-chain-evaluate")


def automations(ask: Ask) -> dict[str, dict[str, Any]]:
    return {found["name"]: found for found in ask("automations/filter") if found["name"] in CHAIN}


def change(ask: Ask, automation: dict[str, Any]) -> None:
    """Puts an automation in the place of the one that it was read from."""
    fields = ("name", "description", "enabled", "trigger", "actions")
    ask(f"automations/{automation['id']}", {field: automation[field] for field in fields}, "PUT")


@pytest.fixture
def chain(prefect: Prefect, ask: Ask) -> Iterator[dict[str, dict[str, Any]]]:
    """The chain, activated as `prefect automation resume` does it; afterwards it is as it was."""
    before = automations(ask)
    for automation in before.values():
        ask(f"automations/{automation['id']}", {"enabled": True}, "PATCH")
    yield automations(ask)
    for automation in before.values():
        change(ask, automation)


def runs_on(ask: Ask, store: str, flow: str) -> list[dict[str, Any]]:
    """Returns the runs of a flow on a store."""
    found = ask("flow_runs/filter", {"flows": {"name": {"any_": [flow]}}})
    return [run for run in found if run["parameters"]["store"] == store]


def test_the_chain_is_off_until_somebody_activates_it(prefect: Prefect, ask: Ask) -> None:
    assert {name: found["enabled"] for name, found in automations(ask).items()} == dict.fromkeys(CHAIN, False)


def test_a_committed_version_starts_one_run_of_the_next_job(chain: dict[str, Any], ask: Ask) -> None:
    store = f"/nowhere/{uuid.uuid4().hex}"

    def commit(kind: str, deployment: str, reference: str, **facts: Any) -> None:
        payload = {"store": store, "reference": reference, **facts}
        emit(ask, f"jepa.{kind}.committed", f"file://{store}/{kind}s/{reference}", payload, ("deployment", deployment))

    def started(flow: str, count: int) -> Callable[[], list[dict[str, Any]]]:
        def look() -> list[dict[str, Any]]:
            # Sent again with each look, as by jobs that are run again: a version starts one run all the same.
            commit("dataset", "world-model", "d0@3", name="d0", version=3)
            commit("dataset", "collect", "d0@2", name="d0", version=2)
            commit("model", "world-model", "m1@22222222", dataset="d0@2")
            commit("model", "pretrain", "m0@1a2b3c4d", dataset="d0@2")
            if count > 1:
                commit("dataset", "collect", "d0@4", name="d0", version=4)
            found = runs_on(ask, store, flow)
            return found if len(found) >= count else []

        return look

    wait_for(started("pretrain", 1), "the pretraining", every=1)
    (judged,) = wait_for(started("evaluate", 1), "the evaluation", every=1)
    trained = wait_for(started("pretrain", 2), "the pretraining on another version", every=1)
    assert judged["parameters"]["config"] == {"model": "m0@1a2b3c4d", "dataset": "d0@2"}
    EvaluateConfig.model_validate(judged["parameters"]["config"])
    configs = [PretrainConfig.model_validate(run["parameters"]["config"]) for run in trained]
    assert sorted((config.dataset, config.name) for config in configs) == [("d0@2", "d0-v2"), ("d0@4", "d0-v4")]
    for run in (judged, *trained):
        ask(f"flow_runs/{run['id']}", method="DELETE")


def smaller(ask: Ask, automation: dict[str, Any], **config: Any) -> None:
    """Changes the configuration that an automation gives a run, as a user does it on the page."""
    (action,) = automation["actions"]
    action["parameters"]["config"] |= config
    change(ask, automation)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_a_collected_dataset_becomes_a_judged_model(
    chain: dict[str, dict[str, Any]], ask: Ask, worker: Worker, start_run: Callable[..., str], tmp_path: Path
) -> None:
    store = str(tmp_path / "store")
    smaller(ask, chain["jepa-chain-pretrain"], recipe="smoke", workers=1, **LOCAL)
    smaller(ask, chain["jepa-chain-evaluate"], protocol="tiny-v1", workers=1, **LOCAL)
    collected = start_run("collect/collect", store=store, config=JOB["collect"])

    def judged() -> list[dict[str, Any]]:
        found = runs_on(ask, store, "evaluate")
        assert not [run for run in found if run["state"]["type"] in ("FAILED", "CRASHED")], found
        return [run for run in found if run["state"]["type"] == "COMPLETED"]

    with worker(tmp_path / "worker.log"):
        (evaluation,) = wait_for(judged, "the evaluation at the chain's end", 1000, every=1)
    (training,) = runs_on(ask, store, "pretrain")
    dataset, model = resolve_dataset(open_store(store), "d@1"), find_model(open_store(store), "d-v1")
    assert model is not None and model.dataset_ref == dataset
    assert training["parameters"]["config"]["dataset"] == "d@1"
    assert evaluation["parameters"]["config"]["model"] == str(model.reference)
    assert (Path(store) / "reports/d-v1/report.html").exists()
    assert kept(ask, collected, "prefect.flow-run.heartbeat")
