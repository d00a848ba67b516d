"""Every name that a registry offers leads to something: the table of modules and the decorators agree."""

import importlib
import re
from pathlib import Path

import pytest

from jepa.core.errors import InputError
from jepa.core.registries.registry import Registry

ROOT = Path(__file__).resolve().parents[1]
DEFINED = re.compile(r"^([A-Z_]+)\b.*= \w*Registr\w+\(|^([A-Z_]+): Registry\b", flags=re.MULTILINE)


def defined() -> list[tuple[str, str]]:
    """Returns module and name of every registry of the tree."""
    paths = sorted(path for room in ("jepa", "pipelines", "flows") for path in (ROOT / room).rglob("*.py"))
    return [
        (".".join(path.relative_to(ROOT).with_suffix("").parts), first or second)
        for path in paths
        for first, second in DEFINED.findall(path.read_text())
    ]


def test_all_kinds_of_things_have_a_registry() -> None:
    wanted = {"WORLDS", "POLICIES", "ENCODERS", "OBJECTIVES", "PLANNERS", "EVALUATIONS", "RECIPES", "CODECS", "FORMATS"}
    assert wanted | {"STUDIES", "LOADERS", "TRACKERS", "PRESETS"} <= {name for _, name in defined()}


@pytest.mark.parametrize(("module", "name"), [pytest.param(*one, id=one[1]) for one in defined()])
def test_every_name_leads_to_something(module: str, name: str) -> None:
    registry = getattr(importlib.import_module(module), name)
    assert isinstance(registry, Registry) and registry.names()
    for entry in registry.names():
        assert entry in registry and registry.get(entry) is registry.get(entry)


def test_the_page_of_the_science_names_every_group_of_entry_points() -> None:
    registries = {name: getattr(importlib.import_module(module), name) for module, name in defined()}
    groups = {name: registry.group for name, registry in registries.items() if registry.group}
    rows = re.findall(
        r"^\| [^|]+ \| `([A-Z]+)` \| `(jepa\.\w+)` \|$", (ROOT / "jepa/README.md").read_text(), re.MULTILINE
    )
    assert dict(rows) == groups


def test_a_name_is_checked_without_importing_what_it_names() -> None:
    registry: Registry[object] = Registry("thing", {"one": "no.such.module"})
    registry.check("one")
    with pytest.raises(InputError, match=r"thing 'two' is not known; choose one of: one"):
        registry.check("two")
