"""Renders one run as a single HTML file that needs nothing else: no network, no other file, no script."""

from functools import partial
from pathlib import Path

from infra.progress import Progress
from infra.storage import Store
from jepa.core.config import Config
from pipelines.reports.page.config import ReportConfig
from pipelines.reports.page.data import ReportData, read_run
from pipelines.reports.page.elements.blocks import Amounts, PageSection
from pipelines.reports.page.elements.filters import cell, has_interval, number, share
from pipelines.reports.page.elements.numbers import shown
from pipelines.reports.page.elements.templates import environment, page_style
from pipelines.reports.page.sections import of_run as sections
from pipelines.reports.page.sections.all_figures import figure_tables, figures_json, tile_groups
from pipelines.reports.page.sections.of_studies import study_sections
from pipelines.reports.page.sections.shift_maps import shifts
from pipelines.reports.summary import Headline
from pipelines.store.reports import SCHEMA_VERSION, latest_run
from pipelines.store.sealed import seal_page

FOLDER = Path(__file__).parent


class ReportResult(Config):
    """Where the report is, and the figures that it opens with."""

    run: str
    path: str
    """Path within the store."""
    address: str
    """Full address, to be opened in a browser."""
    headlines: tuple[Headline, ...]

    def __repr__(self) -> str:
        return f"<report of run {self.run}: {len(self.headlines)} headline figures, {self.address}>"

    __str__ = __repr__


def report(config: ReportConfig, store: Store, progress: Progress) -> ReportResult:
    """Writes `reports/<run>/report.html`.

    Raises:
        InputError: the store holds no results of that run, or none at all.
    """
    run = config.run or latest_run(store)
    data = read_run(store, run)
    path = f"reports/{run}/report.html"
    store.write(path, seal_page(render(data, config, store, progress).encode()))
    return ReportResult(run=run, path=path, address=store.address(path), headlines=tuple(data.headlines))


def render(data: ReportData, config: ReportConfig, store: Store, progress: Progress) -> str:
    """Returns the page of a run's data; cards and film strips are read from the store."""
    made = _sections(data, config, store, progress)
    templates = environment(FOLDER)
    templates.filters.update(number=number, share=share, cell=cell, shown=shown, has_interval=has_interval)
    return templates.get_template("page.html.j2").render(
        data=data,
        sections=[section for section in made if section.blocks or section.missing],
        judged=not data.metrics.empty or not data.studied,
        style=page_style(),
        groups=tile_groups(data),
        tables=figure_tables(data),
        figures=figures_json(data),
        written=max(unit.created_at for unit in data.units),
        schema_version=SCHEMA_VERSION,
    )


def _sections(data: ReportData, config: ReportConfig, store: Store, progress: Progress) -> list[PageSection]:
    amounts = Amounts(config.episodes, config.frames, config.paths, config.points)
    makers = [
        partial(sections.episodes, data, store, amounts),
        partial(sections.training, data),
        *(partial(sections.declared, kind, own, data, amounts) for kind, own in sections.declared_sections()),
        partial(shifts, data),
        partial(sections.cards, data, store),
    ]
    made = study_sections(data, amounts)
    if data.studied and data.metrics.empty:
        return made  # of a model that there is not, nothing is missing
    with progress.phase(f"report {data.run}", len(makers), "sections") as phase:
        for maker in makers:
            made.append(maker())
            phase.advance(1)
    return made
