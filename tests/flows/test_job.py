"""What all flows do with a wrong address, with a typo in a parameter's name, and with what our loggers say."""

import inspect
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from prefect import Flow

from flows.collect import collect
from flows.evaluate import evaluate
from flows.job import job, typo
from flows.pretrain import pretrain
from infra.errors import InfraError
from pipelines.collect import CollectConfig
from pipelines.evaluate import EvaluateConfig
from pipelines.executor import UnitsError, run_units
from pipelines.pretrain import PretrainConfig
from tests.flows.conftest import Ask, Prefect, Worker, wait_for
from tests.pipelines.executor.units import fail_at_first, fail_at_three

CONFIGS: dict[str, tuple[Flow[..., Any], Any]] = {
    "collect": (collect, CollectConfig()),
    "pretrain": (pretrain, PretrainConfig(dataset="d", name="m")),
    "evaluate": (evaluate, EvaluateConfig(model="m")),
}


@pytest.mark.parametrize("flow", CONFIGS)
def test_a_store_that_does_not_answer_is_not_tried_again(flow: str, monkeypatch: pytest.MonkeyPatch) -> None:
    called, config = CONFIGS[flow]
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    # The function itself and no task of it, which Prefect would try three times.
    monkeypatch.setattr(f"flows.{flow}.{flow}_task", lambda *_, **__: pytest.fail("a task has begun"))
    with pytest.raises(InfraError, match=r"s3://bucket/prefix.* AWS_ENDPOINT_URL"):
        called.fn(config, "s3://bucket/prefix")


def test_a_typo_in_a_parameter_is_a_sentence() -> None:
    signature = inspect.signature(collect.fn)
    words = "parameter 'stoer' is not known; did you mean 'store'? There are: config, store"
    assert typo({"config": {}, "stoer": "runs/"}, signature) == words
    assert typo({"config": {}, "store": "runs/"}, signature) is None


@pytest.mark.slow
@pytest.mark.prefect
@pytest.mark.timeout(300)
def test_a_typo_ends_a_run_with_the_sentence(
    worker: Worker, start_run: Callable[..., str], ask: Ask, tmp_path: Path
) -> None:
    run = start_run("collect/collect", stoer=str(tmp_path))
    with worker(tmp_path / "worker.log"):
        state = wait_for(lambda: ended(ask, run), "the end of the run", 200)
    assert state["type"] == "FAILED" and "did you mean 'store'?" in state["message"]


def ended(ask: Ask, run: str) -> dict[str, Any] | None:
    state: dict[str, Any] = ask(f"flow_runs/{run}", method="GET")["state"]
    return state if state["type"] in ("FAILED", "CRASHED", "COMPLETED") else None


@pytest.mark.slow
@pytest.mark.prefect
def test_retries_tracebacks_and_warnings_are_in_the_log_of_the_run(
    prefect: Prefect, prefect_server: dict[str, str], ask: Ask, tmp_path: Path
) -> None:
    from prefect.runtime import flow_run
    from prefect.settings import PREFECT_API_URL, temporary_settings

    @job("talkative", run_name="talkative")
    def talkative(folder: str) -> str:
        logging.getLogger("pipelines.somewhere").warning("the disk is nearly full")
        run_units(partial(fail_at_first, Path(folder)), [1, 2], executor="local", workers=2, retries=2)
        with pytest.raises(UnitsError):
            run_units(fail_at_three, [3], executor="local", workers=1, retries=0)
        return str(flow_run.id)

    with temporary_settings({PREFECT_API_URL: prefect_server["PREFECT_API_URL"]}):
        run = talkative(str(tmp_path))

    def lines() -> list[str]:
        found = ask("logs/filter", {"logs": {"flow_run_id": {"any_": [run]}}})
        return [line["message"] for line in found]

    wait_for(lambda: any("the disk is nearly full" in line for line in lines()), "the warning", 30)
    wait_for(lambda: any("it is tried again: OSError: once" in line for line in lines()), "the retry", 30)
    (retry, *_) = [line for line in lines() if "it is tried again" in line]
    assert "Traceback" in retry and "raise OSError" in retry
    wait_for(lambda: any("3 failed" in line and "it is given up" in line for line in lines()), "the failed unit", 60)
    (lost,) = [line for line in lines() if "it is given up" in line]
    assert "Traceback" in lost and "in fail_at_three" in lost
