"""A stranger's dataset whose digests are right and whose figures cannot be is one sentence, without memory for them."""

import json
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.loader.native.buffers import batch_shape
from pipelines.store import Dataset, DatasetHandle
from pipelines.store.parquet import parquet_bytes, read_parquet
from pipelines.store.sealed import seal, sha256, unseal
from tests.pipelines.loader.loading import clip_request
from tests.pipelines.small_dataset import small_dataset

ROOT = "datasets/small/"
VERSION = f"{ROOT}versions/000001/"
CASES: tuple[tuple[tuple[str | int, ...], Any], ...] = (
    (("image_size",), [10**6, 10**6]),
    (("image_size",), [0, 16]),
    (("image_size",), [-1, -1]),
    (("action_size",), 10**9),
    (("action_size",), -1),
    (("action_size",), 3),
    (("quantities",), {"agent": 10**12}),
    (("version",), -1),
    (("plan", "episodes"), 10**12),
    (("plan", "steps"), 10**15),
    (("plan", "episodes_per_shard"), 10**15),
    (("plan", "chunk_frames"), 10**15),
    (("plan", "extends"), [10, 5]),
    (("plan", "extends"), [500]),
    (("plan", "shares"), {"train": 0}),
    (("shards", 0, "frames"), 10**12),
    (("shards", 0, "frames"), -5),
    (("shards", 0, "chunks"), 10**12),
    (("shards", 0, "episodes"), 10**12),
    (("shards", 0, "bytes"), -1),
    (("statistics", "action", "count"), 0),
    (("statistics", "action", "squares"), [-1.0, -1.0]),
    (("statistics", "action", "mean"), [0.0] * 1000),
)


@pytest.fixture
def foreign(tmp_path: Path) -> Store:
    store = open_store(str(tmp_path))
    small_dataset(store, episodes=20, steps=5, image_size=16)
    return store


@pytest.fixture
def little_memory() -> Iterator[None]:
    """Fails whoever takes gigabytes, which a machine with much memory would give."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def forge(store: Store, path: tuple[str | int, ...], value: Any) -> None:
    """Writes a value into the manifest, and the digests that belong to it."""
    manifest = json.loads(store.read(f"{VERSION}manifest.json"))
    place = manifest
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = value
    data = json.dumps(manifest, sort_keys=True, indent=1).encode()
    digests = json.loads(unseal(store.read(f"{VERSION}digests.json")))
    digests["files"]["versions/000001/manifest.json"] = sha256(data)
    store.write(f"{VERSION}digests.json", seal((json.dumps(digests, sort_keys=True, indent=1) + "\n").encode()))
    for name in (f"{ROOT}manifest.json", f"{VERSION}manifest.json"):
        store.write(name, data)


@pytest.mark.parametrize(("path", "value"), CASES, ids=lambda part: str(part)[:40])
def test_a_figure_that_cannot_be_is_refused_as_it_is_read(
    path: tuple[str | int, ...], value: Any, foreign: Store, little_memory: None
) -> None:
    forge(foreign, path, value)
    with pytest.raises(InfraError, match=r"manifest\.json is not a manifest that this version reads") as caught:
        DatasetHandle(foreign, "small").require()
    message = str(caught.value)
    assert any(str(part) in message for part in (path[0], path[-1], str(path[-1]).partition("_")[0]))
    assert "\n" not in message and len(message) < 500


@pytest.mark.parametrize(("column", "value"), [("frames", 10**12), ("frames", 5), ("offset", -1), ("first_frame", -1)])
def test_a_table_of_chunks_that_the_manifest_does_not_have_is_refused(
    column: str, value: int, foreign: Store, little_memory: None
) -> None:
    table = read_parquet(foreign.read(f"{VERSION}chunks.parquet"))
    values = table[column].to_pylist()
    values[0] = value
    place = table.schema.get_field_index(column)
    data = parquet_bytes(table.set_column(place, column, pa.array(values, pa.int64())))
    foreign.write(f"{VERSION}chunks.parquet", data)
    forge(foreign, ("files", "chunks.parquet"), sha256(data))
    split = table["split"][0].as_py()
    with pytest.raises(InfraError, match=rf"chunks\.parquet has other chunks of split '{split}' than the manifest"):
        Dataset(foreign, "small").chunk_table(split)


@pytest.mark.parametrize("file", ["chunks", "episodes"])
def test_a_table_of_other_columns_is_refused(file: str, foreign: Store) -> None:
    path = f"{VERSION}{file}.parquet"
    whole = read_parquet(foreign.read(path))
    place = whole.schema.get_field_index("split")
    for wrong in (
        whole.drop_columns(["split"]),
        whole.append_column("split", whole["split"]),
        whole.set_column(place, "split", pa.array(range(len(whole)))),
        whole.set_column(place, "split", pa.nulls(len(whole), pa.string())),
    ):
        data = parquet_bytes(wrong)
        foreign.write(path, data)
        forge(foreign, ("files", f"{file}.parquet"), sha256(data))
        with pytest.raises(InfraError, match=rf"{file}\.parquet is no table of a dataset \(column 'split'"):
            list(Dataset(foreign, "small").episodes("train"))


def test_batches_that_the_machine_has_no_memory_for_are_refused(foreign: Store, little_memory: None) -> None:
    request = clip_request(Dataset(foreign, "small"))
    assert np.prod(batch_shape(request).pixels) > 0
    forge(foreign, ("image_size",), [8192, 8192])
    huge = clip_request(Dataset(foreign, "small"), batch_size=4096)
    with pytest.raises(InputError, match=r"two batches of 4096 clips .* 8192×8192 pixels take .* GiB and this machine"):
        batch_shape(huge)
