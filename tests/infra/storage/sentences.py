"""The sentence by which a store says why it cannot be used."""

import pytest

from infra.errors import InfraError
from infra.storage import open_store


def sentence(uri: str) -> str:
    """Returns the one sentence by which the store's check fails."""
    with pytest.raises(InfraError) as caught:
        open_store(uri).check()
    message = str(caught.value)
    assert "\n" not in message and len(message) < 300 and "very-secret" not in message
    return message
