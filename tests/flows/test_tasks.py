"""What Prefect tries again: a lost worker or a silent store, and nothing that would be the same the next time."""

import asyncio
from typing import Any

import pytest

from flows.tasks import is_transient
from infra.errors import InfraError
from jepa.core.errors import InputError
from jepa.training.trainer import TrainingFailure
from pipelines.loader.native.fetch import DamagedChunkError
from pipelines.store import DatasetGoneError
from pipelines.store.models.claim import ClaimLostError


class Failed:
    """A state of Prefect's that holds an error."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    async def aresult(self, raise_on_failure: bool) -> Any:
        assert not raise_on_failure
        return self._error


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (InfraError("no answer"), True),
        (OSError("no answer"), True),
        (InputError("wrong"), False),
        (TrainingFailure("loss is nan"), False),
        (DamagedChunkError("damaged", 3), False),
        (DatasetGoneError("gone"), False),
        (ClaimLostError("lost"), False),
        (KeyError("a fault"), False),
    ],
)
def test_what_is_tried_again(error: BaseException, again: bool) -> None:
    assert asyncio.run(is_transient(None, None, Failed(error))) is again
