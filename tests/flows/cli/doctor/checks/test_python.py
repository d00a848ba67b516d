"""The doctor's check of Python and its packages."""

from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from flows.cli.doctor.checks import python
from tests.flows.cli.doctor.checked import findings, statuses


def test_the_environment_of_the_tests_passes() -> None:
    found = findings("python")
    assert found["python"].status == found["packages"].status == "ok"
    assert found["lock file"].status in ("ok", "warning")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"numpy=={version('numpy')}", None),
        ("numpy==0.1", f"numpy is {version('numpy')}, not ==0.1"),
        ("no-such-package-anywhere>=1", "no-such-package-anywhere is not installed"),
        ("no-such-package-anywhere; python_version < '3'", None),
        ("no-such-package-anywhere; extra == 'wandb'", None),
    ],
)
def test_a_requirement_that_is_not_met_is_named(text: str, problem: str | None) -> None:
    assert python.unmet([Requirement(text)]) == ([problem] if problem else [])


def test_packages_that_differ_from_the_lock_file_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = tmp_path / "requirements.lock"
    monkeypatch.setattr(python, "LOCK", lock)
    assert statuses(findings("python"))["lock file"] == "skipped"
    lock.write_text(f"# by hand\nnumpy=={version('numpy')}\n    # via us\ntorch==0.1 ; python_version > '3'\n")
    found = findings("python")["lock file"]
    assert found.status == "warning" and f"1 of 2 packages differ: torch is {version('torch')}" in found.found
