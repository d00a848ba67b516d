"""The rooms, their import rule (import-linter's contracts stand in pyproject.toml) and the size of what is in them."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("jepa", "pipelines", "flows", "infra")

SCIENCE = {"jepa", "torch", "numpy", "scipy", "gymnasium", "pydantic", "pydantic_core", "safetensors", "yaml"}
"""What jepa may import when it is loaded; a world's adapter imports its package when it is made."""

MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))


def imports_at_load(path: Path) -> set[str]:
    """Returns the top-level packages that a module imports when it is loaded."""
    found = set()
    todo: list[ast.AST] = [ast.parse(path.read_text())]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            todo += ast.iter_child_nodes(node)
    return found


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    answer = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=400)
    assert answer.returncode == 0, answer.stdout[-3000:] + answer.stderr[-1000:]


def test_the_science_loads_with_torch_and_little_else() -> None:
    allowed = SCIENCE | set(sys.stdlib_module_names)
    foreign = {
        str(path.relative_to(ROOT)): sorted(imports_at_load(path) - allowed)
        for path in MODULES
        if path.is_relative_to(ROOT / "jepa")
    }
    assert {path: names for path, names in foreign.items() if names} == {}


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_opens_with_a_readme(room: str) -> None:
    assert len((ROOT / room / "README.md").read_text().splitlines()) > 5


def test_files_and_functions_stay_small() -> None:
    sizes = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in MODULES}
    assert {path: lines for path, lines in sizes.items() if lines > 400} == {}
    functions = {
        f"{path.relative_to(ROOT)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert {name: lines for name, lines in functions.items() if lines > 80} == {}


def test_the_lock_file_names_versions_and_no_index() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "http://" not in lock and "https://" not in lock and "--index" not in lock
