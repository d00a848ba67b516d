"""What an environment puts out is what jepa and the manifests take in, unchanged."""

import json
from pathlib import Path
from typing import Any

import pytest

from infra.kubernetes.render import NEEDED, render
from tests.infra.kubernetes.conftest import OUTPUTS
from tests.terraform.conftest import Terraform


@pytest.mark.slow
def test_the_outputs_of_an_environment_render(terraform: Terraform, tree: Path, tmp_path: Path) -> None:
    """The environment's tests pass, and its outputs have the names and shapes that the manifests' tests start from."""
    folder = tree / "environments/dev"
    terraform.init(folder)
    events = terraform.events(folder, "-verbose")
    assert [event["test_summary"]["status"] for event in events if event["type"] == "test_summary"] == ["pass"]

    (outputs,) = (event["test_state"]["outputs"] for event in events if event["type"] == "test_state")
    assert set(NEEDED) <= set(outputs)
    assert _shape(outputs) == _shape(json.loads(OUTPUTS.read_text()))
    written = {str(path.relative_to(tmp_path)) for path in render(outputs, "0.1.0", tmp_path)}
    assert len(written) == 5 and "deployments.env" in written


def test_both_environments_put_out_the_same() -> None:
    """An overlay that renders for one renders for the other."""
    folder = Path(__file__).parents[2] / "terraform/environments"
    assert (folder / "dev/outputs.tf").read_text() == (folder / "prod/outputs.tf").read_text()


def _shape(outputs: dict[str, Any]) -> Any:
    """Returns names and types of outputs, however deep."""

    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shape(item) for name, item in value.items()}
        return type(value).__name__

    return {name: shape(output["value"]) for name, output in outputs.items()}
