"""The model's card: what it is and what it came from, for people."""

from pipelines.store.models.curve import Curve
from pipelines.store.models.manifest import ModelManifest


def model_card(manifest: ModelManifest, curve: Curve) -> str:
    """Returns what a stranger should know of a model that was trained here, as Markdown."""
    recipe = manifest.recipe
    last = max((int(row["step"]) for row in curve.rows), default=0)
    figures = "".join(f"| {row['metric']} | {float(row['value']):.4g} |\n" for row in curve.rows if row["step"] == last)
    model = recipe.model
    return (
        f"# Model {manifest.name}\n\n"
        f"A joint-embedding predictive world model of `{manifest.world}`, {manifest.parameters:,} parameters, "
        f"trained by the objective `{recipe.objective}` on the train split of dataset "
        f"`{manifest.dataset_ref or manifest.dataset}` (plan {manifest.dataset_digest}).\n\n"
        f"- sees {model.image_size}×{model.image_size} RGB frames, {model.frameskip} actions apart; "
        f"encoder `{model.encoder}`\n"
        f"- latent of {model.latent_size} dimensions, predicted from {model.history} frame(s) and a block of "
        f"{model.frameskip} × {model.action_size} actions\n"
        f"- {recipe.train.steps:,} steps of {recipe.train.batch_size} clips, seed {recipe.train.seed}, "
        f"{manifest.seconds:.0f} s, precision {recipe.train.precision}\n"
        f"{_beginning(manifest)}{_schedules(manifest)}"
        f"- digest {manifest.digest}\n"
        f"- run {manifest.run}, code {manifest.code_version}\n\n"
        f"## Figures of the last training step\n\n| figure | value |\n|---|---|\n{figures}\n"
        "The loss does not say how good the model is: the probes, plans and surprises of the report do.\n"
    )


def _beginning(manifest: ModelManifest) -> str:
    return f"- started from the weights of model `{manifest.init_from}`\n" if manifest.init_from else ""


def _schedules(manifest: ModelManifest) -> str:
    """Returns under which schedules the steps were taken, where these have changed."""
    if len(manifest.segments) < 2:
        return ""
    parts = (f"to step {part.end:,} under those of {part.steps:,} steps" for part in manifest.segments)
    return f"- schedules of learning rate, loss weights and momenta: {', then '.join(parts)}\n"
