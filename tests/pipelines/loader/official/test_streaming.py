"""mosaicml-streaming behind our interface: the same clips, nothing left behind, and its rank is ours."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from infra.settings import S3Settings
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.loader.official.streaming import StreamingLoader
from pipelines.store import Dataset
from tests.conftest import ROOT
from tests.infra.storage.s3_answers import silent
from tests.pipelines.loader.official.reading import assert_clips_are_those_of_the_episodes, opened
from tests.pipelines.loader.stores import copied


def left_behind(number: int) -> list[Path]:
    folders = Path("/dev/shm"), Path(tempfile.gettempdir())
    return [path for folder in folders for path in folder.glob(f"{number:06d}_*")]


@pytest.mark.slow
def test_clips_are_those_of_the_episodes(dataset: Dataset, store: Store, tmp_path: Path) -> None:
    assert_clips_are_those_of_the_episodes(copied(dataset, store), "streaming", tmp_path / "cache" / "shards")


def test_nothing_is_left_behind(dataset: Dataset, tmp_path: Path) -> None:
    with opened(dataset, "streaming", tmp_path / "cache" / "shards") as loader:
        assert isinstance(loader, StreamingLoader)
        next(loader)
        number = int(loader._reader._shm_prefix_int)
        assert left_behind(number)
    assert not left_behind(number)


SCRIPT = """
import sys
from pathlib import Path
from infra.storage import open_store
from pipelines.store import open_dataset, resolve_dataset
from tests.pipelines.loader.official.reading import opened

store = open_store(sys.argv[1])
dataset = open_dataset(store, resolve_dataset(store, sys.argv[2]))
with opened(dataset, "streaming", Path(sys.argv[3])) as loader:
    next(loader)
"""


@pytest.mark.slow
def test_a_process_that_has_read_ends_without_a_warning(dataset: Dataset, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SCRIPT, dataset.store.uri, dataset.name, str(tmp_path / "cache" / "shards")]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert ended.returncode == 0, ended.stderr
    assert "shared_memory" not in ended.stderr and "resource_tracker" not in ended.stderr


@pytest.mark.s3
def test_a_server_that_falls_silent_ends_the_reading(
    dataset: Dataset, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its index comes from our own store, whose server answers; its shards come from one that does not."""
    remote = copied(dataset, open_store(s3))
    monkeypatch.setattr("pipelines.loader.official.streaming.SILENCE_SECONDS", 0.05)
    with silent() as (endpoint, connections):
        monkeypatch.setattr(S3Settings, "environment", lambda settings: {"S3_ENDPOINT_URL": endpoint})
        with (
            opened(remote, "streaming", tmp_path / "cache" / "shards") as loader,
            pytest.raises(Exception, match=endpoint),
        ):
            next(loader)
    assert connections


def test_workers_that_were_not_launched_as_such_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    with (
        opened(dataset, "streaming", tmp_path / "shards", rank=1, world_size=2) as loader,
        pytest.raises(InputError, match="WORLD_SIZE, which say 0 of 1 and not 1 of 2; launch"),
    ):
        next(loader)
