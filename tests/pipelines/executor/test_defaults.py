"""Where nothing is said, `executor: local` is one worker in this process, in every job alike."""

from collections.abc import Callable

import pytest

from pipelines.collect import CollectConfig
from pipelines.collect.config import WorkConfig
from pipelines.evaluate import EvaluateConfig
from pipelines.executor.defaults import one_local_worker
from pipelines.pretrain import PretrainConfig

JOBS: dict[str, Callable[..., int]] = {
    "collect": lambda **given: CollectConfig.model_validate(given).actors,
    "repair": lambda **given: WorkConfig.model_validate(given).actors,
    "pretrain": lambda **given: PretrainConfig.model_validate({"dataset": "d0", "name": "m0", **given}).workers,
    "evaluate": lambda **given: EvaluateConfig.model_validate({"model": "m0", **given}).workers,
}


@pytest.mark.parametrize("job", JOBS)
def test_a_local_job_is_one_worker_unless_more_are_asked_for(job: str) -> None:
    field = "actors" if job in ("collect", "repair") else "workers"
    assert JOBS[job](executor="local") == 1
    assert JOBS[job](executor="local", **{field: 3}) == 3
    assert JOBS[job](executor="ray") == JOBS[job]() > 1


def test_what_is_no_mapping_is_left_to_who_checks_it() -> None:
    assert one_local_worker("local") == "local"
