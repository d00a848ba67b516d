"""A path that comes out of a file never leads out of the store, whichever reader follows it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.core.errors import InputError
from pipelines.pretrain import pretrain
from pipelines.store import Dataset, DatasetHandle, verify
from pipelines.store.models.manifest import ModelHandle
from pipelines.store.reports import committed_units, read_table, write_tables
from pipelines.store.reports.tables import Piece, read_parts
from tests.pipelines.loader.official.reading import opened
from tests.pipelines.reports import synthetic
from tests.pipelines.small_dataset import small_dataset
from tests.pipelines.small_model import small_training

SECRET = b"of the user, and of nobody else"
OUTWARD = ["../../../secret", "{folder}/secret", "a//secret", "", "..\\secret", "./secret", "a/../../secret", "a\0b"]
TOP = "datasets/d0/manifest.json"
OWN = "datasets/d0/versions/000001/manifest.json"
DIGESTS = "datasets/d0/versions/000001/digests.json"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with a dataset in MDS, one in webdataset, a model and a report, beside a file that is none of its own."""
    folder = tmp_path_factory.mktemp("stored-path")
    (folder / "secret").write_bytes(SECRET)
    store = open_store(str(folder / "store"))
    small_dataset(store, name="d0", episodes=8)
    small_dataset(store, name="w0", episodes=8, format="webdataset")
    pretrain(small_training(steps=2), store)
    write_tables(store, {"metrics": synthetic.probing_metrics()}, "probing-a", synthetic.context("m0"))
    return store


@pytest.fixture
def store(made: Store, tmp_path: Path) -> Store:
    """A copy to spoil."""
    (tmp_path / "secret").write_bytes(SECRET)
    copy = open_store(str(tmp_path / "store"))
    for path in made.list():
        copy.write(path, made.read(path))
    return copy


def changed(store: Store, path: str, change: Callable[[Any], None]) -> None:
    """Changes a JSON document of the store."""
    document = json.loads(store.read(path))
    change(document)
    store.write(path, json.dumps(document).encode())


def changed_manifest(store: Store, change: Callable[[Any], None]) -> None:
    """Changes the manifest and its copy, and takes away the digests that would show it, as who wrote the store can."""
    for path in (TOP, OWN):
        changed(store, path, change)
    store.delete(DIGESTS)


def shard_of_a_manifest(store: Store, outward: str, cache: Path) -> None:
    changed_manifest(store, lambda document: document["shards"][0].update(path=outward))
    assert not verify(DatasetHandle(store, "d0")).ok
    DatasetHandle(store, "d0").require()


def file_of_a_manifest(store: Store, outward: str, cache: Path) -> None:
    changed_manifest(store, lambda document: document["files"].update({outward: "0" * 64}))
    assert not verify(DatasetHandle(store, "d0")).ok
    DatasetHandle(store, "d0").require()


def shard_of_a_chunk_table(store: Store, outward: str, cache: Path, name: str = "d0") -> None:
    for path in store.list(f"datasets/{name}/"):
        if path.endswith("chunks.parquet"):
            table = pq.read_table(pa.BufferReader(store.read(path)))
            shards = pa.array([outward] * len(table))
            sink = pa.BufferOutputStream()
            pq.write_table(table.set_column(table.schema.get_field_index("shard"), "shard", shards), sink)
            store.write(path, sink.getvalue().to_pybytes())
    next(Dataset(store, name).episodes("train"))


def shard_of_webdataset(store: Store, outward: str, cache: Path) -> None:
    with pytest.raises((InfraError, InputError)):
        shard_of_a_chunk_table(store, outward, cache, "w0")
    with opened(Dataset(store, "w0"), "webdataset", cache) as loader:
        next(loader)


def shard_of_an_mds_index(store: Store, outward: str, cache: Path) -> None:
    path = next(path for path in store.list("datasets/d0/") if path.endswith("train/index.json"))
    changed(store, path, lambda document: document["shards"][0]["raw_data"].update(basename=outward))
    with opened(Dataset(store, "d0"), "streaming", cache) as loader:
        next(loader)


def weights_of_a_model(store: Store, outward: str, cache: Path) -> None:
    model = ModelHandle(store, "m0")
    manifest = model.require().model_copy(update={"weights_sha256": outward})
    model.weights(manifest)


def dataset_of_a_model(store: Store, outward: str, cache: Path) -> None:
    DatasetHandle(store, ModelHandle(store, "m0").require().model_copy(update={"dataset": outward}).dataset)


def part_of_a_report(store: Store, outward: str, cache: Path) -> None:
    (path,) = [path for path in store.list("reports/") if path.endswith("probing-a.json")]
    changed(store, path, lambda document: document["parts"][0].update(path=outward))
    assert committed_units(store)
    read_table(store, "metrics").compute()


def part_given_to_a_worker(store: Store, outward: str, cache: Path) -> None:
    read_parts([Piece(outward, "0" * 64)], store.uri, "metrics")


READERS = [
    shard_of_a_manifest,
    file_of_a_manifest,
    shard_of_a_chunk_table,
    shard_of_webdataset,
    shard_of_an_mds_index,
    weights_of_a_model,
    dataset_of_a_model,
    part_of_a_report,
    part_given_to_a_worker,
]


@pytest.mark.parametrize("outward", OUTWARD)
@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
def test_a_path_that_leads_outward_is_refused(
    store: Store, tmp_path: Path, reader: Callable[[Store, str, Path], None], outward: str
) -> None:
    outward = outward.format(folder=tmp_path)
    with pytest.raises((InfraError, InputError)) as caught:
        reader(store, outward, tmp_path / "cache" / "shards")
    assert SECRET.decode() not in str(caught.value) and "\n" not in str(caught.value)


def test_what_the_store_wrote_itself_is_read(made: Store, tmp_path: Path) -> None:
    assert verify(DatasetHandle(made, "d0")).ok and verify(DatasetHandle(made, "w0")).ok
    for name, kind in (("d0", "streaming"), ("w0", "webdataset")):
        with opened(Dataset(made, name), kind, tmp_path / "cache" / kind) as loader:
            next(loader)
    assert len(read_table(made, "metrics").compute())
