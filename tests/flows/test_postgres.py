"""Prefect's server on PostgreSQL, as on a cluster: all deployments, and two workers that share the runs."""

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import serve_prefect
from tests.flows.conftest import Ask, asking, prefect_command, user_of, wait_for, worker_of
from tests.flows.events import emit
from tests.flows.postgres import serve_postgres
from tests.flows.test_deployment import JOB

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.prefect]

RUNS = 4


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A Prefect server on PostgreSQL, with all deployments made."""
    home = tmp_path_factory.mktemp("prefect-on-postgres")
    with (
        serve_postgres() as url,
        serve_prefect(home, PREFECT_API_DATABASE_CONNECTION_URL=url) as variables,
    ):
        prefect = prefect_command(user_of(variables))
        prefect("work-pool", "create", "local", "--type", "process")
        prefect("--no-prompt", "deploy", "--all")
        assert list(home.glob("*.db")) == []  # nothing is in SQLite
        yield variables


@pytest.fixture(scope="module")
def ask_it(server: dict[str, str]) -> Ask:
    """Asks its API."""
    return asking(server["PREFECT_API_URL"])


def start(ask: Ask, deployment: str, parameters: dict[str, Any]) -> str:
    found = ask(f"deployments/name/{deployment}", method="GET")
    return str(ask(f"deployments/{found['id']}/create_flow_run", {"parameters": parameters})["id"])


@pytest.mark.timeout(1200)
def test_two_workers_do_each_run_once(server: dict[str, str], ask_it: Ask, tmp_path: Path) -> None:
    configs = [JOB["collect"] | {"name": f"d{number}", "episodes": 4, "steps": 8} for number in range(RUNS)]
    runs = [start(ask_it, "collect/collect", {"store": str(tmp_path / "store"), "config": one}) for one in configs]
    filtered = {"flow_runs": {"id": {"any_": runs}}}

    def done() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ask_it("flow_runs/filter", filtered)
        return found if all(run["state"]["type"] in ("COMPLETED", "FAILED", "CRASHED") for run in found) else []

    worker = worker_of(user_of(server))
    with worker(tmp_path / "first.log") as first, worker(tmp_path / "second.log") as second:
        ended = wait_for(done, "the end of all runs", 900, every=1)
        online = ask_it("work_pools/local/workers/filter")
        assert first.poll() is None and second.poll() is None
    # A run that both had started would have been run twice, or have two tasks.
    assert [(run["state"]["name"], run["run_count"]) for run in ended] == [("Completed", 1)] * RUNS
    tasks = ask_it("task_runs/filter", filtered)
    assert sorted(task["flow_run_id"] for task in tasks) == sorted(runs)
    assert len([one for one in online if one["status"] == "ONLINE"]) == 2
    for one in configs:
        assert (tmp_path / f"store/datasets/{one['name']}/manifest.json").exists()


@pytest.mark.timeout(600)
def test_the_chain_starts_one_run(ask_it: Ask) -> None:
    (automation,) = [found for found in ask_it("automations/filter") if found["name"] == "jepa-chain-pretrain"]
    ask_it(f"automations/{automation['id']}", {"enabled": True}, "PATCH")
    store = f"/nowhere/{uuid.uuid4().hex}"

    def started() -> list[dict[str, Any]]:
        payload = {"store": store, "reference": "d0@2", "name": "d0", "version": 2}
        key = f"file://{store}/datasets/d0@2"
        emit(ask_it, "jepa.dataset.committed", key, payload, ("deployment", "collect"))
        found = ask_it("flow_runs/filter", {"flows": {"name": {"any_": ["pretrain"]}}})
        return [run for run in found if run["parameters"]["store"] == store]

    (run,) = wait_for(started, "the pretraining", 120, every=1)
    assert run["parameters"]["config"]["name"] == "d0-v2"
