"""Which models a store has, by name alone: asked before anything that imports torch."""

from infra.storage import Store
from jepa.core.errors import InputError
from pipelines.store.models.layout import FOLDER, ModelLayout
from pipelines.store.references import split_model


def model_names(store: Store) -> list[str]:
    """Returns the names of all finished models of a store."""
    paths = [path.split("/") for path in store.list(f"{FOLDER}/")]
    return [parts[1] for parts in paths if len(parts) == 3 and parts[2] == "config.json"]


def recorded_digests(store: Store, layout: ModelLayout) -> set[str]:
    """Returns the digests of all weights of a name whose manifest is there, or was committed."""
    folders = (layout.manifests, layout.digests)
    paths = (path.removeprefix(folder) for folder in folders for path in store.list(folder))
    return {path.removesuffix(".json") for path in paths}


def missing_model(store: Store, name: str) -> InputError:
    """Returns the error that says that there is no such model, and which there are."""
    known = ", ".join(model_names(store)) or "none yet"
    return InputError(f"model {name!r} is not in store {store.uri!r}; pretrain it, or choose one of: {known}")


def check_model_is_there(store: Store, text: str) -> None:
    """Passes where a store has, or had, a model of the name in `m0@1a2b3c4d` or `m0`; whether it is whole is not seen.

    Raises:
        InputError: it has none; the message lists those that there are.
    """
    layout = ModelLayout(split_model(text)[0])
    if not store.exists(layout.config) and not recorded_digests(store, layout):
        raise missing_model(store, layout.name)
