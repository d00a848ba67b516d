"""`jepa evaluate`: prints what this call asked for, what was judged, and what stands from before."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from flows.cli.main import main
from infra.storage import open_store
from pipelines.pretrain import PretrainConfig, pretrain
from tests.flows.cli.test_imports import run_jepa
from tests.pipelines.small_dataset import small_dataset

ASK = ["evaluate", "--model", "m0", "--protocol", "tiny-v1", "--executor", "local"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a dataset and a small model."""
    folder = tmp_path_factory.mktemp("trained") / "store"
    store = open_store(str(folder))
    small_dataset(store, name="d0", steps=40)
    pretrain(PretrainConfig(dataset="d0", name="m0", recipe="smoke", steps=20, executor="local", workers=1), store)
    return folder


class Jepa:
    """Runs `jepa evaluate` in a store of the test's own."""

    def __init__(self, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.store, self.capsys = store, capsys

    def __call__(self, *flags: str) -> list[str]:
        """Returns the lines on stdout."""
        assert main([*ASK, "--store", str(self.store), *flags]) == 0
        return self.capsys.readouterr().out.splitlines()

    def answer(self, *flags: str) -> dict[str, Any]:
        """Returns the answer for programs."""
        answer: dict[str, Any] = json.loads("\n".join(self(*flags, "--json")))
        return answer


@pytest.fixture
def jepa(trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Jepa:
    shutil.copytree(trained, tmp_path / "store")
    return Jepa(tmp_path / "store", capsys)


def test_the_latent_kind_shows_its_figures(jepa: Jepa) -> None:
    lines = jepa("--kinds", "latent")
    assert lines[0].startswith("model m0@") and lines[0].endswith(" judged on d0@1 under tiny-v1, seed 0")
    assert [line.split("  ")[0] for line in lines[2:6]] == ["split", "test", "test", "test"]
    assert "effective rank of latents" in lines[3] and lines[-1] == "`jepa report --run m0` shows all of run m0"


def test_nothing_is_imported_for_tests_and_compilers_that_it_does_without(jepa: Jepa, tmp_path: Path) -> None:
    """Each of these takes half a second or more, and each worker of the job would take it again."""
    ended, modules = run_jepa(tmp_path, *ASK, "--store", str(jepa.store), "--kinds", "latent")
    assert ended.returncode == 0 and "effective rank of latents" in ended.stdout, ended.stderr
    assert not {"scipy.stats", "statsmodels", "torch._dynamo", "sympy"} & modules


def test_only_the_units_of_this_call_are_shown(jepa: Jepa) -> None:
    jepa("--kinds", "latent")
    kinds = {figure["kind"] for figure in jepa.answer("--kinds", "probing")["metrics"]}
    assert kinds == {"r2", "prediction_r2"}


def test_what_stands_from_before_is_said_until_it_is_forced(jepa: Jepa) -> None:
    assert jepa.answer("--kinds", "latent")["units"] == {"total": 2, "done_before": []}
    again = jepa.answer("--kinds", "latent", "probing")
    assert again["units"]["total"] == 3
    assert [unit["key"][:6] for unit in again["units"]["done_before"]] == ["latent"] * 2
    (sentence,) = [line for line in jepa("--kinds", "latent") if "units were done" in line]
    code = again["units"]["done_before"][0]["code_version"]
    assert sentence.startswith(f"2 of 2 units were done by code {code} on ") and sentence.endswith(
        "; --force does them again"
    )
    assert jepa.answer("--kinds", "latent", "--force")["units"]["done_before"] == []


def test_train_evaluate_extend_evaluate_gives_figures_of_the_new_version(jepa: Jepa) -> None:
    """The README's own order of commands."""
    first = jepa.answer("--kinds", "probing")
    small_dataset(open_store(str(jepa.store)), name="d0", steps=40, episodes=60)
    lines = jepa("--kinds", "probing")
    assert lines[0].endswith(
        "judged on d0@2 under tiny-v1, seed 0; it was trained on d0@1, which has been extended since"
    )
    second = jepa.answer("--kinds", "probing")
    assert (first["dataset"]["version"], second["dataset"]["version"]) == (1, 2)
    assert {figure["dataset_version"] for figure in second["metrics"]} == {2}
    assert [figure["value"] for figure in first["metrics"]] != [figure["value"] for figure in second["metrics"]]
    assert jepa.answer("--kinds", "probing", "--dataset", "d0@1")["metrics"] == first["metrics"]


def test_a_run_of_its_own_finds_what_another_did(jepa: Jepa) -> None:
    first = jepa.answer("--kinds", "latent")
    mine = jepa.answer("--kinds", "latent", "--run", "mine")
    assert mine["run"] == "mine" and mine["metrics"] == first["metrics"] and len(mine["units"]["done_before"]) == 2
