"""`jepa notify`, on a real server: a failed and a silent run are reported by the block that is named."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.cli.main import main
from tests.flows.conftest import Ask, wait_for
from tests.flows.events import emit
from tests.flows.test_schedule import scheduled
from tests.http_servers import Handler, served

pytestmark = [pytest.mark.slow, pytest.mark.prefect]

Webhook = tuple[str, list[dict[str, str]]]
"""The address of a web server, and what has been posted to it."""

NAMES = {"jepa-notify-failed", "jepa-notify-late", "jepa-notify-silent", "jepa-notify-stuck"}


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    """The address of a web server, and what has been posted to it."""
    posted: list[dict[str, str]] = []

    class Answers(Handler):
        def do_POST(self) -> None:
            posted.append(json.loads(self.body()))
            self.send_response(200)
            self.end_headers()

    with served(Answers) as address:
        yield address, posted


@pytest.fixture
def api(prefect_server: dict[str, str]) -> Iterator[None]:
    """Leads this process to the server."""
    with temporary_settings({PREFECT_API_URL: prefect_server["PREFECT_API_URL"]}):
        yield


@pytest.fixture
def block(api: None, webhook: Webhook) -> Iterator[str]:
    """A notification block that posts to the web server."""
    body = {"subject": "{{subject}}", "body": "{{body}}"}
    CustomWebhookNotificationBlock(name="operators", url=webhook[0], json_data=body).save("operators", overwrite=True)
    yield "custom-webhook/operators"
    CustomWebhookNotificationBlock.delete("operators")


def reported(webhook: Webhook, run: dict[str, Any], what: str) -> list[str]:
    """Returns the notifications of a run."""
    bodies = [post["body"] for post in webhook[1] if post["subject"] == f"jepa: {what}"]
    return [body for body in bodies if f"Run {run['name']} of" in body]


def automations(ask: Ask) -> list[dict[str, Any]]:
    return [found for found in ask("automations/filter") if found["name"] in NAMES]


@pytest.fixture
def notified(block: str, ask: Ask) -> Iterator[None]:
    """The automations, put on the server by the command, twice; a silent run is reported after 10 s already."""
    assert main(["notify", block]) == main(["notify", block]) == 0
    for automation in automations(ask):
        if automation["name"] == "jepa-notify-silent":
            fields = {field: automation[field] for field in ("name", "description", "trigger", "actions")}
            fields["trigger"]["within"] = 10  # the least that there is
            ask(f"automations/{automation['id']}", fields, "PUT")
    yield
    for automation in automations(ask):
        ask(f"automations/{automation['id']}", method="DELETE")


def test_a_failed_run_is_reported(notified: None, webhook: Webhook, start_run: Callable[..., str], ask: Ask) -> None:
    assert sorted(found["name"] for found in automations(ask)) == sorted(NAMES)
    run = ask(f"flow_runs/{start_run('collect/collect', state=scheduled(3600))}", method="GET")
    state = {"type": "FAILED", "name": "Failed", "message": "the store is full"}
    ask(f"flow_runs/{run['id']}/set_state", {"state": state, "force": True})
    body, *_ = wait_for(lambda: reported(webhook, run, "a run failed"), "the notification of a failed run", 120)
    assert "of collect is Failed since" in body and "the store is full" in body
    ask(f"flow_runs/{run['id']}", method="DELETE")


@pytest.mark.long
def test_a_silent_run_is_reported(notified: None, webhook: Webhook, start_run: Callable[..., str], ask: Ask) -> None:
    run = ask(f"flow_runs/{start_run('collect/collect', state=scheduled(3600))}", method="GET")
    ask(f"flow_runs/{run['id']}/set_state", {"state": {"type": "RUNNING", "name": "Running"}, "force": True})
    related = (("tag", "jepa"), ("flow", run["flow_id"]))
    beats: list[str] = []

    def beat() -> list[str]:
        # The first may come before the server has heard of the automation; the one after the last is missed.
        if len(beats) < 3:
            beats.append("a heartbeat")
            emit(ask, "prefect.flow-run.heartbeat", f"prefect.flow-run.{run['id']}", {}, *related)
        return reported(webhook, run, "a run is silent, its process is probably gone")

    body, *_ = wait_for(beat, "the notification of a silent run", 120, every=1)
    assert "of collect is Running since" in body
    ask(f"flow_runs/{run['id']}", method="DELETE")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("operators", "block 'operators' is no TYPE/NAME"),
        ("slack-webhook/nobody", "block 'slack-webhook/nobody' is not on the server"),
    ],
)
def test_a_block_that_is_not_there_is_a_sentence(
    given: str, sentence: str, api: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["notify", given]) == 2 and sentence in capsys.readouterr().err


def test_without_a_server_nothing_is_started(capsys: pytest.CaptureFixture[str]) -> None:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        assert main(["notify", "slack-webhook/operators"]) == 2
    assert "no Prefect server answers at 'http://127.0.0.1:9/api'" in capsys.readouterr().err
