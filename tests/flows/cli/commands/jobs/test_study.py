"""`jepa study`: lists, refuses, runs, and shows verdicts in the terminal, in JSON and on a page."""

import json
from pathlib import Path

import pytest

from flows.cli.main import main

HERE = ["--executor", "local"]


@pytest.mark.usefixtures("sample_mean")
def test_it_lists_studies_with_their_presets(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", "--list", "--json"]) == 0
    listed = {one["name"]: one for one in json.loads(capsys.readouterr().out)["studies"]}
    assert listed["sample_mean"]["presets"] == {"tiny": 10, "paper": 120}
    assert main(["study", "--list"]) == 0
    assert "sample_mean: how the error of a sample mean falls" in capsys.readouterr().out


@pytest.mark.usefixtures("sample_mean")
def test_it_runs_shows_verdicts_and_says_what_stood(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["study", "sample_mean", "--store", str(tmp_path), *HERE, "--cell", "seed=[0,1,2,3,4,5,6,7,8,9,10,11]"]
    assert main(command) == 0
    shown = capsys.readouterr().out
    assert "A larger sample has a smaller error." in shown and "law of large numbers: σ/√n" in shown
    assert main([*command, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["cells"]["total"] == 24 and len(answer["cells"]["done_before"]) == 24
    assert answer["claims"][0]["verdict"] in ("held", "not decided") and answer["claims"][0]["n"] == 12
    assert Path(answer["report"]).exists()
    assert main(["ls", "--store", str(tmp_path)]) == 0
    assert "study sample_mean" in capsys.readouterr().out
    assert main(["report", "--run", answer["run"], "--store", str(tmp_path)]) == 0
    assert main(["verify", "--store", str(tmp_path)]) == 0
    assert main(["rm", answer["run"], "--yes", "--store", str(tmp_path)]) == 0
    assert main(["report", "--run", answer["run"], "--store", str(tmp_path)]) == 2


@pytest.mark.usefixtures("sample_mean")
def test_a_grid_of_ones_own_comes_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(
        "study: sample_mean\ngrid:\n  - {experiment: size, size: [10, 20], seed: [0, 1]}\nexecutor: local\n"
    )
    assert main(["study", "--config", str(file), "--store", str(tmp_path / "store"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cells"]["total"] == 4


@pytest.mark.usefixtures("sample_mean")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "name a study, one of: "),
        (["nosuch"], "study 'nosuch' is not known; choose one of: "),
        (
            ["sample_mean", "--submit", "--store", "runs/"],
            "a folder below this one, which a job on the cluster does not",
        ),
        (["sample_mean", "--preset", "huge"], "preset 'huge' of study 'sample_mean' is not known"),
        (["sample_mean", "--world", "two_room"], "cell field 'world' is not known to study 'sample_mean'"),
        (["sample_mean", "--cell", "size=many"], "size: "),
    ],
)
def test_a_wrong_input_is_a_sentence(
    arguments: list[str], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["study", "--store", str(tmp_path), *arguments, *HERE]) == 2
    complaint = capsys.readouterr().err
    assert sentence in complaint and "Traceback" not in complaint
