"""`jepa version`: this code's and its foundations' versions, without importing them."""

import json
from importlib.metadata import version

import pytest

from flows.cli.main import main
from infra.version import code_version, installed


@pytest.mark.parametrize("name", ["version", "--version"])
def test_versions_for_people_and_programs(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([name]) == 0
    lines = dict(line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines())
    assert lines["jepa"] == code_version() and lines["torch"] == version("torch")
    assert main([name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == lines


def test_what_is_not_installed_is_said() -> None:
    assert installed("no-such-package-anywhere") == "not installed"
