"""`jepa study`: a paper's claims on a grid of small jobs."""

from typing import Annotated

from flows.cli.commands.context import Context
from infra.storage import open_store
from jepa.core.errors import InputError
from jepa.core.registries.choices import Choices
from jepa.studies import STUDIES
from pipelines.study import StudyChoices, StudyConfig


class StudyOptions(StudyChoices):
    """A study, or the list of all."""

    study: Annotated[str | None, Choices(STUDIES.names, others="one of yours")] = None
    """registered name of the study"""
    list: bool = False
    """list the studies there are, with their presets, and run none"""


Options = StudyOptions
POSITIONAL = "study"
EXAMPLE = (
    "jepa study --list\n  jepa study identifiability --preset tiny\n"
    "  jepa study objectives --world two_room --cell seed=[0,1,2] amount=300"
)


def what_it_makes(options: StudyOptions, context: Context) -> dict[str, str]:
    """Returns the run's name, by which a job on a cluster is found again."""
    from pipelines.study import plan_study

    return {"run": plan_study(_config(options), open_store(context.store_uri)).run}


def execute(options: StudyOptions, context: Context) -> int:
    """Runs the cells that are missing, and shows the verdicts and the page's address."""
    if options.list:
        return _list(context)
    config = _config(options)
    from flows.display import study_facts, study_lines
    from pipelines.reports.page import ReportConfig
    from pipelines.reports.page import report as render_report
    from pipelines.study import plan_study
    from pipelines.study.job import carry_out

    store = context.store()
    plan = plan_study(config, store)
    with context.start(options):
        studied = carry_out(plan, store, context.progress())
        page = render_report(ReportConfig(run=studied.run), store, context.progress())
    context.show({**study_facts(studied), "report": page.address}, [*study_lines(studied), f"report: {page.address}"])
    return 0


def _config(options: StudyOptions) -> StudyConfig:
    """Returns what the job takes.

    Raises:
        InputError: no study is named.
    """
    if options.study is None:
        raise InputError(f"name a study, one of: {', '.join(STUDIES)}; `jepa study --list` says what each is about")
    STUDIES.check(options.study)
    return StudyConfig.model_validate(options.model_dump(exclude={"list"}, exclude_unset=True))


def _list(context: Context) -> int:
    facts, lines = [], []
    for name in STUDIES:
        study = STUDIES.get(name)()
        presets = {preset: len(study.cells(preset)) for preset in study.presets}
        facts.append({"name": name, "summary": study.summary, "paper": study.paper, "presets": presets})
        sizes = ", ".join(f"{preset} ({count} cells)" for preset, count in presets.items())
        lines += [f"{name}: {study.summary}", f"  presets  {sizes}", f"  claims   {len(study.claims)}"]
        lines += [f"  paper    {study.paper}"] if study.paper else []
    context.show({"studies": facts}, lines or ["no study is registered"])
    return 0
