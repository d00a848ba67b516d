"""`jepa run`: the whole job for any world, as the Prefect flow `world-model` in this process."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field, NonNegativeInt, model_validator

from flows.cli.commands.context import Context
from flows.cli.flags import Part
from flows.whole_job.config import WorldModelConfig
from flows.whole_job.presets import PRESETS, default_name, preset_parts
from infra.progress import announce
from infra.storage import open_store
from jepa.core.config import Config
from jepa.core.registries.choices import Choices
from jepa.training.registry import RECIPES
from jepa.worlds import WORLDS
from pipelines.collect import CollectConfig
from pipelines.collect.config import check_choices
from pipelines.evaluate import EvaluateConfig
from pipelines.pretrain import PretrainConfig
from pipelines.reports.page import ReportConfig

if TYPE_CHECKING:
    from flows.whole_job.needs import JobNeeds
    from pipelines.store.reports import UnitManifest

LINKED = {"collect": "world", "pretrain": "dataset", "evaluate": "model", "report": "run"}
"""Fields that follow from the parts before them."""


class RunOptions(Config):
    """A world and a size; fields of the parts change the preset's."""

    world: Annotated[str, Choices(WORLDS.names, others="gymnasium:… or one of yours")] = "two_room"
    """registered name of the world, see `jepa worlds`"""
    preset: Annotated[str | None, Choices(PRESETS.names)] = None
    """size of the job: `small` (a world learned in an hour on two cores), `large` (the same for one GPU), `demo`
    (Two-Room in minutes), `tiny` (Push-T's parts in a quarter of an hour), `smoke` (the least that passes through every
    part); by default what suits the world"""
    recipe: Annotated[str | None, Choices(RECIPES.names)] = None
    """short for pretrain.recipe, with frames of the size and at the steps that it is made for, e.g. `lewm`"""
    seed: NonNegativeInt = 0
    """seed of the dataset, the training and the evaluation alike"""
    name: str | None = Field(None, min_length=1)
    """name of dataset, model and run; by default world, preset, recipe where one is given, and seed"""
    collect: Annotated[dict[str, Any], Part(CollectConfig, ("world",))] = Field(default_factory=dict)
    pretrain: Annotated[dict[str, Any], Part(PretrainConfig, ("dataset",))] = Field(default_factory=dict)
    evaluate: Annotated[dict[str, Any], Part(EvaluateConfig, ("model",))] = Field(default_factory=dict)
    report: Annotated[dict[str, Any], Part(ReportConfig, ("run",))] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _linked_fields_are_left_out(self) -> "RunOptions":
        for part, field in LINKED.items():
            if field in getattr(self, part):
                raise ValueError(f"{part}.{field} follows from the other parts of the job; leave it out")
        return self


Options = RunOptions
EXAMPLE = "jepa run --world pusht --preset tiny --collect.episodes 300"


def what_it_makes(options: RunOptions, context: Context) -> dict[str, str]:
    """Returns the run's name, by which a job on a cluster is found again, and the names of model and dataset."""
    config = whole_config(options, context)
    return {"run": config.run, "model": config.pretrain.name, "dataset": config.collect.name}


def whole_config(options: RunOptions, context: Context) -> WorldModelConfig:
    """Returns the configuration of all parts: what was asked for, over the preset.

    Raises:
        InputError: the world or the preset is not known, or the parts do not fit together.
    """
    WORLDS.get(options.world)
    asked = {part: getattr(options, part) for part in LINKED}
    parts = _below(options, asked)
    config = context.sources.build_over(WorldModelConfig, parts, asked)
    check_choices(config.collect)
    return config


def _below(options: RunOptions, asked: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Returns what each part gets where it is left out."""
    if options.recipe is None:
        return preset_parts(options.world, options.preset, options.seed, options.name)
    from flows.whole_job.recipe_parts import preset_for, with_recipe

    preset = options.preset or preset_for(options.recipe, options.world)
    name = options.name or default_name(options.world, f"{preset}-{options.recipe}", options.seed)
    return with_recipe(preset_parts(options.world, preset, options.seed, name), options.recipe, asked)


def execute(options: RunOptions, context: Context) -> int:
    """Runs the job, or what is missing of it, and shows the figures and the report's address."""
    config = whole_config(options, context)
    from flows.display import earlier_lines, metrics_lines, unit_facts
    from flows.servers.embedded import embedded_store
    from pipelines.reports import metrics_table

    with embedded_store(context.store_uri) as (store_uri, keep):
        context.store_uri = store_uri
        before = _evaluated(config, context)
        needs = _run(config, context)
        units = _evaluated(config, context)
        figures = metrics_table(store_uri, config.run)
        address = keep(f"reports/{config.run}/report.html")
    earlier = [unit for unit in units if unit in before]
    context.show(
        {
            "run": config.run,
            "report": address,
            "takes": needs.facts(),
            "units": unit_facts(earlier, len(units)),
            "metrics": [figure.model_dump(mode="json") for figure in figures],
        },
        [
            *metrics_lines(figures),
            "",
            *earlier_lines(earlier, len(units), "--evaluate.force"),
            f"report: {address}",
        ],
    )
    return 0


def _evaluated(config: WorldModelConfig, context: Context) -> "list[UnitManifest]":
    """Returns the run's units of evaluation that are done."""
    from pipelines.store.reports import units_of_run

    units = units_of_run(open_store(context.store_uri), config.run)
    return [unit for unit in units if unit.evaluation_version is not None]


def _run(config: WorldModelConfig, context: Context) -> "JobNeeds":
    """Says what the job will take, runs it, and returns that."""
    from flows.servers.embedded import embedded_prefect
    from flows.whole_job.checks import check_job
    from flows.whole_job.needs import job_needs

    store = context.store()
    check_job(config, store)
    needs = job_needs(config, store)
    # The server is looked for first: what refuses the job says so in one sentence alone.
    with embedded_prefect():
        from flows.world_model import world_model

        for line in needs.lines():
            announce(line)
        context.working = True
        world_model(config, context.store_uri)
    return needs
