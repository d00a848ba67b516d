"""The notebook of the project's README, run as it stands from the first line to the picture, at its own small sizes."""

import re
import struct
from pathlib import Path

import pytest

from infra.storage import open_store
from jepa.evaluation.png import SIGNATURE
from pipelines.reports import read_table
from pipelines.store.models import load_model

README = Path(__file__).resolve().parents[1] / "README.md"
SIZES = re.compile(r"^(episodes, steps, recipe, protocol) = .*  # to try it: (.*)$", flags=re.MULTILINE)
"""The line that sets the sizes, and the small ones that it offers."""


def notebook() -> str:
    """Returns the Python blocks of "In a notebook", with the small sizes of the first block's own comment."""
    section = re.search(r"^\*\*In a notebook\.\*\*(.*?)^## ", README.read_text(), flags=re.DOTALL | re.MULTILINE)
    assert section is not None
    code, replaced = SIZES.subn(r"\1 = \2", "\n".join(re.findall(r"```python\n(.*?)```", section[1], flags=re.DOTALL)))
    assert replaced == 1
    return code


@pytest.mark.slow
def test_the_notebook_runs_from_no_data_to_a_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(notebook(), str(README), "exec"), names)

    metrics = read_table("runs", "metrics").compute()
    assert {"probing", "planning", "surprise", "latent", "training"} <= set(metrics.evaluation)
    assert set(metrics.model) == {"m0"} and metrics.value.notna().all()
    success = metrics[(metrics.metric == "success_rate") & (metrics.planner == "cem")]
    assert len(success) and success.value.between(0, 1).all()

    picture = (tmp_path / "imagined.png").read_bytes()
    width, height = struct.unpack(">II", picture[16:24])
    model = load_model(open_store("runs"), "m0")
    # 64 steps are 12 action blocks of 5; three rows: seen, encoded, imagined.
    assert picture.startswith(SIGNATURE) and (width, height) == (13 * 64, 3 * 64)
    assert model.config.frameskip == 5 and not model.training
