"""The protocol `planners-v1` says which heads are missing, all at once, and rows say which planners know states."""

import shutil
from pathlib import Path

import pytest
import torch

from infra.storage import Store, open_store
from jepa.core.errors import InputError
from jepa.evaluation import get_protocol
from jepa.planning.heads.head import HeadSizes
from jepa.planning.heads.probe import ProbeHead, ProbeHeadConfig
from pipelines.evaluate import EvaluateConfig, evaluate, plan_evaluation
from pipelines.heads import FitHeadsConfig, fit_heads
from pipelines.pretrain import PretrainConfig, pretrain
from pipelines.store import open_dataset, resolve_dataset
from pipelines.store.models.heads.handle import FitFacts, commit_head, read_head
from pipelines.store.models.heads.manifest import HeadRequest
from pipelines.store.models.manifest import read_model, resolve_model
from pipelines.store.reports import read_table

KINDS = ("inverse", "temporal", "reachable", "probe")
TINY = {"width": 8, "depth": 1, "steps": 3, "batch_size": 16}
SIDE_BY_SIDE = """name: side-by-side-v1
planning:
  problems: 2
  offsets: 10
  frames_shown: 0
  position_frames: 20
  position_probe: {hidden: 4, steps: 1}
  planners:
    oracle: {samples: 8, elites: 2, iterations: 1}
    latent: {planner: shooting, samples: 4}
"""
BY_COST = "    {cost}: {{planner: shooting, samples: 4, cost: {cost}}}\n"


@pytest.fixture(scope="module")
def mine(small_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with dataset `d0` and model `m0`."""
    folder = tmp_path_factory.mktemp("planners") / "store"
    shutil.copytree(small_store, folder)
    store = open_store(str(folder))
    pretrain(PretrainConfig(dataset="d0", name="m0", recipe="smoke", steps=2, executor="local", trackers=()), store)
    return store


def fit(store: Store, *kinds: str) -> None:
    options = {"model": "m0", "heads": kinds, "options": dict.fromkeys(kinds, TINY), "executor": "local"}
    fit_heads(FitHeadsConfig.model_validate(options), store)


def test_heads_are_asked_for_in_one_sentence_and_rows_are_marked(mine: Store, tmp_path: Path) -> None:
    assert set(get_protocol("planners-v1").evaluation("planning").needs_heads()) == set(KINDS)
    asked = {"model": "m0", "kinds": ("planning", "regret_decomposition"), "executor": "local"}
    shipped = EvaluateConfig.model_validate(asked | {"protocol": "planners-v1"})
    with pytest.raises(
        InputError,
        match=r"model m0@\w+ has no heads inverse, probe, reachable, temporal, which planners of the protocol ask for; "
        r"fit them by `jepa fit-heads --model m0@\w+ --heads inverse probe reachable temporal`",
    ):
        plan_evaluation(shipped, mine)
    fit(mine, "inverse", "temporal", "probe")
    with pytest.raises(InputError, match=r"has no head of kind 'reachable'; fit one by `jepa fit-heads .* reachable`"):
        plan_evaluation(shipped, mine)
    fit(mine, "reachable")
    units = plan_evaluation(shipped, mine).units
    assert {head.kind for unit in units for head in unit.heads} == set(KINDS)

    protocol = tmp_path / "side.yaml"
    protocol.write_text(SIDE_BY_SIDE + "".join(BY_COST.format(cost=c) for c in ("temporal", "reachable", "decoded")))
    evaluate(EvaluateConfig.model_validate(asked | {"kinds": ("planning",), "protocol": str(protocol)}), mine)
    for table in ("metrics", "episodes"):
        rows = read_table(mine, table).compute()
        marks = {planner: set(own.privileged) for planner, own in rows[rows.planner.notna()].groupby("planner")}
        states = {"oracle", "decoded"}
        assert marks == {
            name: {name in states} for name in ("oracle", "random", "latent", "temporal", "reachable", "decoded")
        }


def test_a_probe_that_comes_back_from_the_store_reads_what_it_read_before(mine: Store) -> None:
    model, dataset = resolve_model(mine, "m0"), open_dataset(mine, resolve_dataset(mine, "d0"))
    quantities = dict(sorted(dataset.quantities.items(), reverse=True))
    sizes = HeadSizes.of(read_model(mine, model)[1], quantities, dataset.world)
    head = ProbeHead(ProbeHeadConfig.model_validate(TINY), sizes)
    head.mean_X.copy_(torch.arange(len(head.mean_X)))
    options = head.config.model_dump(mode="json")
    request = HeadRequest(
        model=model, dataset=dataset.manifest.reference, kind="probe", version=1, options=options, seed=9
    )
    kept = commit_head(mine, request, head, FitFacts(episodes=1, frames=1, loss=0.0, seconds=0.0))
    again = read_head(mine, model, kept.reference)
    assert isinstance(again, ProbeHead) and len(quantities) > 1
    for name, columns in head.columns.items():
        assert torch.equal(again.mean_X[again.columns[name]], head.mean_X[columns])
