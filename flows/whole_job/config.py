"""The configuration of the whole job: the four parts' own, tied together by the names of what they hand on."""

from datetime import date
from typing import Annotated, Any

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from flows.whole_job.presets import PRESETS, preset_parts
from jepa.core.config import Config
from jepa.core.registries.choices import Choices
from pipelines.collect import CollectConfig
from pipelines.evaluate import EvaluateConfig
from pipelines.pretrain import PretrainConfig
from pipelines.reports.page import ReportConfig
from pipelines.store.references import split_dataset

PARTS = ("collect", "pretrain", "evaluate", "report")


class WorldModelConfig(Config):
    """Collect, pretrain, evaluate and report; names that are left out follow from the part before."""

    preset: Annotated[str | None, Choices(PRESETS.names)] = None
    """size of the job: what each part gets where it is left out; names and seed follow from `collect`"""
    collect: CollectConfig
    """the dataset"""
    pretrain: PretrainConfig
    """the model; `dataset` is the one that is collected"""
    evaluate: EvaluateConfig
    """the judgement; `model` is the one that is trained, `run` is named like it"""
    report: ReportConfig
    """the page; `run` is the one that is evaluated"""

    @model_validator(mode="before")
    @classmethod
    def _hand_on_names(cls, value: Any) -> Any:
        """Fills in what each part takes from the one before."""
        given = {name: value.get(name, {}) for name in PARTS} if isinstance(value, dict) else {}
        if not given or not all(isinstance(part, dict) for part in given.values()):
            return value
        parts = _over_preset(value.get("preset"), given)
        collect, pretrain, evaluate, report = (dict(parts[name]) for name in PARTS)
        dataset = collect.setdefault("name", CollectConfig.model_fields["name"].default)
        model = pretrain.setdefault("name", dataset)
        pretrain.setdefault("dataset", dataset)
        evaluate.setdefault("model", model)
        evaluate["dataset"] = evaluate.get("dataset") or dataset
        evaluate["run"] = evaluate.get("run") or model
        report["run"] = report.get("run") or evaluate["run"]
        return value | {"collect": collect, "pretrain": pretrain, "evaluate": evaluate, "report": report}

    @model_validator(mode="after")
    def _names_fit(self) -> "WorldModelConfig":
        """Refuses parts that do not work on what the part before makes."""
        links = {
            "pretrain.dataset": (split_dataset(self.pretrain.dataset)[0], "collect.name", self.collect.name),
            "evaluate.model": (self.evaluate.model, "pretrain.name", self.pretrain.name),
            "report.run": (self.report.run, "evaluate.run", self.evaluate.run),
        }
        for field, (value, source, wanted) in links.items():
            if value != wanted:
                raise ValueError(
                    f"{field} is {value!r} and {source} is {wanted!r}; leave {field} out or make them equal"
                )
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Returns the schema, in which nothing must be given that follows from something else."""
        schema = super().__get_pydantic_json_schema__(core, handler)
        whole = handler.resolve_ref_schema(schema)
        for part in (whole, *(handler.resolve_ref_schema(whole["properties"][name]) for name in PARTS)):
            part.pop("required", None)
        return schema

    @property
    def run(self) -> str:
        """Returns the id that all of the run's rows carry."""
        return self.report.run


def _over_preset(preset: Any, parts: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Returns parts with the fields of a preset below their own.

    Raises:
        InputError: the preset or the world is not known.
    """
    if preset is None:
        return parts
    collect = parts["collect"]
    world, seed = collect.get("world", CollectConfig.model_fields["world"].default), collect.get("seed", 0)
    below = preset_parts(world, str(preset), seed, collect.get("name"))
    return {name: below.get(name, {}) | part for name, part in parts.items()}


def dated(config: WorldModelConfig, day: date) -> WorldModelConfig:
    """Returns the job with a day at the end of the names that it makes, so that a schedule makes a new run each time.

    A dataset that the job does not collect, but evaluates on, keeps its name.
    """
    suffix = f"-{day:%Y%m%d}"
    model, run = config.pretrain.name + suffix, config.run + suffix

    def of_the_day(dataset: str | None) -> str | None:
        name, at, version = (dataset or "").partition("@")
        return f"{name}{suffix}{at}{version}" if name == config.collect.name else dataset

    parts = config.model_dump()
    parts["collect"]["name"] += suffix
    parts["pretrain"] |= {"dataset": of_the_day(config.pretrain.dataset), "name": model}
    parts["evaluate"] |= {"model": model, "dataset": of_the_day(config.evaluate.dataset), "run": run}
    parts["report"]["run"] = run
    return WorldModelConfig.model_validate(parts)
