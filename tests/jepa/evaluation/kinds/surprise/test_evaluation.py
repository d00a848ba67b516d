"""Surprise: a right model is struck by a teleport and by nothing else."""

import numpy as np
import pytest

from jepa.core.errors import InputError
from jepa.evaluation.kinds.surprise.evaluation import (
    EpisodeSurprise,
    SurpriseConfig,
    SurpriseEvaluation,
    one_step_surprise,
    replay,
    surprise_metrics,
)
from jepa.worlds.two_room.world import TwoRoom
from tests.jepa.evaluation.standins import CentroidModel, MemorySource


@pytest.fixture(scope="module")
def source() -> MemorySource:
    return MemorySource({"test": 24})


def test_a_replay_is_the_recording_until_the_event(source: MemorySource) -> None:
    episodes = source.by_split["test"][:5]
    control = replay(episodes, "two_room", {}, 5, 6, None, seed=0)
    teleported = replay(episodes, "two_room", {}, 5, 6, "teleport", seed=0)
    recorded = np.stack([episode.pixels[:61:5] for episode in episodes])
    np.testing.assert_array_equal(control.pixels_NTHWC, recorded)
    np.testing.assert_array_equal(teleported.pixels_NTHWC[:, :6], recorded[:, :6])
    assert all((teleported.pixels_NTHWC[n, 6] != recorded[n, 6]).any() for n in range(5))
    np.testing.assert_array_equal(control.action_NTKA[2, 3], episodes[2].action[15:20])
    assert (teleported.strength_N >= 0.3).all() and (control.strength_N == 0).all()


def test_a_perturbation_does_not_depend_on_the_neighbours(source: MemorySource) -> None:
    episodes = source.by_split["test"][:4]
    together = replay(episodes, "two_room", {}, 5, 6, "teleport", seed=1)
    for n, episode in enumerate(episodes):
        alone = replay([episode], "two_room", {}, 5, 6, "teleport", seed=1)
        np.testing.assert_array_equal(alone.pixels_NTHWC[0], together.pixels_NTHWC[n])


def test_a_right_model_tells_a_teleport_without_fail(source: MemorySource) -> None:
    evaluation = SurpriseEvaluation(SurpriseConfig(batch=10), "p-v1")
    assert evaluation.units(source) == [f"test/{name}" for name in TwoRoom.world_spec.perturbation_names]
    result = evaluation.run("test/teleport", CentroidModel(), source, seed=0)  # type: ignore[arg-type]
    (auroc,) = [row for row in result.metrics if row["metric"] == "auroc"]
    assert (auroc["value"], auroc["n"], auroc["shift"], auroc["split"]) == (1.0, 24, "teleport", "test")
    values = {row["metric"]: row["value"] for row in result.metrics}
    assert values["surprise_at"] > 20 * max(
        values["surprise_before"], values["surprise_after"], values["surprise_control"]
    )
    rows = result.tables["steps"]
    assert len(rows) == 24 * 2 * 12
    assert {row["step"] for row in rows} == set(range(5, 61, 5)) and {row["event_step"] for row in rows} == {30}
    peak = max((row for row in rows if row["perturbed"]), key=lambda row: row["surprise"])
    assert peak["step"] == peak["event_step"]
    assert len({row["episode"] for row in rows if "frame" in row}) == 2


def test_surprise_is_the_mean_squared_error_of_the_prediction(source: MemorySource) -> None:
    model, episode = CentroidModel(), source.by_split["test"][1]
    control = replay([episode], "two_room", {}, 5, 6, None, seed=0)
    surprise = one_step_surprise(model, control.pixels_NTHWC, control.action_NTKA)  # type: ignore[arg-type]
    position = episode.state["agent_position"][:61:5]
    expected = (position[:-1] + 0.03 * episode.action[:60].reshape(12, 5, 2).sum(1) - position[1:]) ** 2
    np.testing.assert_allclose(surprise[0], expected.mean(1), atol=2e-3)


def test_auroc_of_known_surprises() -> None:
    """Two of the three perturbed episodes stand above all controls, one below all: 6 of 9 pairs."""
    found = [
        EpisodeSurprise(
            n, event=2, strength=0.5, perturbed=np.array([0.0, at, 0.0]), control=np.array([9.0, 1.0 + n, 9.0])
        )
        for n, at in enumerate([10.0, 11.0, 0.5])
    ]
    rows = {row["metric"]: row for row in surprise_metrics(found, {"seed": 0})}
    assert rows["auroc"]["value"] == pytest.approx(6 / 9)
    assert rows["surprise_control"]["value"] == 2.0 and rows["surprise_before"]["value"] == 0.0
    assert rows["auroc"]["strength"] == 0.5


@pytest.mark.parametrize("batch", [1, 2, 50])
def test_episodes_too_short_are_refused_in_a_sentence(batch: int) -> None:
    short = MemorySource({"test": 2}, steps=9)
    with pytest.raises(InputError, match=r"no 'test' episode has 3 frames 5 steps apart.*collect longer episodes"):
        SurpriseEvaluation(SurpriseConfig(batch=batch), "p-v1").run("test/teleport", CentroidModel(), short, 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("batch", [1, 2, 50])
def test_short_episodes_among_long_ones_are_left_out(source: MemorySource, batch: int) -> None:
    mixed, short = MemorySource({}), MemorySource({"test": 4}, steps=9).by_split["test"]
    long = source.by_split["test"][:3]
    mixed.by_split["test"] = [*long[:1], *short[:2], *long[1:], *short[2:]]
    result = SurpriseEvaluation(SurpriseConfig(batch=batch), "p-v1").run("test/teleport", CentroidModel(), mixed, 0)  # type: ignore[arg-type]
    assert {row["n"] for row in result.metrics} == {3}
    assert len(result.tables["steps"]) == 3 * 2 * 12 and {row["event_step"] for row in result.tables["steps"]} == {30}
