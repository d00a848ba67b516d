"""Coverage as markers hold it: counted episode by episode, merged shard by shard."""

import numpy as np

from jepa.core.episodes import Episode
from jepa.worlds import WORLDS
from jepa.worlds.coverage import GRID, Coverage, coverage
from pipelines.store.datasets.manifest import CoverageEntry
from pipelines.store.datasets.plan import DatasetPlan


def covered(plan: DatasetPlan, episode: Episode, before: CoverageEntry | None = None) -> CoverageEntry | None:
    """Returns what an episode and those before it covered; None where no world simulated it."""
    if plan.source:
        return None
    return merge(before, _to_entry(coverage([episode.state], WORLDS.get(plan.world).world_spec)))


def merge(first: CoverageEntry | None, second: CoverageEntry | None) -> CoverageEntry | None:
    """Returns the coverage of both."""
    if first is None or second is None:
        return first or second
    return _to_entry(from_entry(first) + from_entry(second))


def from_entry(entry: CoverageEntry) -> Coverage:
    """Returns the coverage that an entry holds."""
    grid = None
    if entry.visited is not None:
        bits = np.frombuffer(bytes.fromhex(entry.visited), np.uint8)
        grid = np.unpackbits(bits, count=GRID * GRID).astype(bool).reshape(GRID, GRID)
    return Coverage(grid, entry.moved_steps, entry.steps)


def _to_entry(found: Coverage) -> CoverageEntry:
    visited = None if found.visited_GG is None else np.packbits(found.visited_GG).tobytes().hex()
    return CoverageEntry(visited=visited, moved_steps=dict(found.moved_steps), steps=found.steps)
