"""A deprecated call in our own code fails the tests; one that packages make among themselves does not."""

import warnings

import pytest
from numpy.exceptions import VisibleDeprecationWarning


@pytest.mark.parametrize(
    "category", [DeprecationWarning, PendingDeprecationWarning, FutureWarning, VisibleDeprecationWarning]
)
@pytest.mark.parametrize(
    "module", ["jepa.worlds.world", "pipelines", "flows.cli.main", "infra.processes.child", "tests.conftest"]
)
def test_a_deprecated_call_of_ours_is_an_error(module: str, category: type[Warning]) -> None:
    with pytest.raises(category, match="old"):
        warnings.warn_explicit("old", category, "file.py", 1, module=module)


@pytest.mark.parametrize("module", ["jepa_other.thing", "ray.train", "torch.testsuite"])
def test_one_of_a_package_is_not(module: str) -> None:
    for category in (DeprecationWarning, FutureWarning):
        warnings.warn_explicit("old", category, "file.py", 1, module=module)
