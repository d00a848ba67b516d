"""Episodes that planning problems are drawn from, simulated once for all tests of planners."""

import pytest

from tests.jepa.evaluation.standins import MemorySource


@pytest.fixture(scope="session")
def source() -> MemorySource:
    return MemorySource({"test": 60})
