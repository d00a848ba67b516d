"""A dataset is resolved to a version once, and that version is opened by its content or not at all."""

import pickle
import shutil
from pathlib import Path

import pytest

from infra.errors import InfraError
from infra.storage import Store, open_store
from jepa.core.config import digest_of
from jepa.core.errors import InputError
from pipelines.store import Dataset, DatasetGoneError, DatasetHandle, dataset_names, open_dataset, resolve_dataset
from tests.pipelines.small_dataset import small_dataset


@pytest.fixture(scope="module")
def two_versions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose dataset `d0` has grown from 40 to 60 episodes."""
    folder = tmp_path_factory.mktemp("versions") / "store"
    for episodes in (40, 60):
        small_dataset(open_store(str(folder)), name="d0", episodes=episodes)
    return folder


@pytest.fixture
def store(two_versions: Path, tmp_path: Path) -> Store:
    return open_store(str(shutil.copytree(two_versions, tmp_path / "store")))


def test_a_name_alone_is_the_newest_version(store: Store) -> None:
    first, newest = resolve_dataset(store, "d0@1"), resolve_dataset(store, "d0")
    assert (first.version, newest.version) == (1, 2) and first.digest != newest.digest
    assert newest == resolve_dataset(store, "d0@2") == Dataset(store, "d0").manifest.reference
    assert DatasetHandle(store, "d0").manifest(3) is None and DatasetHandle(store, "d1").manifest() is None


def test_what_is_not_there_is_named_with_what_is(store: Store) -> None:
    with pytest.raises(InputError, match="dataset 'd0' has no version 3; choose one from 1 to 2"):
        resolve_dataset(store, "d0@3")
    with pytest.raises(InputError, match=r"dataset 'd1' is not in store .*; collect it, or choose one of: d0"):
        resolve_dataset(store, "d1@1")
    with pytest.raises(InputError, match=r"dataset name '\.\./d0' is not usable"):
        DatasetHandle(store, "../d0")
    assert dataset_names(store) == ["d0"]


def test_a_reference_opens_its_own_version(store: Store) -> None:
    opened = open_dataset(store, resolve_dataset(store, "d0@1"))
    assert opened.manifest.version == 1 and opened.manifest.plan.episodes == 40


def test_a_version_that_is_gone_is_said_so(store: Store) -> None:
    reference = resolve_dataset(store, "d0")
    for path in store.list("datasets/d0/"):
        store.delete(path)
    with pytest.raises(DatasetGoneError, match=r"dataset d0@2 is gone from store .*; collect it again"):
        open_dataset(store, reference)


def test_other_content_under_the_name_is_said_so(store: Store) -> None:
    reference = resolve_dataset(store, "d0@1")
    for path in store.list("datasets/d0/"):
        store.delete(path)
    small_dataset(store, name="d0", seed=1)
    with pytest.raises(DatasetGoneError, match=r"dataset d0@1 in store .* has other content than when it was chosen"):
        open_dataset(store, reference)


def test_the_same_content_collected_again_is_the_same(store: Store) -> None:
    reference = resolve_dataset(store, "d0@1")
    for path in store.list("datasets/d0/"):
        store.delete(path)
    small_dataset(store, name="d0")
    assert open_dataset(store, reference).manifest.reference == reference


def test_a_digest_depends_on_content_and_on_no_field_that_may_be_added(store: Store) -> None:
    """Written out, so that nobody changes what a digest is made of without noticing."""
    manifest = Dataset(store, "d0").manifest
    content = manifest.model_dump(mode="json")
    for field in ("name", "code_version", "codec_trial", "files"):
        content.pop(field)
    assert manifest.reference.digest == digest_of(content | {"plan": manifest.plan.fingerprint()})
    other = manifest.model_copy(update={"code_version": "another", "files": {}})
    assert other.reference == manifest.reference


def test_a_handle_travels_to_workers(store: Store) -> None:
    handle = pickle.loads(pickle.dumps(DatasetHandle(store, "d0")))
    assert handle.resolve() == resolve_dataset(store, "d0")
    assert handle.address == store.address("datasets/d0") and handle.card().startswith("# Dataset d0")
    assert "40 episodes" in str(handle.card(1)) and "60 episodes" in str(handle.card())
    assert DatasetHandle(store, "d1").card() is None and handle.card(3) is None


def test_a_lost_version_is_final_and_a_lost_connection_is_not() -> None:
    assert DatasetGoneError("gone").final and not InfraError("no answer").final
