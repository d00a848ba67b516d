"""Every result names its code."""

import re

from infra.version import code_version


def test_the_version_is_a_release_and_in_a_checkout_a_commit() -> None:
    assert re.fullmatch(r"\d+(\.\d+)*(\+g[0-9a-f]{12}(\.dirty)?)?", code_version())
