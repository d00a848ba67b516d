"""A cluster for the tests that are marked `ray`."""

import pytest


@pytest.fixture(autouse=True)
def cluster(request: pytest.FixtureRequest) -> None:
    """Starts Ray for the tests that say so, and for no other."""
    if request.node.get_closest_marker("ray"):
        request.getfixturevalue("ray_cluster")
