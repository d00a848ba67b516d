"""What a dataset costs at least, and what is refused before anything is written because it cannot be.

Every figure is a lower bound: what is refused is hopeless, what passes may still be too much.
"""

import shutil
from pathlib import Path

from infra.processes.machine import machine_bytes
from infra.storage import Store
from infra.storage.local import LocalStore
from jepa.core.errors import InputError
from pipelines.store.datasets.integrity.bounds import MOST_SHARDS
from pipelines.store.datasets.plan import DatasetPlan

MOST_ACTORS = 4096
STEP_BYTES = 8
"""What a step takes at least, however well its frame is compressed: its row of actions and quantities."""
FRAMES_PER_SECOND = 20_000.0
"""What no world of ours renders on a core; the fastest, of 64 pixels, makes a tenth of it."""
MOST_DAYS = 366.0
DAY = 24 * 3600.0


def check_cost(plan: DatasetPlan, actors: int) -> None:
    """Passes where a dataset can be made with this machine's memory, within a year.

    Raises:
        InputError: it has too many shards, an episode is larger than the memory, or it takes too long.
    """
    least_shards = plan.episodes // plan.episodes_per_shard
    if least_shards > MOST_SHARDS:
        raise InputError(
            f"{plan.episodes} episodes with episodes_per_shard {plan.episodes_per_shard} make {least_shards} shards, "
            f"and {MOST_SHARDS} are possible; set episodes_per_shard to {-(-plan.episodes // MOST_SHARDS)} or more"
        )
    size, memory = int(plan.world_options.get("image_size", 1)), machine_bytes()
    episode_bytes = 3 * size**2 * plan.frames
    if memory is not None and episode_bytes > memory:
        raise InputError(
            f"an episode of {plan.steps} steps with image_size {size} takes {_gib(episode_bytes)} of memory and this "
            f"machine has {_gib(memory)}; take fewer steps or smaller frames"
        )
    days = plan.episodes * (plan.frames - 1) / (FRAMES_PER_SECOND * actors) / DAY
    if plan.source is None and days > MOST_DAYS:
        raise InputError(
            f"{plan.episodes} episodes of {plan.steps} steps take {actors} actors {days:,.0f} days at least; "
            "take fewer episodes or steps, or more actors"
        )


def check_room(plan: DatasetPlan, store: Store, held_episodes: int) -> None:
    """Passes where a store has room for the episodes that are not there yet.

    Raises:
        InputError: the disk of a local store has less room than they take at least.
    """
    if not isinstance(store, LocalStore):
        return
    size = int(plan.world_options.get("image_size", 1)) if plan.codec == "raw" else 0
    episode_bytes = (plan.steps + 1) * STEP_BYTES + plan.frames * 3 * size**2
    needed = (plan.episodes - held_episodes) * episode_bytes
    folder = Path(store.address())
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"{plan.episodes} episodes of {plan.steps} steps take {_gib(needed)} at least and store {store.uri!r} has "
            f"{_gib(free)} left; take fewer, or another store"
        )


def _gib(amount: float) -> str:
    return f"{amount / 2**30:,.1f} GiB"
