"""A running collection tells its figures on the progress line and as Ray metrics."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.observability.metric_names import RAY_METRICS
from infra.progress import PhaseState, Progress
from infra.storage import open_store
from jepa.core.episodes import Episode
from pipelines.collect import collect, plan_dataset
from pipelines.collect.job import make_dataset
from pipelines.collect.shard import simulate
from pipelines.store import DatasetHandle, DatasetPlan, ShardPlan
from tests.pipelines.small_dataset import small_config
from tests.scraped import exported, wait_for_metrics


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


@dataclass(frozen=True)
class FailOnce:
    """Records episodes as usual, but for the first time that one shard is made, in whatever process."""

    mark: Path

    def __call__(self, plan: DatasetPlan, shard: ShardPlan) -> Iterator[Episode]:
        if shard.number == 2 and not self.mark.exists():
            self.mark.touch()
            raise OSError("once")
        return simulate(plan, shard)


def test_episodes_rate_bytes_retries_and_time_left(tmp_path: Path) -> None:
    store, record, fail = open_store(str(tmp_path)), Record(), FailOnce(tmp_path / "failed")
    manifest = make_dataset(
        DatasetHandle(store, "small"), plan_dataset(small_config()), small_config(), fail, Progress(record)
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
    """Every listed metric of a collection, of which one shard was made again."""
    work = small_config(executor="ray", actors=2, name="measured")
    fail = FailOnce(tmp_path / "failed")
    store = open_store(str(tmp_path / "store"))
    manifest = make_dataset(DatasetHandle(store, "measured"), plan_dataset(work), work, fail, Progress())
    sums = {"episodes": 40, "frames": manifest.total("frames"), "bytes": manifest.total("bytes"), "retries": 1}
    counted = {f"ray_jepa_collect_{name}_total": float(value) for name, value in sums.items()}
    found = wait_for_metrics("measured", exported("jepa_collect_"), counted)
    assert found["ray_jepa_collect_frames_per_second"] > 0
    wait_for_metrics("collect-measured", exported("jepa_run_"))
    of_nodes = set(RAY_METRICS) - {"ray_node_gpus_utilization"}  # which only a node with a GPU has
    assert of_nodes <= wait_for_metrics("", of_nodes).keys()
