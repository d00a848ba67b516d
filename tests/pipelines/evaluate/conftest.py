"""A store with a small model that was evaluated once."""

import shutil
from pathlib import Path

import pytest

from infra.storage import Store, open_store
from pipelines.evaluate import evaluate
from pipelines.pretrain import PretrainConfig, pretrain
from tests.pipelines.evaluate.asked import config


@pytest.fixture(scope="session")
def judged_folder(small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local store with dataset `d0`, model `m0` and the four default kinds; tests that write into it copy it."""
    folder = tmp_path_factory.mktemp("judged") / "store"
    shutil.copytree(small_store, folder)
    store = open_store(str(folder))
    pretrain(PretrainConfig(dataset="d0", name="m0", recipe="smoke", steps=20, executor="local", workers=1), store)
    evaluate(config(), store)
    return folder


@pytest.fixture(scope="session")
def judged(judged_folder: Path) -> Store:
    """That store, only to be read."""
    return open_store(str(judged_folder))


@pytest.fixture
def mine(judged_folder: Path, tmp_path: Path) -> Store:
    """A copy of it, to be written into."""
    shutil.copytree(judged_folder, tmp_path / "store")
    return open_store(str(tmp_path / "store"))
