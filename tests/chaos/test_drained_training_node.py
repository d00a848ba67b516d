"""A node is drained during a training that may not fail once: it checkpoints at once and goes on with fewer workers."""

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.storage import open_store
from pipelines.pretrain import find_model
from pipelines.store.logs import LogFolder, job_status
from pipelines.store.models.curve import read_curve
from pipelines.store.models.manifest import ModelHandle
from tests.chaos.drain_a_training_node import NAME
from tests.chaos.lose_training_nodes import STEPS
from tests.narrow import present
from tests.pipelines.small_dataset import small_dataset

pytestmark = [pytest.mark.long, pytest.mark.ray]

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(900)
def test_a_drained_node_costs_no_step_and_counts_as_no_failure(tmp_path: Path) -> None:
    store = open_store(str(tmp_path))
    small_dataset(store, name="d0", steps=40)
    command = [sys.executable, "-m", "tests.chaos.drain_a_training_node", store.uri]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=800)
    assert answer.returncode == 0, answer.stderr[-3000:]
    stopped = int(present(re.search(r"stopped at step (\d+), kept", answer.stdout))[1])
    assert 0 < stopped < STEPS and find_model(store, NAME) is not None
    rows = read_curve(ModelHandle(store, NAME), last_step=STEPS).rows
    workers = {int(row["step"]): float(row["value"]) for row in rows if row["metric"] == "workers"}
    assert {step: count for step, count in workers.items() if step <= stopped and count != 2} == {}
    assert {step: count for step, count in workers.items() if step > stopped and count != 1} == {}
    assert min(workers) <= stopped < max(workers) == STEPS
    log = LogFolder(store, "pretrain", NAME)
    attempts = [record for name, record in log.units() if name.startswith("attempt-")]
    assert [record.status for record in attempts] == ["interrupted", "done"]
    assert not any(record.failures for record in attempts)
    job = present(job_status(store, f"pretrain-{NAME}", datetime.now(UTC)))
    assert (job.status, job.record.failed, job.record.retries) == ("done", 0, 0)
