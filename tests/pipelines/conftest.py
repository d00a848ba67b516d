"""A small committed dataset that the jobs' tests share."""

import tarfile
from pathlib import Path

import pytest

from infra.storage import Store, open_store
from tests.conftest import ROOT
from tests.pipelines.small_dataset import small_dataset


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local store with dataset `d0`, 40 steps an episode; tests that write into it copy it first."""
    folder = tmp_path_factory.mktemp("small") / "store"
    small_dataset(open_store(str(folder)), name="d0", steps=40)
    return folder


@pytest.fixture
def early_store(tmp_path: Path) -> Store:
    """A store that commit 28e9d0a wrote, see `tests/fixtures/README.md`."""
    folder = tmp_path / "early"
    with tarfile.open(ROOT / "tests" / "fixtures" / "store_of_28e9d0a.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    return open_store(str(folder))
