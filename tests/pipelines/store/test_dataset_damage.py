"""Whatever happens to a file of a dataset: readers get the same, or a sentence that names the file; repair is exact."""

import hashlib
import json
import shutil
from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.core.episodes import SPLITS
from jepa.core.errors import InputError
from pipelines.collect import WorkConfig, repair
from pipelines.store import Dataset, DatasetHandle, dataset_names, verify
from tests.pipelines.damage import HARMS, damage
from tests.pipelines.small_dataset import small_dataset, stored_bytes

WORK = WorkConfig(executor="local", actors=1)
SIZE = {"steps": 9, "image_size": 16, "episodes_per_shard": 8, "chunk_frames": 6}
FILES = (
    "manifest.json",
    "episodes.parquet",
    "chunks.parquet",
    "card.md",
    "shards/train/index.json",
    "shards/train/shard-000000.mds",
    "completed/train/shard-000000.json",
    "versions/000001/manifest.json",
    "versions/000001/plan.json",
    "versions/000001/digests.json",
    "versions/000001/chunks.parquet",
    "versions/000002/manifest.json",
    "versions/000002/plan.json",
    "versions/000002/digests.json",
    "versions/000002/episodes.parquet",
    "versions/000002/chunks.parquet",
    "versions/000002/card.md",
    "versions/000002/shards/train/index.json",
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of two versions."""
    folder = tmp_path_factory.mktemp("whole") / "store"
    for episodes in (20, 30):
        small_dataset(open_store(str(folder)), episodes=episodes, **SIZE)
    return folder


@pytest.fixture
def copied(whole: Path, tmp_path: Path) -> Store:
    """The dataset, to be damaged."""
    shutil.copytree(whole, tmp_path / "store")
    return open_store(str(tmp_path / "store"))


def answer(store: Store) -> str:
    """Returns a digest of all that readers get."""
    parts: list[object] = [dataset_names(store), DatasetHandle(store, "small").card()]
    for version in (None, 1):
        dataset = Dataset(store, "small", version=version)
        parts += [str(dataset.manifest.reference), repr(dataset.statistics), dataset.episode_rows.to_pylist()]
        parts.append(dataset.manifest.model_dump_json())
        for split in SPLITS:
            for episode in dataset.episodes(split):
                state = {name: values.tobytes() for name, values in episode.state.items()}
                parts.append((episode.index, episode.seed, episode.pixels.tobytes(), episode.action.tobytes(), state))
    return hashlib.sha256(repr(parts).encode()).hexdigest()


@pytest.mark.parametrize("path", FILES)
def test_reading_gives_the_same_or_names_the_file_and_repair_is_exact(copied: Store, path: str) -> None:
    before, right = stored_bytes(copied), answer(copied)
    for seed in range(len(HARMS)):
        harm = damage(copied, f"datasets/small/{path}", seed)
        try:
            assert answer(copied) == right, (path, harm, seed)
        except (InfraError, InputError) as error:
            assert path in str(error) and "\n" not in str(error), (path, harm, seed, error)
        assert path in {problem.path for problem in verify(DatasetHandle(copied, "small")).problems}, (path, harm, seed)
        repair(DatasetHandle(copied, "small"), WORK)
        assert stored_bytes(copied) == before, (path, harm, seed)


def test_every_file_is_verified(copied: Store) -> None:
    assert verify(DatasetHandle(copied, "small")).unknown == ()
    for path in stored_bytes(copied):
        data = copied.read(f"datasets/small/{path}")
        copied.write(f"datasets/small/{path}", data[:-1] + bytes([data[-1] ^ 1]))
        assert [problem.path for problem in verify(DatasetHandle(copied, "small")).problems] == [path]
        copied.write(f"datasets/small/{path}", data)


def test_each_digit_of_a_manifest_counts(copied: Store) -> None:
    right = answer(copied)
    path = "datasets/small/manifest.json"
    data = copied.read(path)
    places = [place for place, byte in enumerate(data) if byte in b"0123456789"]
    for place in places[:: max(1, len(places) // 40)]:
        copied.write(path, data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        assert not verify(DatasetHandle(copied, "small")).ok and Dataset(copied, "small").manifest.version == 2
    assert answer(copied) == right  # by the whole copy of the version
    repair(DatasetHandle(copied, "small"), WORK)
    assert copied.read(path) == data


def test_what_is_lost_for_good_is_said(copied: Store) -> None:
    for path in ("versions/000001/manifest.json", "versions/000001/digests.json"):
        copied.delete(f"datasets/small/{path}")
    copied.write("datasets/small/versions/000001/manifest.json", b"{}")
    with pytest.raises(InfraError, match=r"versions/000001/manifest\.json is lost for good"):
        repair(DatasetHandle(copied, "small"), WORK)
    assert Dataset(copied, "small").manifest.version == 2


def test_a_store_of_earlier_code_is_read_and_what_cannot_be_known_is_said(early_store: Store) -> None:
    report = verify(DatasetHandle(early_store, "golden"))
    assert report.ok and len(report.unknown) == 1 and "without digests.json" in report.unknown[0]
    before = stored_bytes(early_store, "golden")
    repair(DatasetHandle(early_store, "golden"), WORK)
    after = stored_bytes(early_store, "golden")
    assert verify(DatasetHandle(early_store, "golden")).unknown == ()
    assert after.keys() - before.keys() == {"versions/000001/digests.json"}
    assert all(after[path] == data for path, data in before.items())


def test_manifest_and_copy_of_earlier_code_that_differ_are_refused(early_store: Store) -> None:
    path = "datasets/golden/manifest.json"
    document = json.loads(early_store.read(path))
    document["shards"].pop()
    early_store.write(path, json.dumps(document).encode())
    with pytest.raises(InfraError, match=r"versions/000001/manifest\.json and its copy .* differ"):
        Dataset(early_store, "golden")
    assert not verify(DatasetHandle(early_store, "golden")).ok
