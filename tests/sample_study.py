"""The study of jepa/studies/README.md, registered for the time of a test, here and in processes started from here."""

import importlib
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from jepa.core.registries import plugins
from jepa.studies import STUDIES, Study

README = Path(__file__).resolve().parents[1] / "jepa/studies/README.md"
NAME, MODULE = "sample_mean", "sample_mean_of_readme"


@contextmanager
def registered(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Study]]:
    """Gives the study's class; its module lies in a folder that child processes find too."""
    section = README.read_text().split("## How to add a study")[1]
    (code,) = re.findall(r"^```python\n(.*?)^```", section, flags=re.DOTALL | re.MULTILINE)
    (folder / f"{MODULE}.py").write_text(code)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(README.parents[2])]))
    monkeypatch.setenv("JEPA_IMPORT", MODULE)
    module = importlib.import_module(MODULE)
    try:
        yield module.SampleMean
    finally:
        STUDIES._entries.pop(NAME, None)
        plugins._imported.discard(MODULE)
        sys.modules.pop(MODULE, None)
