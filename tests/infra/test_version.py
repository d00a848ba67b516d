"""Every result names its code."""

import re
from pathlib import Path

import pytest

from infra import version
from infra.version import code_version


def test_the_version_is_a_release_and_in_a_checkout_a_commit() -> None:
    assert re.fullmatch(r"\d+(\.\d+)*(\+g[0-9a-f]{12}(\.dirty)?)?", code_version())


def test_an_image_names_the_commit_that_it_was_built_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where there is no checkout the commit comes from the variable, and what is no commit is left out."""
    monkeypatch.setattr(version, "__file__", str(tmp_path / "infra/version.py"))
    for revision, end in (("1a2b3c4d5e6f7a8b", "+g1a2b3c4d5e6f"), ("unknown", ""), ("", "")):
        code_version.cache_clear()
        monkeypatch.setenv("FOUNDRY_REVISION", revision)
        assert re.fullmatch(rf"\d+(\.\d+)*{re.escape(end)}", code_version())
    code_version.cache_clear()
