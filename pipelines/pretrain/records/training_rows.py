"""A finished training as report rows: its curve, and the figures of its last step."""

from infra.storage import Store
from pipelines.store.models.curve import read_curve
from pipelines.store.models.manifest import ModelHandle, ModelManifest
from pipelines.store.reports import Context, read_unit, unit_key, write_tables


def write_training_rows(store: Store, manifest: ModelManifest) -> None:
    """Writes the curve to the `training` table and its last figures to `metrics`, once for each manifest.

    Where a model was trained on, its rows are those of the steps that were added: the others belong to the manifest
    that it continues. Models of earlier code have rows of their own already.
    """
    if manifest.dataset_ref is None:
        return
    origin = {"model": manifest.reference.model_dump(), "dataset": manifest.dataset_ref.model_dump()}
    key = unit_key("training", manifest.name, origin)
    if read_unit(store, key) is not None:
        return
    model, steps, seed = ModelHandle(store, manifest.name), manifest.recipe.train.steps, manifest.recipe.train.seed
    first = _steps_before(model, manifest)
    curve = [row for row in read_curve(model, steps).rows if int(row["step"]) > first]
    last = max((int(row["step"]) for row in curve), default=0)
    labels = {
        "split": "train",
        "evaluation": "training",
        "protocol": manifest.recipe.objective,
        "seed": seed,
        "unit": "1",
        "n": manifest.recipe.train.batch_size,
        "seconds": manifest.seconds,
    }
    figures = [{**labels, "metric": row["metric"], "value": row["value"]} for row in curve if row["step"] == last]
    training = [{**row, "seed": seed} for row in curve]
    context = Context.of(
        manifest.run,
        manifest.reference,
        manifest.dataset_ref,
        world=manifest.world,
        protocol_digest=manifest.recipe.fingerprint(),
        code_version=manifest.code_version,
    )
    write_tables(store, {"training": training, "metrics": figures}, key, context)


def _steps_before(model: ModelHandle, manifest: ModelManifest) -> int:
    """Returns how many steps the manifest had done that this one continues."""
    if manifest.continued_from is None:
        return 0
    before = model.manifest(manifest.continued_from.digest)
    return before.recipe.train.steps if before is not None else 0
