"""checkov, a linter for security, finds nothing in the rendered manifests that is not explained there."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tools import assert_nothing_found, checkov


@pytest.mark.slow
def test_checkov_finds_nothing(overlay: Callable[[str], Path]) -> None:
    """No check fails, and each that is skipped says why. Of Ray's and Kueue's kinds checkov knows nothing."""
    folder = overlay("prod/platform").parent
    assert_nothing_found(checkov(folder, "kubernetes", "whether the cluster is set up safely"))
