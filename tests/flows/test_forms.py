"""The forms of the deployments: choices out of the registries, and no value refused that the flow takes."""

import urllib.error
from typing import Any

import jsonschema
import pytest
from prefect import Flow
from prefect.utilities.callables import parameter_schema

from flows.collect import collect
from flows.evaluate import evaluate
from flows.fit_heads import fit_heads
from flows.pretrain import pretrain
from flows.study import study
from flows.whole_job.config import WorldModelConfig
from flows.whole_job.presets import PRESETS
from flows.world_model import world_model
from jepa.evaluation import EVALUATIONS
from jepa.evaluation.protocol import protocol_names
from jepa.objectives import OBJECTIVES
from jepa.planning.heads.registry import HEADS
from jepa.studies import STUDIES
from jepa.training.recipes import RECIPES
from jepa.worlds import WORLDS
from pipelines.collect import CollectConfig
from pipelines.store.codecs import CODECS
from pipelines.store.formats import FORMATS
from tests.flows.conftest import Ask, Prefect

(OLD_NAME,) = CollectConfig.renamed
TAKEN: list[dict[str, Any]] = [
    {"collect": {"name": "d"}},
    {"preset": "smoke"},
    {"preset": "smoke", "collect": {"world": "gymnasium:CartPole-v1", "name": "d"}},
    {"collect": {"policy": "random"}},
    {"collect": {OLD_NAME: "two_room/expert=0.7,random=0.3"}, "pretrain": {"recipe": "smoke"}},
    {"collect": {"codec": "auto", "format": "webdataset"}, "evaluate": {"kinds": ["probing"]}},
    {"pretrain": {"objective": "lewm", "precision": "bf16"}, "report": {}},
]
"""Parts of a whole job as people write them."""
REFUSED: list[dict[str, Any]] = [
    {"preset": "huge"},
    {"collect": {"codec": "gif"}},
    {"collect": {"format": "zip"}},
    {"collect": {"episods": 3}},
    {"pretrain": {"recipe": "none"}},
    {"pretrain": {"precision": "fp8"}},
]


def schema_of(flow: Flow[..., Any]) -> dict[str, Any]:
    return parameter_schema(flow).model_dump_for_openapi()


def choices(schema: Any) -> set[str]:
    """Returns all values that a property's schema lists."""
    if isinstance(schema, dict):
        return set(schema.get("enum", ())) | {name for part in schema.values() for name in choices(part)}
    return {name for part in schema for name in choices(part)} if isinstance(schema, list) else set()


@pytest.mark.parametrize(
    "flow", [world_model, collect, pretrain, fit_heads, evaluate, study], ids=lambda flow: flow.name
)
def test_names_are_choices_out_of_the_registries(flow: Flow[..., Any]) -> None:
    parts = schema_of(flow)["definitions"]
    wanted = {
        ("WorldModelConfig", "preset"): list(PRESETS),
        ("CollectConfig", "world"): WORLDS.names(),
        ("CollectConfig", "codec"): [*CODECS.names(), "auto"],
        ("CollectConfig", "format"): FORMATS.names(),
        ("PretrainConfig", "recipe"): RECIPES.names(),
        ("PretrainConfig", "objective"): OBJECTIVES.names(),
        ("PretrainConfig", "precision"): ["auto", "bf16", "fp16", "fp32", "fp64"],
        ("FitHeadsConfig", "heads"): HEADS.names(),
        ("EvaluateConfig", "protocol"): protocol_names(),
        ("EvaluateConfig", "kinds"): EVALUATIONS.names(),
        ("StudyConfig", "study"): STUDIES.names(),
    }
    found = [(part, field) for part, field in wanted if part in parts]
    assert found
    for part, field in found:
        assert choices(parts[part]["properties"][field]) == set(wanted[part, field]), (part, field)


def test_the_form_has_the_parameters_of_the_flow_and_no_other() -> None:
    assert list(schema_of(world_model)["properties"]) == ["config", "store", "by_day"]
    assert schema_of(world_model)["required"] == ["config"]


@pytest.mark.parametrize("config", TAKEN)
def test_what_the_flow_takes_the_form_takes(config: dict[str, Any]) -> None:
    WorldModelConfig.model_validate(config)
    jsonschema.validate({"config": config}, schema_of(world_model))


@pytest.mark.parametrize("config", REFUSED)
def test_a_wrong_choice_is_refused_by_both(config: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": config}, schema_of(world_model))


def test_a_preset_gives_what_is_left_out_and_names_are_typed_once() -> None:
    config = WorldModelConfig.model_validate(
        {"preset": "smoke", "collect": {"world": "pusht", "name": "d", "seed": 4}, "pretrain": {"steps": 7}}
    )
    assert (config.collect.episodes, config.pretrain.recipe, config.pretrain.steps) == (40, "smoke", 7)
    assert config.collect.seed == config.pretrain.seed == config.evaluate.seed == 4
    assert config.pretrain.dataset == config.evaluate.model == config.run == "d"
    assert WorldModelConfig.model_validate(config.model_dump()) == config


@pytest.mark.slow
@pytest.mark.prefect
def test_a_server_takes_what_the_flow_takes(prefect: Prefect, ask: Ask) -> None:
    deployment = ask("deployments/name/world-model/world-model", method="GET")["id"]

    def post(config: dict[str, Any]) -> Any:
        # Far away, so that no worker of another test takes it.
        state = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2100-01-01T00:00:00Z"}}
        body = {"parameters": {"config": config}, "state": state}
        return ask(f"deployments/{deployment}/create_flow_run", body)

    for config in TAKEN:
        run = post(config)
        assert run["parameters"]["config"] == config
        ask(f"flow_runs/{run['id']}", method="DELETE")
    for config in REFUSED:
        with pytest.raises(urllib.error.HTTPError, match=r"409|422"):
            post(config)
