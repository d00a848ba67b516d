"""checkov, a linter for security, finds nothing in the Terraform files that is not explained there."""

from pathlib import Path

import pytest

from tests.terraform.conftest import copy_tree
from tests.tools import assert_nothing_found, checkov


@pytest.mark.slow
def test_checkov_finds_nothing(tmp_path: Path) -> None:
    """No check fails, and each that is skipped says why."""
    assert_nothing_found(checkov(copy_tree(tmp_path / "terraform"), "terraform", "whether the cloud is set up safely"))
