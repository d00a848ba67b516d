"""The report's sections, each made from the tables alone, or saying what it would have needed."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd
from markupsafe import Markup

from infra.storage import Store
from pipelines.reports.html.cards import card, is_name
from pipelines.reports.html.data import ReportData
from pipelines.reports.html.draw_decoding import decoding_curves
from pipelines.reports.html.draw_planning import choose_episodes, path_scenes, planner_bars
from pipelines.reports.html.draw_probing import probe_scatter
from pipelines.reports.html.draw_surprise import surprise_curves
from pipelines.reports.html.draw_training import training_curves
from pipelines.reports.html.strips import episode_strip, film, strip
from pipelines.reports.summary import distance_regret, plain
from pipelines.store.datasets.dataset import Dataset

READ_SUCCESS = (
    "Lines are 95 % intervals. Random acts blindly, the oracle plans in the true world, "
    "every other planner in the model's latents."
)
READ_REGRET = "How much farther from the goal an episode ends than the oracle's on the same problem; less is better."
READ_PATHS = (
    "Blue: the path taken, from the dot. Orange, dashed: where the first plan expected to go. "
    "Ring: the goal, whose frame shines through the first one."
)
READ_PROBES = (
    "Each dot is a held-out frame; on the line the probe reads it exactly. "
    "R² is that of the whole quantity, over all held-out frames."
)
READ_SURPRISE = (
    "Bands are 95 % intervals of the mean over episodes. A model of the world is surprised by what cannot happen in it."
)
READ_DECODED = (
    "How near the drawn pictures come to the true ones; higher is better. What the decoder cannot draw of an encoded "
    "frame is lost in the latent, or on the decoder; what falls off from there is lost in the imagination."
)
READ_PICTURES = (
    "A decoder fitted to frozen latents of training frames draws them; the model itself never learned to draw. "
    "Imagined: only the first frame was seen, the rest is predicted from the same actions."
)
READ_TRAINING = (
    "The lowest loss need not be the best model: a collapsed one predicts itself perfectly. Spread: standard "
    "deviations of the latents' dimensions; SIGReg: about 1 for Gaussian latents."
)


@dataclass(frozen=True)
class Block:
    """A chart, strip or card with a line that tells how to read it."""

    content: Markup
    heading: str = ""
    reading: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the report; without blocks it says what is `missing`, or is left out where that is empty."""

    anchor: str
    title: str
    missing: str
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True)
class Amounts:
    """How much of everything is shown."""

    episodes: int
    frames: int
    paths: int
    points: int


def planning(data: ReportData, amounts: Amounts) -> Section:
    """Bars beside random and oracle, and paths over the scene."""
    rows = data.metrics[data.metrics.evaluation == "planning"].dropna(subset=["goal", "planner"])
    blocks = [block for model, own in rows.groupby("model") for block in _planner_blocks(own, _scope(rows, str(model)))]
    episodes = data.tables["episodes"]
    for model, split, own in _by_model(episodes):
        for success, word in ((True, "reached"), (False, "missed")):
            chosen = choose_episodes(own, success, amounts.paths)
            if len(chosen):
                heading = f"Goals {word}{_scope(episodes, model, split)}"
                blocks.append(Block(path_scenes(chosen, heading), heading, READ_PATHS))
    return Section("planning", "Planning", "No planning was evaluated in this run.", tuple(blocks))


def _planner_blocks(rows: pd.DataFrame, scope: str) -> Iterator[Block]:
    rates = rows[rows.metric == "success_rate"]
    if len(rates):
        yield Block(planner_bars(rates, "goals reached, %", percent=True), f"Goals reached{scope}", READ_SUCCESS)
    regrets = distance_regret(rows[rows.planner != "oracle"])
    if len(regrets):
        title = f"regret, {regrets.unit.iloc[0]}"
        yield Block(planner_bars(regrets, title, percent=False), f"Planning regret{scope}", READ_REGRET)


def probing(data: ReportData, amounts: Amounts) -> Section:
    """Scatter plots of what probes read from the latents."""
    rows = data.tables["predictions"]
    fits = data.metrics[data.metrics.metric == "r2"]
    blocks = []
    for model, split, own in _by_model(rows):
        found = fits[(fits.model == model) & (fits.split == split)].groupby(["probe", "quantity"]).value.mean()
        chart = probe_scatter(own, found.to_dict(), amounts.points)
        blocks.append(Block(chart, f"Read by probes{_scope(rows, model, split)}", READ_PROBES))
    return Section("probing", "What the latents hold", "No probes were evaluated in this run.", tuple(blocks))


def surprise(data: ReportData, amounts: Amounts) -> Section:
    """Surprise around the event, and frames of an example where they were kept."""
    rows = data.tables["steps"]
    metrics = data.metrics[data.metrics.metric == "auroc"]
    blocks = []
    for model, split, own in _by_model(rows):
        found = metrics[(metrics.model == model) & (metrics.split == split)]
        aurocs = found.groupby("shift").value.mean().to_dict()
        heading = f"Surprise over time{_scope(rows, model, split)}"
        blocks.append(Block(surprise_curves(own, aurocs), heading, READ_SURPRISE))
        blocks += _event_strips(own, amounts.frames)
    return Section("surprise", "Surprise", "No surprise was evaluated in this run.", tuple(blocks))


def _event_strips(steps: pd.DataFrame, frames: int) -> Iterator[Block]:
    kept = steps[steps.frame.notna() & steps.perturbed]
    for shift, rows in kept.groupby("shift"):
        rows = rows.sort_values(["seed", "episode", "step"])
        rows = rows[(rows.seed == rows.seed.iloc[0]) & (rows.episode == rows.episode.iloc[0])]
        nearest = (rows.step - rows.event_step).abs().sort_values(kind="stable").index[:frames]
        rows = rows.loc[sorted(nearest, key=lambda index: rows.step[index])]
        event = f"step {rows.event_step.iloc[0]}"
        frames_shown = [(f"step {row.step}", bytes(row.frame)) for row in rows.itertuples()]
        yield Block(strip(frames_shown, f"Episode {rows.episode.iloc[0]} · {plain(shift)} at {event}", event))


def imagination(data: ReportData, amounts: Amounts) -> Section:
    """How well what is imagined can be drawn, and film strips of it; made on demand, so no report misses it."""
    metrics = data.metrics[data.metrics.metric == "psnr"]
    blocks = [
        Block(decoding_curves(own), f"Pictures drawn from latents{_scope(metrics, model, split)}", READ_DECODED)
        for model, split, own in _by_model(metrics)
    ]
    for model, split, own in _by_model(data.tables["pictures"]):
        strips = Markup("").join(_film(rows, amounts.frames) for _, rows in own.groupby(["seed", "episode"]))
        scope = _scope(data.tables["pictures"], model, split)
        blocks.append(Block(strips, f"True, encoded and imagined{scope}", READ_PICTURES))
    return Section("imagination", "What the model imagines", "", tuple(blocks))


def _film(pictures: pd.DataFrame, frames: int) -> Markup:
    names = {"true": "what happened", "encoded": "drawn from each frame's latent", "imagined": "imagined"}
    rows = []
    for source, name in names.items():
        own = pictures[pictures.source == source].sort_values("step")[:frames]
        rows.append((name, [(f"step {row.step}", bytes(row.frame)) for row in own.itertuples()]))
    return film(rows, f"Episode {pictures.episode.iloc[0]}")


def training(data: ReportData, amounts: Amounts) -> Section:
    """Loss terms, the annealed weight and the health of the latents by step."""
    rows = data.tables["training"]
    blocks = (Block(training_curves(rows), "", READ_TRAINING),) if len(rows) else ()
    return Section("training", "Training", "The store holds no training curve of this model.", blocks)


def episodes(data: ReportData, store: Store, amounts: Amounts) -> Section:
    """Film strips of held-out episodes of each dataset."""
    blocks = []
    for name in data.names("dataset"):
        if is_name(name) and Dataset.exists(store, name):
            dataset = Dataset(store, name)
            shown = dataset.episodes("test", amounts.episodes)
            strips = Markup("").join(episode_strip(episode, amounts.frames) for episode in shown)
            blocks.append(Block(strips, f"Held-out episodes of {name}" if len(data.names("dataset")) > 1 else ""))
    return Section("episodes", "Episodes", "The dataset is not in this store.", tuple(blocks))


def cards(data: ReportData, store: Store) -> Section:
    """What the dataset and the model are, in their own words."""
    blocks = []
    for kind in ("dataset", "model"):
        for name in data.names(kind):
            content = card(store, kind, name)
            if content is not None:
                blocks.append(Block(Markup('<div class="card">{}</div>').format(content)))
    return Section("cards", "Cards", "Neither dataset nor model has a card in this store.", tuple(blocks))


def _by_model(rows: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    for (model, split), own in rows.groupby(["model", "split"], sort=True):
        yield str(model), str(split), own


def _scope(rows: pd.DataFrame, model: str, split: str = "") -> str:
    """Returns what tells this part from its neighbours: the model and the split, each where there are several."""
    parts = [model] * (rows.model.nunique() > 1) + [f"{split} episodes"] * (bool(split) and rows.split.nunique() > 1)
    return f" · {' · '.join(parts)}" if parts else ""
