"""The tables of a world's figures: planning, probing, surprise, and success against training time."""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from infra.storage import Store
from pipelines.reports import read_table
from pipelines.reports.selection import grouped, select
from pipelines.store.models.manifest import ModelManifest
from tests.bench.worlds.reading.seeds import newest, plain, rounded, tabled

Table = list[dict[str, Any]]
KINDS = ("planning", "probing", "surprise")
LATENTS = ("encoder", "pixels_pca", "untrained")
"""What probes read that is shown: the model's latents of one frame, and two baselines."""
PLANNED = ("protocol", "success_kind", "offset", "split", "goal", "planner")
REFERENCES = ("random", "demonstration", "oracle")
"""Planners whose success no training changes."""
PLANNING = {
    "success_rate": {"metric": "success_rate"},
    "regret": {"metric": "regret", "quantity": "final_distance"},
    "normalised_regret": {"metric": "normalised_regret", "quantity": "final_distance"},
    "plan_seconds": {"metric": "plan_seconds"},
}
PROBED = ("protocol", "split", "quantity", "probe", "latents")
PROBING = {"r2": {"metric": "r2"}, "pearson_r": {"metric": "pearson_r"}, "mse": {"metric": "mse"}}
STRUCK = ("protocol", "split", "shift", "principle", "physical")
TIMED = ("protocol", "success_kind", "offset", "goal", "planner", "training")
SURPRISE = {"auroc": {"metric": "auroc"}}


def metrics(store: Store, models: Mapping[str, ModelManifest], protocols: Sequence[str], steps: bool) -> pd.DataFrame:
    """Returns the rows of `metrics` of these very weights.

    Args:
        store: that holds them.
        models: manifests by name.
        protocols: those whose rows are taken; none are all.
        steps: whether the rows are those of checkpoints, and not of the models themselves.
    """
    rows: pd.DataFrame = read_table(store, "metrics", kinds=KINDS, checkpoints=steps).compute()
    rows = rows[rows.model.isin(list(models)) & rows.evaluation.isin(KINDS)]
    if protocols:
        rows = rows[rows.protocol.isin(list(protocols))]
    digests = rows.model.map({name: one.digest for name, one in models.items()})
    kept: pd.DataFrame = rows[rows.training_step.notna() if steps else rows.model_digest == digests]
    # What an older version of an evaluation found is no figure of the newer one's tables.
    newest_version = kept.groupby(["evaluation", "protocol"]).evaluation_version.transform("max")
    return kept[kept.evaluation_version == newest_version]


def unlike(rows: pd.DataFrame, seeds: Mapping[str, int]) -> list[str]:
    """Returns in words which trainings were judged under other settings of a protocol than the first."""
    said = []
    for (kind, protocol), own in rows.sort_values("created_at").groupby(["evaluation", "protocol"]):
        digests = {seeds[str(model)]: digest for model, digest in zip(own.model, own.protocol_digest, strict=True)}
        first = digests[min(digests)]
        others = [str(seed) for seed, digest in sorted(digests.items()) if digest != first]
        if others:
            said.append(
                f"{kind} of training seed {', '.join(others)} had other settings of protocol {protocol} than that of "
                f"seed {min(digests)}"
            )
    return said


def planning_table(rows: pd.DataFrame, seeds: Mapping[str, int]) -> Table:
    """Returns success, regret and seconds a decision of each planner on each group of problems."""
    planned = rows[rows.evaluation == "planning"]
    table = tabled(planned, PLANNED, PLANNING, seeds)
    units = select(planned, PLANNING["regret"]).groupby("goal").unit.first()
    # Rows of older code do not say which planners know what no camera shows.
    knowing = set(planned[planned.privileged.fillna(False).astype(bool)].planner)
    return [
        line | {"unit": str(units.get(line["goal"], "")), "privileged": line["planner"] in knowing} for line in table
    ]


def probing_table(rows: pd.DataFrame, seeds: Mapping[str, int]) -> Table:
    """Returns how well each quantity is read from single frames, and from the baselines."""
    probed = rows[rows.evaluation == "probing"].fillna({"latents": "encoder", "frames": 1, "blocks_ahead": 0})
    single = (probed.frames == 1) & (probed.blocks_ahead == 0) & (probed.quantity != "all")
    return tabled(probed[single & probed.latents.isin(LATENTS)], PROBED, PROBING, seeds)


def surprise_table(rows: pd.DataFrame, seeds: Mapping[str, int]) -> Table:
    """Returns how well the prediction error one block ahead tells a perturbed episode from its twin."""
    struck = rows[rows.evaluation == "surprise"].fillna({"score": "raw", "blocks_ahead": 1})
    struck = struck[(struck.score == "raw") & (struck.blocks_ahead == 1) & (struck.metric == "auroc")]
    return tabled(newest(struck, ("model", *STRUCK)), STRUCK, SURPRISE, seeds)


def success_by_time(steps: pd.DataFrame, finished: pd.DataFrame, models: Mapping[str, ModelManifest]) -> Table:
    """Returns success on `test` after some training: a line for each planner on each training whose checkpoints were
    judged, and on the whole trainings of one seed that have different lengths; what is one point alone is no line.

    Minutes are the share of a training's wall time that its steps are.
    """
    last = finished.assign(training_step=finished.model.map({name: _steps(one) for name, one in models.items()}))
    rows = pd.concat([steps, last], ignore_index=True)
    rows = rows[(rows.evaluation == "planning") & (rows.metric == "success_rate") & (rows.split == "test")]
    seeds = {name: f"whole trainings, seed {one.recipe.train.seed}" for name, one in models.items()}
    rows = rows.assign(training=rows.model.where(rows.model.isin(set(steps.model)), rows.model.map(seeds)))
    table = []
    for values, own in grouped(rows[~rows.planner.isin(REFERENCES)], TIMED):
        points = newest(own, ["training_step"]).sort_values("training_step")
        if len(points) > 1:
            kept = [_point(row, models[str(row["model"])]) for row in points.to_dict("records")]
            table.append(plain(values) | {"points": kept})
    return table


def _point(row: Mapping[Hashable, Any], model: ModelManifest) -> list[float | int | None]:
    """Returns step, minutes, success with its interval, and n."""
    minutes = model.seconds / 60 * float(row["training_step"]) / _steps(model)
    ends = [rounded(row[name]) for name in ("value", "ci_low", "ci_high")]
    return [int(row["training_step"]), rounded(minutes), *ends, int(row["n"])]


def _steps(manifest: ModelManifest) -> int:
    return manifest.segments[-1].end if manifest.segments else manifest.recipe.train.steps
