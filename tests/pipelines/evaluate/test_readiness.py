"""What does not fit is said before anything of a run is written: planners, heads, and latents that are no numbers."""

from pathlib import Path

import pytest
import torch

from infra.errors import InfraError
from infra.storage import Store
from jepa.core.errors import InputError
from pipelines.evaluate import evaluate, readiness
from pipelines.heads import FitHeadsConfig, fit_heads
from pipelines.store.models.layout import ModelLayout
from pipelines.store.models.manifest import read_model
from pipelines.store.reports import run_plans
from tests.pipelines.evaluate.asked import config

SMALL = "{samples: 4, elites: 2, iterations: 1, candidates_at_once: 4"
PLANNING = """name: asked-v1
planning:
  problems: 2
  frames_shown: 0
  planners:
    oracle: {samples: 4, elites: 2, iterations: 1}
"""
TINY = {"width": 8, "depth": 1, "steps": 2, "batch_size": 16}


def protocol(folder: Path, line: str) -> str:
    path = folder / "asked.yaml"
    path.write_text(PLANNING + line)
    return str(path)


def refused(store: Store, words: str, kind: type[Exception] = InputError, **changes: object) -> None:
    """Passes where an evaluation ends with these words, and leaves the store as it was."""
    before = {path: store.read(path) for path in store.list("")}
    with pytest.raises(kind, match=words):
        evaluate(config(run="refused", **changes), store)
    assert {path: store.read(path) for path in store.list("")} == before
    assert not run_plans(store, "refused")


@pytest.mark.parametrize("every", [7, 50])
def test_looks_that_do_not_fit_the_plans(mine: Store, tmp_path: Path, every: int) -> None:
    asked = protocol(tmp_path, f"    cem: {SMALL}, replan_every: {every}}}\n")
    refused(
        mine, f"replan_every {every} must be a multiple of the model's frameskip", kinds=["planning"], protocol=asked
    )


def test_planners_of_one_menu_that_plan_differently_far(mine: Store, tmp_path: Path) -> None:
    lines = f"regret_decomposition:\n  planners:\n    cem: {SMALL}}}\n    far: {{planner: cem, horizon: 2}}\n"
    asked = protocol(tmp_path, lines)
    refused(mine, "must plan equally far", kinds=["regret_decomposition"], protocol=asked)


def test_quantities_that_a_head_does_not_read_and_a_head_that_is_damaged(mine: Store, tmp_path: Path) -> None:
    options = {"model": "m0", "heads": ["probe"], "options": {"probe": TINY}, "executor": "local", "seed": 3}
    (head,) = fit_heads(FitHeadsConfig.model_validate(options), mine).heads
    asked = protocol(tmp_path, f"    cem: {SMALL}, cost: {{name: decoded, quantities: [nonsense]}}}}\n")
    refused(mine, "cost.quantities has 'nonsense'", kinds=["planning"], protocol=asked)
    (weights,) = mine.list(ModelLayout("m0").head(head.name, "weights/"))
    mine.write(weights, mine.read(weights) + b"x")
    asked = protocol(tmp_path, f"    cem: {SMALL}, cost: decoded}}\n")
    again = r"--heads probe --options probe.batch_size=16 probe.depth=1 probe.steps=2 probe.width=8 --seed 3 --force`"
    refused(mine, again, InfraError, kinds=["planning"], protocol=asked)


def test_a_head_of_a_name_that_is_not_there(mine: Store) -> None:
    refused(mine, "has no head 'probe-00000000'", kinds=["latent"], seed=9, heads=["probe-00000000"])
    refused(
        mine, "heads names two of kind 'probe'", kinds=["latent"], seed=9, heads=["probe-00000000", "probe-11111111"]
    )


def test_a_damaged_head_of_another_kind_stands_in_nobodys_way(mine: Store) -> None:
    fitted = {"probe": TINY, "inverse": TINY}
    options = {"model": "m0", "heads": list(fitted), "executor": "local", "options": fitted}
    for head in fit_heads(FitHeadsConfig.model_validate(options), mine).heads:
        if head.request.kind == "inverse":
            mine.write(ModelLayout("m0").head(head.name, "head.json"), b"{}")
        else:
            probe = head.name
    assert evaluate(config(kinds=["latent"], heads=[probe], run="r"), mine).units
    with pytest.raises(InfraError, match="`jepa fit-heads --model m0 --heads inverse --force`"):
        evaluate(config(kinds=["latent"], heads=["inverse-00000000"], run="r"), mine)


def test_latents_that_are_no_numbers(mine: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finite weights may make them: too large a product is infinite, and infinity less infinity no number."""

    def overflowing(store: Store, reference: object) -> object:
        manifest, model = read_model(store, "m0")
        with torch.no_grad():
            for weight in model.encoder.parameters():
                weight.mul_(1e30)
        return manifest, model

    monkeypatch.setattr(readiness, "read_model", overflowing)
    refused(mine, r"model m0@\w+ makes latents of a held-out frame that are not finite", kinds=["latent"], seed=9)
