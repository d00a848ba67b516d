"""Protocols are data: those of the package, files of others, what their digests stand for, what is wrong with one."""

from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from jepa.core.config import Config, digest_of
from jepa.core.errors import InputError
from jepa.evaluation import (
    EVALUATIONS,
    DecodingConfig,
    Evaluation,
    EvaluationResult,
    PlanningConfig,
    ProbingConfig,
    Protocol,
    SurpriseConfig,
    evaluate,
    get_protocol,
    protocol_names,
)
from jepa.models.world_model import WorldModel
from jepa.worlds import WORLDS
from tests.jepa.evaluation.standins import MemorySource

MINE = """
name: mine-v1
planning:
  problems: 3
  planners:
    cem: {samples: 32, elites: 4, iterations: 2}
    cem-long: {planner: cem, samples: 32, elites: 4, iterations: 2, horizon: 8}
    oracle: {samples: 32, elites: 4, iterations: 2}
"""


@pytest.fixture
def mine(tmp_path: Path) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(MINE)
    return str(path)


def test_those_of_the_package_bear_their_file_s_name_and_fit_every_evaluation() -> None:
    assert protocol_names() == [
        "counting-v1",
        "cube-small-v1",
        "lewm-v3",
        "long-v1",
        "moderate-v1",
        "planners-v1",
        "pusht-small-v2",
        "pusht-tiny-v1",
        "pusht-tiny-v2",
        "reacher-small-v1",
        "stitched-v1",
        "strict-v1",
        "tiny-v1",
        "two-room-v1",
    ]
    for name in protocol_names():
        protocol = get_protocol(name)
        assert protocol.name == name
        for kind in EVALUATIONS:
            assert isinstance(protocol.settings(kind), EVALUATIONS.get(kind).Config)


def test_they_travel_with_the_package() -> None:
    wheel = WheelBuilder(str(Path(__file__).parents[3]))
    files = {file.distribution_path for file in wheel.recurse_included_files()}
    assert {f"jepa/evaluation/protocols/{name}.yaml" for name in protocol_names()} <= files


def test_the_published_one_has_the_paper_s_sizes() -> None:
    planning = get_protocol("lewm-v3").settings("planning")
    assert isinstance(planning, PlanningConfig)
    cem, oracle = planning.planners["cem"], planning.planners["oracle"]
    assert [cem[name] for name in ("samples", "elites", "iterations", "horizon")] == [300, 30, 30, 5]
    assert (planning.problems, planning.offsets, planning.budget, planning.replan_every) == (50, (25,), 50, 25)
    assert [oracle[name] for name in ("samples", "elites", "iterations", "candidates_at_once")] == [300, 30, 30, 4800]


def test_defaults_are_those_of_two_room() -> None:
    protocol = get_protocol("two-room-v1")
    for kind in EVALUATIONS:
        assert protocol.settings(kind) == EVALUATIONS.get(kind).Config()
    planning = protocol.settings("planning")
    assert isinstance(planning, PlanningConfig)
    assert (planning.problems, planning.planners["cem"]["iterations"]) == (100, 10)
    assert (planning.planners["oracle"]["iterations"], planning.planners["oracle"]["path_weight"]) == (30, 0.1)


def test_a_slow_world_s_oracle_is_small_and_the_tiny_one_is_tiny() -> None:
    planning = get_protocol("pusht-tiny-v1").settings("planning")
    assert isinstance(planning, PlanningConfig)
    names = ("samples", "elites", "iterations", "init_std", "candidates_at_once")
    assert [planning.planners["oracle"][name] for name in names] == [64, 8, 8, 0.4, 64]
    assert get_protocol("pusht-tiny-v1").settings("surprise") == SurpriseConfig(episodes=40, batch=20)
    decoding = get_protocol("tiny-v1").settings("decoding")
    assert isinstance(decoding, DecodingConfig) and (decoding.side, decoding.horizon) == (32, 3)


def test_a_file_of_another_s_is_a_protocol_by_its_path(mine: str, model: WorldModel, source: MemorySource) -> None:
    result = evaluate("planning", model, source, mine)
    assert {row["protocol"] for row in result.metrics} == {"mine-v1"}
    assert {row["planner"] for row in result.metrics} == {"cem", "cem-long", "oracle", "random"}
    assert get_protocol(mine).settings("probing") == ProbingConfig(), "what is left out keeps its defaults"


def test_a_digest_is_that_of_the_complete_settings_of_one_kind(mine: str) -> None:
    protocol = get_protocol(mine)
    assert protocol.digest("planning") == digest_of(protocol.settings("planning").model_dump(mode="json"))
    written_out = Protocol.model_validate({"name": "other-v1", "planning": protocol.settings("planning")})
    assert written_out.digest("planning") == protocol.digest("planning"), "however briefly it is written"
    changed = Protocol.model_validate({"name": "mine-v1", "planning": {"problems": 4}})
    assert changed.digest("planning") != protocol.digest("planning")
    assert changed.digest("probing") == protocol.digest("probing") == get_protocol("lewm-v3").digest("probing")


def test_a_protocol_comes_back_from_its_document(mine: str) -> None:
    protocol = get_protocol(mine)
    assert Protocol.model_validate_json(protocol.model_dump_json()) == protocol


class CountingConfig(Config):
    """How far to count."""

    to: int = 3


class Counting(Evaluation):
    """Counts; needs no model."""

    kind = "counting"
    Config = CountingConfig

    def __init__(self, config: CountingConfig, protocol: str) -> None:
        self.config, self.protocol = config, protocol

    def units(self, source: object) -> list[str]:
        return [str(unit) for unit in range(self.config.to)]

    def run(self, unit: str, model: object, source: object, seed: int) -> EvaluationResult:
        return EvaluationResult([{"value": int(unit), "protocol": self.protocol}])


def test_an_evaluation_of_another_s_has_settings_like_any(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: WorldModel, source: MemorySource
) -> None:
    monkeypatch.setitem(EVALUATIONS._entries, "counting", Counting)
    path = tmp_path / "counted.yml"
    path.write_text("name: counted-v1\ncounting: {to: 5}\n")
    rows = evaluate("counting", model, source, str(path)).metrics
    assert [row["value"] for row in rows] == [0, 1, 2, 3, 4] and rows[0]["protocol"] == "counted-v1"
    assert len(evaluate("counting", model, source, "tiny-v1").metrics) == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name: [mine\n", r"protocol file '.*p\.yaml' is no YAML \(line 2\); correct it"),
        ("- probing\n", "holds a list; write `name: …` and settings by evaluation"),
        ("probing: {}\n", "name: Field required"),
        ("name: a b\n", "name: String should match pattern"),
        (
            "name: mine-v1\nplaning: {}\n",
            "evaluation 'planing' is not known; choose one of: decoding, geometry, identif",
        ),
        ("name: mine-v1\nprobing: {train_frames: 0}\n", r"probing\.train_frames: .* greater than 0, got 0"),
        ("name: mine-v1\nprobing: {frames: 3}\n", r"probing\.frames: Extra inputs are not permitted"),
        ("name: mine-v1\nprobing: 3\n", "probing: Input should be a valid dictionary, got 3"),
        (
            "name: mine-v1\nplanning: {planners: {cem: {samples: 3}}}\n",
            r"planning\.planners: cem: elites must lie between 2 and samples \(3\), got 30",
        ),
        ("name: lewm-v3\nprobing: {train_frames: 5}\n", "other settings than the known protocol 'lewm-v3'"),
    ],
)
def test_what_is_wrong_with_a_file_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=sentence) as raised:
        get_protocol(str(path))
    assert "\n" not in str(raised.value) and "p.yaml" in str(raised.value)


def test_a_protocol_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(
        InputError,
        match=r"protocol 'lewm' is not known; choose one of: counting-v1, cube-small-v1, .* or give a YAML file",
    ):
        get_protocol("lewm")
    with pytest.raises(InputError, match=r"'none\.yaml' does not exist; choose one of: counting-v1, cube-small-v1"):
        get_protocol("none.yaml")
    with pytest.raises(InputError, match="cannot be read: it is a folder"):
        (tmp_path / "folder.yaml").mkdir()
        get_protocol(str(tmp_path / "folder.yaml"))


def test_a_copy_of_the_package_s_may_keep_its_name(tmp_path: Path) -> None:
    path = tmp_path / "copy.yaml"
    settings = {kind: get_protocol("lewm-v3").settings(kind) for kind in ("planning", "probing")}
    path.write_text(Protocol.model_validate({"name": "lewm-v3", **settings}).model_dump_json())
    assert get_protocol(str(path)).digest("planning") == get_protocol("lewm-v3").digest("planning")


def test_every_world_declares_a_protocol_that_is_there() -> None:
    assert WORLDS.get("two_room").world_spec.protocol == "two-room-v1"
    for world in WORLDS:
        assert WORLDS.get(world).world_spec.protocol in protocol_names()
