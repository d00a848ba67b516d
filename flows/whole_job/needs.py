"""What a whole job will take, said before any of it begins: frames and bytes, steps, parameters and memory."""

from dataclasses import asdict, dataclass

from flows.whole_job.config import WorldModelConfig
from infra.processes.machine import machine_bytes
from infra.settings import RaySettings
from infra.storage import Store
from jepa.training.memory import StepMemory, step_memory
from jepa.training.recipes import Recipe
from jepa.worlds import WORLDS
from pipelines.collect import plan_dataset
from pipelines.pretrain.assembly import pick_device
from pipelines.pretrain.request import find_trained
from pipelines.store import DatasetHandle
from pipelines.store.datasets.plan import DatasetPlan
from pipelines.store.models.checkpoints import Checkpoints
from pipelines.store.models.manifest import ModelHandle


@dataclass(frozen=True)
class CollectingNeeds:
    """What is to be collected yet."""

    dataset: str
    episodes: int
    frames: int
    """to draw; an episode that ends by itself has fewer"""
    steps: int
    """to simulate"""
    image_size: int
    uncompressed_bytes: int
    """of the frames; the codec makes less of them"""


@dataclass(frozen=True)
class TrainingNeeds:
    """What is to be trained yet."""

    model: str
    recipe: str
    parameters: int
    first_step: int
    steps: int
    batch_size: int
    clip_frames: int
    passes: float
    """over the clips of the train split"""
    workers: int
    device: str
    step_bytes: int
    """that a worker keeps in a step, at least"""
    machine_bytes: int | None
    """that the workers have together, where they are processes of this machine and compute on its CPU"""


@dataclass(frozen=True)
class JobNeeds:
    """Both; None of what is there already."""

    collecting: CollectingNeeds | None
    training: TrainingNeeds | None

    def facts(self) -> dict[str, object]:
        """Returns all figures for a program."""
        return asdict(self)

    def lines(self) -> list[str]:
        """Returns a sentence for each part."""
        collecting = [] if self.collecting is None else [collecting_words(self.collecting)]
        return collecting if self.training is None else [*collecting, *training_words(self.training)]


def job_needs(config: WorldModelConfig, store: Store) -> JobNeeds:
    """Returns what a job that `check_job` passed will take; for the memory of a step it makes the model.

    Raises:
        InfraError: the store cannot be read.
    """
    plan = plan_dataset(config.collect)
    model = ModelHandle(store, config.pretrain.name)
    training = None if find_trained(model, config.pretrain) is not None else _training(config, plan, model)
    return JobNeeds(_collecting(config.collect.name, plan, store), training)


def _collecting(name: str, plan: DatasetPlan, store: Store) -> CollectingNeeds | None:
    held = DatasetHandle(store, name).manifest()
    episodes = plan.episodes - (0 if held is None else held.plan.episodes)
    if episodes <= 0:
        return None
    side, frames = int(plan.world_options["image_size"]), episodes * plan.frames
    return CollectingNeeds(name, episodes, frames, episodes * plan.steps, side, frames * 3 * side**2)


def _training(config: WorldModelConfig, plan: DatasetPlan, model: ModelHandle) -> TrainingNeeds:
    pretrain, world = config.pretrain, WORLDS.get(plan.world).world_spec
    recipe = pretrain.resolve(plan.world_options["image_size"], world.action_size)
    device = pick_device(pretrain.device)
    memory = step_memory(recipe, pretrain.compute, device, world.recorded)
    here = device.type == "cpu" and (pretrain.executor == "local" or RaySettings.from_environment().address is None)
    return TrainingNeeds(
        model=pretrain.name,
        recipe=pretrain.recipe,
        parameters=memory.parameters,
        first_step=Checkpoints(model).latest_step() or 0,
        steps=recipe.train.steps,
        batch_size=recipe.train.batch_size,
        clip_frames=recipe.model.history + recipe.train.horizon,
        passes=_passes(recipe, plan),
        workers=pretrain.workers,
        device=device.type,
        step_bytes=_worker_bytes(memory, recipe, pretrain.workers),
        machine_bytes=machine_bytes() if here else None,
    )


def _worker_bytes(memory: StepMemory, recipe: Recipe, workers: int) -> int:
    return memory.total(-(-recipe.train.batch_size // workers))


def _passes(recipe: Recipe, plan: DatasetPlan) -> float:
    """Returns how often each clip of the train split is seen, if no episode ends by itself."""
    reach = (recipe.model.history + recipe.train.horizon - 1) * recipe.model.frameskip
    starts = max((plan.steps - reach) // plan.frame_every + 1, 0)
    clips = starts * plan.episodes * plan.shares["train"] / sum(plan.shares.values())
    return recipe.train.steps * recipe.train.batch_size / clips if clips else 0.0


def collecting_words(needs: CollectingNeeds) -> str:
    """Returns what collecting will take, in a sentence."""
    side = needs.image_size
    return (
        f"dataset {needs.dataset}: {needs.episodes:,} episodes to collect, {needs.steps:,} steps to simulate and "
        f"{needs.frames:,} frames of {side} × {side} pixels to draw, {bytes_words(needs.uncompressed_bytes)} before "
        "compression"
    )


def training_words(needs: TrainingNeeds) -> list[str]:
    """Returns what the training will take, and a warning where this machine has too little memory for it."""
    clips = needs.steps * needs.batch_size
    begun = f" of which {needs.first_step:,} are done," if needs.first_step else ""
    each = f" in each of {needs.workers} workers" if needs.workers > 1 else ""
    lines = [
        f"model {needs.model}: recipe {needs.recipe}, {needs.parameters:,} parameters; {needs.steps:,} steps{begun} "
        f"of {needs.batch_size} clips of {needs.clip_frames} frames, {clips:,} clips or {needs.passes:.3g} times the "
        f"train split, on {needs.device}; a step keeps {bytes_words(needs.step_bytes)} at least{each}; the time left "
        "is shown once steps have been measured"
    ]
    all_bytes = needs.step_bytes * needs.workers
    if needs.machine_bytes is not None and all_bytes > needs.machine_bytes:
        lines.append(
            f"model {needs.model}: this machine has {bytes_words(needs.machine_bytes)} and a step keeps "
            f"{bytes_words(all_bytes)}; --pretrain.compute.checkpoint-activations and --pretrain.compute.accumulate 8 "
            "keep less and change no figure, a smaller --pretrain.batch-size does too and changes what is learned"
        )
    return lines


def bytes_words(amount: float) -> str:
    """Returns bytes as `48 kB`, `480 MB` or `12.3 GB`, powers of ten."""
    if amount < 1e6:
        return f"{amount / 1e3:.0f} kB"
    return f"{amount / 1e9:,.1f} GB" if amount >= 1e9 else f"{amount / 1e6:,.0f} MB"
