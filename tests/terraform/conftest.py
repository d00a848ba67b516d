"""Terraform with no network: the AWS provider comes from a folder, and a copy of `terraform/` keeps the tree clean."""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.tools import ROOT, run_tool, tool

SOURCE = ROOT / "terraform"
MODULES = sorted(path.name for path in (SOURCE / "modules").iterdir())
ENVIRONMENTS = sorted(path.name for path in (SOURCE / "environments").iterdir())
PROVIDER = "registry.terraform.io/hashicorp/aws"
UNCHECKED = "the Terraform files"


def copy_tree(target: Path) -> Path:
    """Copies `terraform/` without what Terraform keeps beside it."""
    return Path(shutil.copytree(SOURCE, target, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*")))


@dataclass(frozen=True)
class Terraform:
    """Terraform and the folder of its provider."""

    program: str
    plugins: Path
    config: Path

    def run(self, folder: Path, *arguments: str, env: dict[str, str] | None = None) -> Any:
        """Runs a command in a folder, untouched by the user's own configuration."""
        variables = {"TF_CLI_CONFIG_FILE": str(self.config), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
        return run_tool(self.program, *arguments, cwd=folder, env=variables | (env or {}))

    def init(self, folder: Path) -> None:
        """Initialises a root without its backend."""
        done = self.run(folder, "init", "-backend=false", "-input=false", "-no-color", f"-plugin-dir={self.plugins}")
        assert done.returncode == 0, done.stdout + done.stderr

    def events(self, folder: Path, *options: str) -> list[dict[str, Any]]:
        """Runs `terraform test` and returns what it says, event by event."""
        done = self.run(folder, "test", "-json", *options)
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Terraform, if it and its AWS provider are at hand."""
    program = tool("terraform", UNCHECKED)
    plugins = _plugins()
    if plugins is None:
        pytest.skip(
            f"no folder with the AWS provider was found (TF_PLUGIN_DIR names it), so nobody has checked {UNCHECKED}"
        )
    config = tmp_path_factory.mktemp("terraform") / "empty.tfrc"
    config.touch()
    return Terraform(program, plugins, config)


@pytest.fixture(scope="session")
def tree(terraform: Terraform, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `terraform/` that the session's tests may write to."""
    return copy_tree(tmp_path_factory.mktemp("tree") / "terraform")


def _plugins() -> Path | None:
    """Returns the folder that TF_PLUGIN_DIR names, or one where a machine's own mirror of providers may lie."""
    named = os.environ.get("TF_PLUGIN_DIR")
    if named:
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    usual = [Path("~/.terraform.d/plugins").expanduser(), Path(data).expanduser() / "terraform/plugins"]
    usual += [Path("/usr/local/share/terraform/plugins"), Path("/usr/share/terraform/plugins")]
    usual += sorted(Path("/opt").glob("*"))
    return next((folder for folder in usual if (folder / PROVIDER).is_dir()), None)
