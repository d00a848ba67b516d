"""Events as a run sends them, and those that the server has kept."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.flows.conftest import Ask, wait_for


def emit(ask: Ask, name: str, resource: str, payload: dict[str, Any], *related: tuple[str, str]) -> None:
    """Sends an event.

    Args:
        ask: asks the server.
        name: of the event.
        resource: what it is about.
        payload: what it says.
        related: role and name of what it has to do with.
    """
    others = [
        {"prefect.resource.id": f"prefect.{role}.{name}", "prefect.resource.role": role, "prefect.resource.name": name}
        for role, name in related
    ]
    event = {
        "id": str(uuid.uuid4()),
        "occurred": datetime.now(UTC).isoformat(),
        "event": name,
        "resource": {"prefect.resource.id": resource},
        "related": others,
        "payload": payload,
    }
    ask("events", [event])


def kept(ask: Ask, run: str, name: str, least: int = 1) -> list[dict[str, Any]]:
    """Returns the events of a name, or of names that begin so if it ends with '*', that a flow run is involved in.

    The server writes them down some seconds after they came, so that many are waited for.
    """
    key, value = ("prefix", [name[:-1]]) if name.endswith("*") else ("name", [name])
    about = {"id": [f"prefect.flow-run.{run}"]}

    def look() -> Sequence[dict[str, Any]]:
        answer = ask("events/filter", {"filter": {"event": {key: value}, "any_resource": about}, "limit": 50})
        found: list[dict[str, Any]] = answer["events"]
        return found if len(found) >= least else []

    return list(wait_for(look, f"{least} events {name} of run {run}"))
