"""The configuration of the whole job: the four parts' own, tied together by the names of what they hand on."""

from datetime import date
from typing import Any

from pydantic import model_validator

from jepa.core.config import Config
from pipelines.collect import CollectConfig
from pipelines.evaluate import EvaluateConfig
from pipelines.pretrain import PretrainConfig
from pipelines.reports.page import ReportConfig
from pipelines.store.references import split_dataset


class WorldModelConfig(Config):
    """Collect, pretrain, evaluate and report; names that are left out follow from the part before."""

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
        if not isinstance(value, dict) or not all(isinstance(part, dict) for part in value.values()):
            return value
        parts = {name: dict(value.get(name, {})) for name in cls.model_fields} | value
        collect, pretrain, evaluate, report = (dict(parts[name]) for name in cls.model_fields)
        dataset = collect.setdefault("name", CollectConfig.model_fields["name"].default)
        model = pretrain.setdefault("name", dataset)
        pretrain.setdefault("dataset", dataset)
        evaluate.setdefault("model", model)
        evaluate["dataset"] = evaluate.get("dataset") or dataset
        evaluate["run"] = evaluate.get("run") or model
        report["run"] = report.get("run") or evaluate["run"]
        return parts | {"collect": collect, "pretrain": pretrain, "evaluate": evaluate, "report": report}

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

    @property
    def run(self) -> str:
        """Returns the id that all of the run's rows carry."""
        return self.report.run


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
