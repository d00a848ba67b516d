"""A small committed dataset that the jobs' tests share."""

from pathlib import Path

import pytest

from infra.storage import open_store
from tests.pipelines.small_dataset import small_dataset


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local store with dataset `d0`, 40 steps an episode; tests that write into it copy it first."""
    folder = tmp_path_factory.mktemp("small") / "store"
    small_dataset(open_store(str(folder)), name="d0", steps=40)
    return folder
