"""An evaluation from outside shows in terminal, answer, tiles and page, with no change in any other room."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.cli.main import main
from infra.storage import open_store
from jepa.core.registries import plugins
from jepa.evaluation.evaluation import EVALUATIONS
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.reports import read_table
from tests.pipelines.small_dataset import small_dataset

LUCK = '''
"""How lucky a model is: what somebody else would write, in one file."""

import numpy as np

from jepa.core.config import Config
from jepa.evaluation.declarations import Chart, Column, HeadlineFigure, Section, Table
from jepa.evaluation.evaluation import EVALUATIONS, Evaluation, EvaluationResult, metric_row
from jepa.evaluation.png import encode_png
from jepa.evaluation.statistics import bootstrap_mean


class LuckConfig(Config):
    """How often a coin is tossed."""

    tosses: int = 20


TOSSES = Table("tosses", (
    Column("split", "string", "split of the episode"),
    Column("protocol", "string", "set-up"),
    Column("seed", "int", "seed"),
    Column("coin", "string", "which coin"),
    Column("episode", "int", "number of the coin"),
    Column("step", "int", "number of the toss"),
    Column("height", "float", "how high it flew"),
    Column("face", "bytes", "picture of the face", optional=True),
))


@EVALUATIONS.register("luck")
class Luck(Evaluation):
    """A unit is a coin."""

    kind = "luck"
    Config = LuckConfig
    version = 3
    tables = (TOSSES,)
    headlines = (
        HeadlineFigure("luck", "heads", "heads of the {quantity} coin", by=("quantity",), percent=True,
                       constants={"chance": 0.5}),
    )
    section = Section("Luck of the model", missing="Nobody tossed a coin.", charts=(
        Chart("bars", where={"metric": "heads"}, heading="Heads", reading="Half is nothing special.",
              options={"label": "quantity", "title": "heads, %", "percent": True}),
        Chart("lines", table="tosses", heading="Height by toss",
              options={"x": "step", "y": "height", "series": "coin"}),
        Chart("scatter", table="tosses", heading="Height against toss", options={"x": "step", "y": "height"}),
        Chart("strips", table="tosses", heading="Faces", options={"frame": "face"}),
        Chart("table", table="tosses", heading="All tosses", options={"columns": ["coin", "step", "height"]}),
    ))

    def __init__(self, config, protocol):
        self.config, self.protocol = config, protocol

    def units(self, source):
        return ["gold", "silver"]

    def run(self, unit, model, source, seed):
        rng = np.random.default_rng([seed, len(unit)])
        heads = rng.integers(2, size=self.config.tosses)
        common = {"protocol": self.protocol, "split": "test", "seed": seed}
        labels = {**common, "evaluation": "luck", "quantity": unit, "unit": "1"}
        face = encode_png(np.zeros((8, 8, 3), np.uint8))
        rows = [
            {**common, "coin": unit, "episode": len(unit), "step": step, "height": float(rng.random()), "face": face}
            for step in range(self.config.tosses)
        ]
        return EvaluationResult([metric_row(bootstrap_mean(heads, seed), metric="heads", **labels)], {"tosses": rows})

'''
MODULE = "luck_of_a_model"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store with a small model, beside a package that registers the evaluation."""
    folder = tmp_path_factory.mktemp("luck")
    (folder / f"{MODULE}.py").write_text(LUCK)
    store = open_store(str(folder / "store"))
    small_dataset(store, name="d0", steps=40)
    pretrain(PretrainConfig(dataset="d0", name="m0", recipe="smoke", steps=20, executor="local", workers=1), store)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(folder))
        patch.setenv("JEPA_IMPORT", MODULE)
        patch.setattr("flows.cli.sources.RESERVED", {"JEPA_DEBUG", "JEPA_IMPORT"})
        yield folder / "store"
    EVALUATIONS._entries.pop("luck", None)
    sys.modules.pop(MODULE, None)
    plugins._imported.discard(MODULE)


@pytest.fixture(scope="module")
def ask(store: Path) -> list[str]:
    """The command that judges the model's luck."""
    return ["evaluate", "--model", "m0", "--kinds", "luck", "--executor", "local", "--protocol", "tiny-v1",
            "--store", str(store)]  # fmt: skip


def test_terminal_and_answer(ask: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(ask) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any("heads of the gold coin" in line and "chance 50 %" in line for line in lines)
    assert main([*ask, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [(figure["kind"], figure["evaluation_version"]) for figure in answer["metrics"]] == [("luck", 3)] * 2
    assert [unit["key"].rpartition("-")[0] for unit in answer["units"]["done_before"]] == ["luck-gold", "luck-silver"]


def test_its_table_is_read_like_any_other(ask: list[str], store: Path) -> None:
    main(ask)
    tosses = read_table(str(store), "tosses").compute()
    assert len(tosses) == 40 and set(tosses.coin) == {"gold", "silver"} and set(tosses.evaluation_version) == {3}


def test_tiles_and_page(ask: list[str], store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(ask)
    assert main(["report", "--run", "m0", "--store", str(store)]) == 0
    page = (store / "reports/m0/report.html").read_text()
    assert re.search(
        r'<p class="label">heads of the gold coin</p>\s*<p class="value"><data value="[\d.]+">\d+ %</data></p>', page
    )
    section = re.search(r'<section id="luck" class="numbered">.*?</section>', page, re.DOTALL)
    assert section is not None and "<h2>Luck of the model</h2>" in section[0]
    headings = re.findall(r"<h3>(.*?)</h3>", section[0])
    assert headings == ["Heads", "Height by toss", "Height against toss", "Faces", "All tosses"]
    assert "Half is nothing special." in section[0] and section[0].count("<svg") == 3
    assert "<th>height</th>" in section[0] and "Episode 6" in section[0]


def test_without_its_rows_the_page_says_so(store: Path) -> None:
    assert main(["report", "--run", "m0", "--store", str(store)]) == 0
    for path in (store / "reports/manifests").glob("luck-*.json"):
        path.unlink()
    assert main(["report", "--run", "m0", "--store", str(store)]) == 0
    assert "Nobody tossed a coin." in (store / "reports/m0/report.html").read_text()
