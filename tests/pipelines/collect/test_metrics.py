"""A running collection tells its figures on the progress line and as Ray metrics."""

import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.progress import PhaseState, Progress
from infra.storage import Store, open_store
from jepa.core.episodes import Episode
from pipelines.collect import collect, plan_dataset
from pipelines.collect.job import make_dataset
from pipelines.collect.shard import simulate
from pipelines.store import DatasetHandle, DatasetPlan, ShardPlan
from tests.pipelines.small_dataset import small_config


class Record:
    """A sink that keeps what every update showed."""

    def __init__(self) -> None:
        self.shown: list[tuple[int, dict[str, float]]] = []

    def begin(self, phase: PhaseState) -> None:
        return

    def update(self, phase: PhaseState) -> None:
        self.shown.append((phase.done, dict(phase.figures)))

    def end(self, phase: PhaseState, failed: bool) -> None:
        return


failed_once: set[int] = set()


def fail_once(plan: DatasetPlan, shard: ShardPlan) -> Iterator[Episode]:
    if shard.number == 2 and not failed_once:
        failed_once.add(shard.number)
        raise OSError("once")
    return simulate(plan, shard)


def test_episodes_rate_bytes_retries_and_time_left(tmp_path: Path) -> None:
    store, record = open_store(str(tmp_path)), Record()
    manifest = make_dataset(
        DatasetHandle(store, "small"), plan_dataset(small_config()), small_config(), fail_once, Progress(record)
    )
    done, figures = record.shown[-1]
    assert done == 40 and figures["retries"] == 1 and figures["s left"] == 0
    assert figures["MB"] == pytest.approx(manifest.total("bytes") / 1e6) and figures["frames/s"] > 0
    assert record.shown[2][1]["s left"] > 0


def test_what_was_found_done_is_no_work(tmp_path: Path) -> None:
    store, record = open_store(str(tmp_path)), Record()
    collect(small_config(), store)
    for path in ("manifest.json", "versions/000001/manifest.json", "versions/000001/digests.json"):
        store.delete(f"datasets/small/{path}")
    collect(small_config(), store, Progress(record))
    done, figures = record.shown[-1]
    assert done == 40 and figures["MB"] == 0 and figures["frames/s"] == 0


@pytest.mark.slow
@pytest.mark.ray
def test_ray_exports_them(ray_cluster: None, tmp_path: Path) -> None:
    import ray

    store: Store = open_store(str(tmp_path))
    manifest = collect(small_config(executor="ray", actors=2, name="measured"), store)
    (node,) = ray.nodes()
    address = f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics"
    wanted = {"episodes": 40, "frames": manifest.total("frames"), "bytes": manifest.total("bytes")}
    found: dict[str, float] = {}
    deadline = time.monotonic() + 180  # Ray collects its metrics every ten seconds or so
    while found != wanted and time.monotonic() < deadline:
        time.sleep(2)
        lines = urllib.request.urlopen(address, timeout=60).read().decode().splitlines()
        ours = [line for line in lines if line.startswith("ray_jepa_collect_") and 'dataset="measured"' in line]
        values = {line.removeprefix("ray_jepa_collect_").partition("{")[0]: float(line.split()[-1]) for line in ours}
        found = {name: values[key] for name in wanted for key in (f"{name}_total", name) if key in values}
    assert found == wanted
