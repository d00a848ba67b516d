"""A world whose episodes end by themselves, from collecting to planning, and what is said of their lengths."""

from pathlib import Path

import numpy as np
import pytest

from infra.storage import open_store
from pipelines.collect import CollectConfig, collect
from pipelines.evaluate import EvaluateConfig, evaluate
from pipelines.pretrain import pretrain
from pipelines.store import Dataset
from pipelines.store.datasets.card import length_sentence
from pipelines.store.reports import read_table
from tests.pipelines.small_model import small_training

PROTOCOL = """
name: cartpole-v1
planning:
  problems: 2
  ahead: 5
  budget: 10
  replan_every: 5
  planners:
    oracle: {planner: oracle, samples: 4, elites: 2, iterations: 1, horizon: 1, frameskip: 5}
    random: {planner: random, steps: 5}
surprise:
  episodes: 4
"""


@pytest.mark.slow
def test_windows_and_problems_respect_the_ends_of_episodes(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "store"))
    fields = {"episodes": 40, "steps": 40, "image_size": 32, "test_share": 0.2, "executor": "local", "actors": 1}
    manifest = collect(CollectConfig(world="gymnasium:CartPole-v1", name="d0", episodes_per_shard=8, **fields), store)
    dataset = Dataset(store, "d0")
    steps = dataset.episode_rows["steps"].to_numpy()
    assert steps.min() < 40 and manifest.total("frames") == (steps + 1).sum()
    said = length_sentence(manifest.plan, steps.tolist())
    assert said is not None and said.startswith(f"{(steps < 40).sum()} of 40 episodes ended before 40 steps")
    assert said in store.read("datasets/d0/card.md").decode()
    assert set(manifest.quantities) == {"observation", "replay_seed", "replay_steps", "channels"}
    pretrain(small_training(), store)
    protocol = tmp_path / "protocol.yaml"
    protocol.write_text(PROTOCOL)
    kinds = ("planning", "surprise")
    config = EvaluateConfig(model="m0", protocol=str(protocol), kinds=kinds, executor="local", workers=1)
    rows = read_table(store, "episodes", units=evaluate(config, store).units).compute()
    lengths = {episode.index: episode.steps for episode in dataset.episodes("test")}
    assert all(row.start_row + 5 <= lengths[row.episode] for row in rows.itertuples())
    assert np.isfinite(rows["final_distance"]).all()
