"""One small dataset for all tests of the loader that do not write to it."""

import pytest

from infra.storage import open_store
from jepa.core.clips import Clips
from pipelines.store import Dataset
from tests.pipelines.loader.loading import native_loader, take
from tests.pipelines.small_dataset import small_dataset


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """40 episodes of 31 frames in chunks of 12, on a local folder."""
    return small_dataset(open_store(str(tmp_path_factory.mktemp("loader"))))


@pytest.fixture(scope="session")
def expected(dataset: Dataset) -> list[Clips]:
    """The batches of an epoch, and three more."""
    return take(native_loader(dataset), native_loader(dataset).batches_per_epoch() + 3)
