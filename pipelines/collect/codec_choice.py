"""How `codec: auto` chooses: by the bytes of the plan's first episodes, which are the same wherever it is asked.

The rule: lossless zstd, unless it takes more than `WORTH` times the bytes of JPEG. Rendered frames stay exact at a size
near JPEG's or below it; noisy camera-like frames, which zstd can hardly shrink, become JPEG. Speeds play no part, for
they differ from one run to the next, and the plan must not.
"""

from functools import lru_cache

from jepa.worlds import collect_episodes
from pipelines.store.codecs import CODECS
from pipelines.store.datasets.chunk import cut_episode
from pipelines.store.datasets.plan import DatasetPlan

AUTO = "auto"
EXACT, LOSSY = "zstd", "jpeg"
WORTH = 2.0
"""How many times the bytes of JPEG exact frames may take."""
EPISODES = 2
"""Episodes from the plan's beginning that are tried."""
STEPS = 50
"""Steps of each that are tried; where only every N-th has a frame, N times as many."""


def choose_codec(plan: DatasetPlan) -> tuple[str, dict[str, float]]:
    """Returns the codec for a plan, whatever it names itself, and the bytes a frame of each that was tried."""
    return _try(plan.model_copy(update={"codec": EXACT, "episodes": min(plan.episodes, EPISODES)}).model_dump_json())


@lru_cache(maxsize=16)
def _try(plan_json: str) -> tuple[str, dict[str, float]]:
    plan = DatasetPlan.model_validate_json(plan_json)
    plan = plan.model_copy(update={"steps": min(plan.steps, STEPS * plan.frame_every)})
    frames, sizes = 0, {EXACT: 0, LOSSY: 0}
    episodes = [plan.episode_plan(index) for index in range(plan.episodes)]
    for episode in collect_episodes(plan.world, plan.world_options, episodes, frame_every=plan.frame_every):
        frames += len(episode.pixels)
        for name in sizes:
            chunks = cut_episode(episode, plan.chunk_frames, CODECS.get(name))
            sizes[name] += sum(len(chunk.pixels) for chunk in chunks)
    chosen = EXACT if sizes[EXACT] <= WORTH * sizes[LOSSY] else LOSSY
    return chosen, {name: round(size / frames, 1) for name, size in sizes.items()}
