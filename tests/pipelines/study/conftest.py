"""What the tests of study jobs share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jepa.studies import Study
from tests.sample_study import registered


@pytest.fixture
def sample_mean(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Study]]:
    """README's study, registered."""
    folder: Path = tmp_path_factory.mktemp("study")
    with registered(folder, monkeypatch) as study:
        yield study
