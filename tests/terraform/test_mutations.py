"""Each test of a module fails when its property is broken: all are broken at once, and all must say so."""

import re
from pathlib import Path

import pytest

from tests.terraform.conftest import SOURCE, Terraform, copy_tree
from tests.terraform.mutations import MUTATIONS

ASSERTION = re.compile(r'error_message = "((?:[^"\\]|\\.)*)"')
CONDITION = re.compile(r"condition     = (.*)")
EXPECTED = re.compile(r"expect_failures = \[([^\]]*)\]")


@pytest.mark.long
@pytest.mark.parametrize("module", MUTATIONS)
def test_every_broken_property_is_reported(terraform: Terraform, tmp_path: Path, module: str) -> None:
    """With all properties broken and no variable validated, each assertion and each expected refusal fails."""
    folder = copy_tree(tmp_path / "terraform") / "modules" / module
    for name, old, new in MUTATIONS[module]:
        _replace(folder / name, old, new)
    variables = folder / "variables.tf"
    variables.write_text(CONDITION.sub(r"condition     = try(\1, true) || true", variables.read_text()))

    terraform.init(folder)
    reported = [event["diagnostic"] for event in terraform.events(folder) if event["type"] == "diagnostic"]
    failed = {diagnostic["detail"] for diagnostic in reported if diagnostic["summary"] == "Test assertion failed"}
    missing = " ".join(
        diagnostic["detail"] for diagnostic in reported if diagnostic["summary"] == "Missing expected failure"
    )

    tests = "".join(path.read_text() for path in sorted((SOURCE / "modules" / module / "tests").glob("*.tftest.hcl")))
    assert sorted(set(ASSERTION.findall(tests)) - failed) == []
    refused = {name.strip() for names in EXPECTED.findall(tests) for name in names.split(",")}
    assert sorted(name for name in refused if f"{name}," not in missing) == []
    assert refused, "no test of this module gives a wrong value"


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text, f"{path.name} no longer holds {old!r}"
    path.write_text(text.replace(old, new))
