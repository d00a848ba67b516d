"""The tests of this room change how this process talks to Ray, while the session's own Ray runs."""

import pytest


@pytest.fixture(autouse=True)
def left_as_found(ray_looks_again: None) -> None:
    """Leaves the access to the session's Ray as it was."""
