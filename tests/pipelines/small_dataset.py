"""A dataset small enough to collect in every test: 40 episodes of 30 steps, in chunks shorter than an episode."""

from typing import Any

from infra.storage import Store
from pipelines.collect import CollectConfig, collect
from pipelines.store import Dataset


def small_config(**changes: Any) -> CollectConfig:
    """Returns the configuration, with some fields changed."""
    fields: dict[str, Any] = {
        "world": "two_room",
        "name": "small",
        "episodes": 40,
        "steps": 30,
        "image_size": 32,
        "episodes_per_shard": 4,
        "chunk_frames": 12,
        "executor": "local",
        "actors": 1,
    }
    return CollectConfig(**fields | changes)


def small_dataset(store: Store, **changes: Any) -> Dataset:
    """Returns it collected."""
    config = small_config(**changes)
    collect(config, store)
    return Dataset(store, config.name)


def stored_bytes(store: Store, name: str = "small") -> dict[str, bytes]:
    """Returns every file of a dataset by its path within it."""
    root = f"datasets/{name}/"
    return {path.removeprefix(root): store.read(path) for path in store.list(root)}
