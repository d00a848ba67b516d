"""What Prefect's own services do for our deployments, on a real server: scheduling, late runs, automations."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.flows.conftest import Ask, Prefect, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.prefect]

WRITTEN = yaml.safe_load((ROOT / "prefect.yaml").read_text())["deployments"]
SERVICES = re.compile(r"\b(ERROR|CRITICAL)\b.*(prefect\.server\.(services|events)|docket)(?!.*telemetry)")
"""Complaints of a server's services; a database that is busy for a moment is another's."""


CRONS = {
    "world-model/nightly": "0 3 * * *",
    "maintenance/maintenance": "*/15 * * * *",
    "compact/compact": "30 4 * * *",
}


@pytest.fixture(params=CRONS)
def deployed(request: pytest.FixtureRequest, prefect: Prefect, ask: Ask) -> dict[str, Any]:
    """A deployment with a schedule, as `prefect deploy` makes it; its full name is `asked`."""
    deployment: dict[str, Any] = ask(f"deployments/name/{request.param}", method="GET")
    return deployment | {"asked": request.param}


@pytest.fixture
def activated(deployed: dict[str, Any], ask: Ask, prefect: Prefect) -> Iterator[dict[str, Any]]:
    """The same with its schedule activated as a user does it."""
    (schedule,) = deployed["schedules"]
    prefect("deployment", "schedule", "resume", deployed["asked"], schedule["id"])
    yield ask(f"deployments/{deployed['id']}", method="GET")
    prefect("deployment", "schedule", "pause", deployed["asked"], schedule["id"])


def runs_of(ask: Ask, deployment: str, state: str) -> list[dict[str, Any]]:
    body = {
        "deployments": {"id": {"any_": [deployment]}},
        "flow_runs": {"state": {"name": {"any_": [state]}}},
        "sort": "EXPECTED_START_TIME_ASC",
    }
    runs: list[dict[str, Any]] = ask("flow_runs/filter", body)
    return runs


def test_all_schedules_are_looked_at() -> None:
    assert {one["name"] for one in WRITTEN if "schedules" in one} == {name.rpartition("/")[2] for name in CRONS}


def test_the_schedule_is_off_until_somebody_activates_it(deployed: dict[str, Any], ask: Ask) -> None:
    (schedule,) = deployed["schedules"]
    assert schedule["schedule"]["cron"] == CRONS[deployed["asked"]]
    assert not schedule["active"] and not schedule["parameters"]
    assert runs_of(ask, deployed["id"], "Scheduled") == []


def test_an_activated_schedule_makes_runs_with_the_parameters_of_the_file(activated: dict[str, Any], ask: Ask) -> None:
    runs = wait_for(lambda: runs_of(ask, activated["id"], "Scheduled"), "a scheduled run")
    first = datetime.fromisoformat(runs[0]["expected_start_time"])
    (written,) = [deployment for deployment in WRITTEN if deployment["name"] == activated["name"]]
    minute, hour = written["schedules"][0]["cron"].split()[:2]
    assert first.hour == int(hour) if hour != "*" else first.minute % int(minute.removeprefix("*/")) == 0
    assert first - datetime.now(UTC) < timedelta(days=1)
    assert written["parameters"].get("by_day", False) is (activated["name"] == "nightly")
    for run in runs:
        assert run["parameters"] == written["parameters"]


def test_a_run_that_nobody_starts_is_marked_late(start_run: Callable[..., str], ask: Ask) -> None:
    run = start_run("collect/collect", state=scheduled(-120))
    wait_for(lambda: ask(f"flow_runs/{run}", method="GET")["state"]["name"] == "Late", "the mark")
    ask(f"flow_runs/{run}", method="DELETE")


def test_an_automation_acts_on_a_late_run(start_run: Callable[..., str], ask: Ask) -> None:
    deployment = ask("deployments/name/collect/collect", method="GET")
    automation = ask("automations/", cancelling_late_runs(deployment["id"]))
    try:
        run = start_run("collect/collect", state=scheduled(-120))
        state = wait_for(lambda: ended(ask, run), "the cancellation by the automation")
        assert state["type"] in ("CANCELLED", "CANCELLING")
    finally:
        ask(f"automations/{automation['id']}", method="DELETE")


@pytest.mark.parametrize("deployed", ["world-model/nightly"], indirect=True)
def test_no_service_of_the_server_has_failed(
    activated: dict[str, Any], ask: Ask, prefect_server: dict[str, str]
) -> None:
    # A service that fails says so in the server's log alone; by now each of them has had something to do.
    wait_for(lambda: runs_of(ask, activated["id"], "Scheduled"), "a scheduled run")
    log = (Path(prefect_server["PREFECT_HOME"]) / "server.log").read_text()
    assert [line for line in log.splitlines() if SERVICES.search(line)] == []


def scheduled(seconds: float) -> dict[str, Any]:
    """Returns the state of a run that is to start so many seconds from now."""
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    return {"type": "SCHEDULED", "state_details": {"scheduled_time": at.isoformat()}}


def ended(ask: Ask, run: str) -> dict[str, Any] | None:
    state: dict[str, Any] = ask(f"flow_runs/{run}", method="GET")["state"]
    return state if state["type"] != "SCHEDULED" else None


def cancelling_late_runs(deployment: str) -> dict[str, Any]:
    """Returns an automation that cancels the late runs of a deployment."""
    return {
        "name": "cancel late runs",
        "trigger": {
            "type": "event",
            "match": {"prefect.resource.id": "prefect.flow-run.*"},
            "match_related": {"prefect.resource.id": f"prefect.deployment.{deployment}"},
            "expect": ["prefect.flow-run.Late"],
            "posture": "Reactive",
            "threshold": 1,
            "within": 0,
        },
        "actions": [{"type": "cancel-flow-run"}],
    }
