"""What a finished training leaves: weights, card, report rows, and last the configuration that makes it a model."""

import hashlib
from typing import Any

from infra.storage import Store
from infra.version import code_version
from jepa.core.config import to_json
from jepa.models.files import save_model
from jepa.models.world_model import WorldModel
from jepa.training.recipes import Recipe
from pipelines.store import Dataset
from pipelines.store.models.curve import Curve
from pipelines.store.models.manifest import ModelManifest, find_model, model_path
from pipelines.store.reports.tables import Context, write_tables


def finish(
    store: Store,
    name: str,
    dataset: Dataset,
    recipe: Recipe,
    model: WorldModel,
    request: dict[str, Any],
    run: str,
    curve: Curve,
) -> ModelManifest:
    """Commits the model, `config.json` last; where a run beside this one came first, its model stands."""
    if held := find_model(store, name):
        return held  # its configuration names the digest of its own weights
    weights, _ = save_model(model)
    manifest = ModelManifest(
        name=name,
        weights_sha256=hashlib.sha256(weights).hexdigest(),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        recipe=recipe,
        request=request,
        dataset=dataset.name,
        dataset_digest=dataset.manifest.plan_digest,
        world=dataset.world,
        world_options=dict(dataset.world_options),
        run=run,
        code_version=code_version(),
        seconds=curve.seconds,
    )
    store.write(model_path(name, "model.safetensors"), weights)
    store.write(model_path(name, "card.md"), model_card(manifest, curve).encode())
    write_training_rows(store, manifest, curve)
    store.write_if_absent(model_path(name, "config.json"), to_json(manifest))
    return find_model(store, name) or manifest


def write_training_rows(store: Store, manifest: ModelManifest, curve: Curve) -> None:
    """Writes the curve to the `training` table and its last figures to `metrics`."""
    context = Context(
        run=manifest.run,
        model=manifest.name,
        dataset=manifest.dataset,
        world=manifest.world,
        code_version=manifest.code_version,
    )
    seed = manifest.recipe.train.seed
    last = max((int(row["step"]) for row in curve.rows), default=0)
    figures = [row for row in curve.rows if row["step"] == last]
    labels = {
        "split": "train",
        "evaluation": "training",
        "protocol": manifest.recipe.objective,
        "seed": seed,
        "unit": "1",
        "n": manifest.recipe.train.batch_size,
        "seconds": curve.seconds,
    }
    metrics = [{**labels, "metric": row["metric"], "value": row["value"]} for row in figures]
    training = [{**row, "seed": seed} for row in curve.rows]
    write_tables(store, {"training": training, "metrics": metrics}, f"{manifest.run}-{manifest.name}-training", context)


def model_card(manifest: ModelManifest, curve: Curve) -> str:
    """Returns what a stranger should know of the model, as Markdown."""
    recipe = manifest.recipe
    last = max((int(row["step"]) for row in curve.rows), default=0)
    figures = "".join(f"| {row['metric']} | {float(row['value']):.4g} |\n" for row in curve.rows if row["step"] == last)
    model = recipe.model
    return (
        f"# Model {manifest.name}\n\n"
        f"A joint-embedding predictive world model of `{manifest.world}`, {manifest.parameters:,} parameters, "
        f"trained by the objective `{recipe.objective}` on the train split of dataset `{manifest.dataset}` "
        f"(plan {manifest.dataset_digest}).\n\n"
        f"- sees {model.image_size}×{model.image_size} RGB frames, {model.frameskip} actions apart; "
        f"encoder `{model.encoder}`\n"
        f"- latent of {model.latent_size} dimensions, predicted from {model.history} frame(s) and a block of "
        f"{model.frameskip} × {model.action_size} actions\n"
        f"- {recipe.train.steps:,} steps of {recipe.train.batch_size} clips, seed {recipe.train.seed}, "
        f"{manifest.seconds:.0f} s, precision {recipe.train.precision}\n"
        f"- run {manifest.run}, code {manifest.code_version}\n\n"
        f"## Figures of the last training step\n\n| figure | value |\n|---|---|\n{figures}\n"
        "The loss does not say how good the model is: the probes, plans and surprises of the report do.\n"
    )
