"""The page's sections, each made from the tables alone, or saying what it would have needed."""

from collections.abc import Iterator
from dataclasses import replace

from markupsafe import Markup

from infra.errors import InfraError
from infra.storage import Store
from jepa.core.errors import InputError
from jepa.evaluation import EVALUATIONS
from jepa.evaluation.declarations import Chart, Section
from pipelines.reports.origins import by_origin, told_apart
from pipelines.reports.page.data import ReportData
from pipelines.reports.page.drawings import DRAWINGS, Subject
from pipelines.reports.page.elements.blocks import Amounts, Block, PageSection
from pipelines.reports.page.elements.strips import episode_strip
from pipelines.reports.page.sections.cards import dataset_card, is_name, model_card
from pipelines.reports.page.sections.checkpoint_curves import checkpoint_curves
from pipelines.reports.page.sections.training_curves import constants_list, training_curves
from pipelines.reports.selection import select
from pipelines.store import Dataset, open_dataset
from pipelines.store.references import DatasetRef

READ_TRAINING = (
    "The lowest loss need not be the best model: a collapsed one predicts itself perfectly. Spread: standard "
    "deviations of the latents' dimensions; SIGReg: about 1 for Gaussian latents, of others in proportion to the "
    "global batch. Joint head, where there is one: the loss of a head for planners that is trained with the model."
)

READ_CHECKPOINTS = (
    "Held-out figures of the weights after so many steps, beside the loss; bands are 95 % intervals. The last point is "
    "the model itself."
)


def declared_sections() -> list[tuple[str, Section]]:
    """Returns the sections that evaluations declare, each with its kind of evaluation, in reading order."""
    kinds = {kind: EVALUATIONS.get(kind).section for kind in EVALUATIONS}
    every = [(kind, section) for kind, section in kinds.items() if section is not None]
    return sorted(every, key=lambda pair: pair[1].order)


def declared(kind: str, section: Section, data: ReportData, amounts: Amounts) -> PageSection:
    """Returns the section of a kind of evaluation, drawn chart by chart, each for every origin of its rows."""
    blocks = [block for chart in section.charts for block in _drawn(kind, chart, data, amounts)]
    return PageSection(kind, section.title, section.missing, tuple(blocks))


def _drawn(kind: str, chart: Chart, data: ReportData, amounts: Amounts) -> Iterator[Block]:
    drawing = DRAWINGS.get(chart.drawing)()
    figures = data.metrics[data.metrics.evaluation == kind]
    rows = figures if chart.table == "metrics" else data.tables[chart.table]
    found = list(by_origin(select(rows, chart.where, chart.without), kind, drawing.tells_apart))
    beside = dict(by_origin(figures, kind, drawing.tells_apart))
    scopes = told_apart([origin for origin, _ in found], data.words)
    for (origin, own), words in zip(found, scopes, strict=True):
        scope = "".join(f" · {word}" for word in words)
        subject = Subject(chart, own, beside.get(origin, figures.iloc[:0]), scope, amounts)
        for block in drawing.draw(subject):
            yield replace(block, reading=chart.reading) if block.reading is None else block


def training(data: ReportData) -> PageSection:
    """Loss terms, the annealed weight and the health of the latents by step."""
    rows = data.tables["training"]
    blocks = [Block(training_curves(rows, data.words) + constants_list(rows), "", READ_TRAINING)] if len(rows) else []
    judged = checkpoint_curves(data.checkpoints, data.metrics, rows)
    blocks += [Block(judged, "Checkpoints", READ_CHECKPOINTS)] if judged is not None else []
    return PageSection("training", "Training", "The store holds no training curve of this model.", tuple(blocks))


def episodes(data: ReportData, store: Store, amounts: Amounts) -> PageSection:
    """Film strips of held-out episodes of each dataset, of the version that was judged."""
    blocks = []
    for reference in data.datasets:
        dataset = _opened(store, reference)
        if dataset is not None:
            shown = dataset.episodes("test", amounts.episodes)
            strips = Markup("").join(episode_strip(episode, amounts.frames) for episode in shown)
            blocks.append(Block(strips, f"Held-out episodes of {reference}" if len(data.datasets) > 1 else ""))
    return PageSection("episodes", "Episodes", "The dataset is not in this store.", tuple(blocks))


def cards(data: ReportData, store: Store) -> PageSection:
    """What the datasets and the models are, in their own words."""
    found = [dataset_card(store, reference) for reference in data.datasets]
    found += [model_card(store, name) for name in data.names("model")]
    blocks = [Block(Markup('<div class="card">{}</div>').format(content)) for content in found if content is not None]
    return PageSection("cards", "Cards", "Neither dataset nor model has a card in this store.", tuple(blocks))


def _opened(store: Store, reference: DatasetRef | str) -> Dataset | None:
    """Returns a dataset that rows refer to, None where it is gone."""
    name = reference if isinstance(reference, str) else reference.name
    if not is_name(name):
        return None
    try:
        return Dataset(store, reference) if isinstance(reference, str) else open_dataset(store, reference)
    except (InputError, InfraError):
        return None
