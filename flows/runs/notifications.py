"""Automations on Prefect's server that report runs that failed, are silent, or do not begin."""

from pathlib import Path
from typing import Any

import yaml
from prefect.client.orchestration import get_client
from prefect.events.schemas.automations import AutomationCore
from prefect.exceptions import ObjectNotFound
from prefect.settings import get_current_settings

from flows.servers.embedded import check_prefect
from infra.errors import AddressError
from jepa.core.errors import InputError

FILE = Path(__file__).with_name("notifications.yaml")


def automations(block_id: str) -> list[AutomationCore]:
    """Returns the automations of `notifications.yaml`, which notify by a block of Prefect's."""
    content: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    action = {"type": "send-notification", "block_document_id": block_id, **content["notification"]}
    return [AutomationCore.model_validate(each | {"actions": [action]}) for each in content["automations"]]


def notify_by(block: str) -> list[str]:
    """Puts the automations on the server that PREFECT_API_URL names, in the place of what it has of them.

    Args:
        block: a notification block that is saved there, by type and name: `slack-webhook/operators`.

    Returns:
        The automations' names.

    Raises:
        InputError: no block is called so, or it sends no notifications.
        AddressError: no server is named, or none answers there.
    """
    kind, _, name = block.partition("/")
    if not kind or not name:
        raise InputError(f"block {block!r} is no TYPE/NAME; `prefect block ls` lists those there are")
    url = get_current_settings().api.url
    if url is None:
        raise AddressError("PREFECT_API_URL is not set; set it to the server whose runs are to be watched")
    check_prefect(url)
    with get_client(sync_client=True) as client:
        try:
            document = client.read_block_document_by_name(name, kind)
        except ObjectNotFound as error:
            raise InputError(
                f"block {block!r} is not on the server; `prefect block ls` lists those there are, and its page under "
                "Blocks makes one"
            ) from error
        if "notify" not in (document.block_schema.capabilities if document.block_schema else []):
            raise InputError(f"block {block!r} sends no notifications; take e.g. a slack-webhook or a custom-webhook")
        wanted = automations(str(document.id))
        for automation in wanted:
            held = client.read_automations_by_name(automation.name)
            if held:
                client.update_automation(held[0].id, automation)
            else:
                client.create_automation(automation)
    return [automation.name for automation in wanted]
