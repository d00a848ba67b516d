"""`jepa rm`: says what would go, removes it with --yes, and asks which of several things of a name is meant."""

from pathlib import Path

import pytest

from flows.cli.main import main
from infra.storage import open_store
from tests.pipelines.small_dataset import small_dataset


def test_nothing_goes_without_yes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(str(tmp_path))
    small_dataset(store, name="d0")
    before = store.list()
    assert main(["rm", "d0", "--store", str(tmp_path)]) == 0
    assert "dataset 'd0' would be removed" in capsys.readouterr().out and store.list() == before
    assert main(["rm", "d0", "--yes", "--store", str(tmp_path)]) == 0
    assert "dataset 'd0' is removed" in capsys.readouterr().out and store.list("datasets/") == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["d7"], "name 'd7' is not in store"),
        (["../d0"], "name '../d0' is not usable"),
        (["x"], "name 'x' is that of a dataset and a model; choose one by --kind"),
        (["d0", "--kind", "run"], "name 'd0' is no run in store"),
    ],
)
def test_what_is_not_clear_is_a_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = open_store(str(tmp_path))
    for path in ("datasets/x/a", "models/x/a", "datasets/d0/a"):
        store.write(path, b"")
    assert main(["rm", *arguments, "--yes", "--store", str(tmp_path)]) == 2
    assert sentence in capsys.readouterr().err and len(store.list()) == 3
