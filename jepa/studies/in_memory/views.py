"""Episodes as evaluations ask for them, which judge on the split `test`: with another split in its place."""

from dataclasses import replace

from jepa.core.errors import InputError
from jepa.studies.in_memory.episodes import MemoryEpisodes

STOPPING_SHARE = 0.1
"""Share of the training episodes that only say when a probe stops."""


def judged_on(source: MemoryEpisodes, split: str) -> MemoryEpisodes:
    """Returns the training episodes, and those of one held-out split as the split `test`; no other is in it.

    The last tenth of the training episodes stand as `validation`, where a probe looks when to stop: so what is measured
    on one held-out split depends on no other.

    Raises:
        InputError: the split holds no episode.
    """
    if not source.count(split):
        raise InputError(f"there is no {split!r} episode to judge on; collect some")
    train = list(source.episodes("train"))
    stopping = max(1, round(STOPPING_SHARE * len(train)))
    held = [replace(one, split="test") for one in source.episodes(split)]
    by_split = {"train": train[:-stopping], "validation": train[-stopping:], "test": held}
    return MemoryEpisodes(source.world, source.world_options, by_split)
