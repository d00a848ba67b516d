"""The Terraform files are formatted and valid, and each module's own tests pass on a mocked provider."""

from pathlib import Path

import pytest

from tests.terraform.conftest import ENVIRONMENTS, MODULES, SOURCE, Terraform

ROOTS = [f"modules/{name}" for name in MODULES if name != "storage"]
ROOTS += [f"environments/{name}" for name in ENVIRONMENTS if name != "dev"]
"""What has tests but `dev` and `storage`, which test_outputs.py and test_policies.py run for what they make."""


def test_files_are_formatted(terraform: Terraform) -> None:
    """`terraform fmt` would change nothing."""
    done = terraform.run(SOURCE, "fmt", "-check", "-recursive", "-no-color")
    assert done.returncode == 0, f"not formatted: {done.stdout}{done.stderr}"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_with_all_its_modules_is_valid(terraform: Terraform, tree: Path, environment: str) -> None:
    """`terraform validate` finds nothing, in the environment and in every module that it is made of."""
    folder = tree / "environments" / environment
    terraform.init(folder)
    done = terraform.run(folder, "validate", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr


def test_environments_use_every_module() -> None:
    """A module that no environment is made of would be validated by nothing."""
    used = (SOURCE / "modules/foundry/main.tf").read_text()
    assert [name for name in MODULES if name != "foundry" and f'"../{name}"' not in used] == []


@pytest.mark.slow
@pytest.mark.parametrize("root", ROOTS)
def test_its_own_tests_pass(terraform: Terraform, tree: Path, root: str) -> None:
    """`terraform test` with a mocked AWS passes, and has tests."""
    terraform.init(tree / root)
    done = terraform.run(tree / root, "test", "-no-color")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 failed" in done.stdout and "0 passed" not in done.stdout
