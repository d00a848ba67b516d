"""Packages that import their modules at first use: what they offer, and that nothing hides it."""

import ast
import importlib
import pickle
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import cloudpickle  # type: ignore[import-untyped]
import pytest

from jepa.core.registries.lazy import LazyPackage

ROOT = Path(__file__).parents[4]
PACKAGES = sorted(
    ".".join(path.relative_to(ROOT).parent.parts)
    for top in ("jepa", "pipelines", "flows")
    for path in (ROOT / top).rglob("__init__.py")
    if "offer_lazily(__name__)" in path.read_text()
)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_offers_all_that_it_says_and_each_is_what_its_module_defines(name: str) -> None:
    package = importlib.import_module(name)
    assert isinstance(package, LazyPackage)
    source = ast.parse(Path(str(package.__file__)).read_text())
    imports = [node for node in ast.walk(source) if isinstance(node, ast.ImportFrom) and node.level == 0]
    offered = {alias.name: node.module for node in imports for alias in node.names}
    assert set(package.__all__) <= set(dir(package)) and set(package.__all__) <= set(offered)
    for exported in package.__all__:
        held = getattr(package, exported)
        assert not isinstance(held, ModuleType)
        assert held is getattr(importlib.import_module(str(offered[exported])), exported)


def test_an_unknown_name_is_an_attribute_error() -> None:
    import jepa.worlds

    with pytest.raises(AttributeError, match=r"'jepa\.worlds' has no attribute 'nosuch'"):
        _ = jepa.worlds.nosuch  # type: ignore[attr-defined]
    with pytest.raises(ImportError, match="nosuch"):
        from jepa.worlds import nosuch  # type: ignore[attr-defined] # noqa: F401


@pytest.mark.parametrize("first", ["import jepa.worlds.coverage", "from jepa.worlds import coverage", "pass"])
def test_a_module_does_not_hide_the_function_of_its_name(first: str) -> None:
    script = f"{first}\nimport jepa.worlds.coverage\nfrom jepa.worlds import coverage\nassert callable(coverage)"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


def test_a_package_is_pickled_by_its_name() -> None:
    import jepa.worlds

    assert pickle.loads(pickle.dumps(jepa.worlds)) is jepa.worlds
    assert cloudpickle.loads(cloudpickle.dumps(jepa.worlds)) is jepa.worlds
