"""What to collect, as a user says it, and the plan that follows from it."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)

from jepa.core.config import Config
from jepa.core.errors import InputError
from jepa.core.registries.choices import Choices, OrText
from jepa.worlds import WORLDS, declared_options, make_world
from jepa.worlds.policies import make_policy
from pipelines.collect.codec_choice import AUTO, choose_codec
from pipelines.collect.limits import MOST_ACTORS, check_cost
from pipelines.executor import Executor
from pipelines.executor.defaults import one_local_worker
from pipelines.store.codecs import CODECS
from pipelines.store.datasets.integrity.bounds import MOST_EPISODES, MOST_STEPS
from pipelines.store.datasets.plan import DatasetPlan
from pipelines.store.formats import FORMATS
from pipelines.store.references import check_name

DEFAULT_SHARES = {"validation": 0.05, "test": 0.1, "unseen": 0.1}


class WorkConfig(Config):
    """How the shards of a dataset are made; none of it changes a byte."""

    actors: int = Field(2, gt=0, le=MOST_ACTORS)
    """shards that are made at the same time; 1 where executor is `local` and none is given"""
    executor: Executor = "ray"
    """`ray` works by actors of the cluster, `local` by processes of this machine"""
    cpus: PositiveFloat = 1.0
    """cores that Ray reserves for each actor"""
    retries: NonNegativeInt = 2
    """how often a failed shard is made again before it is given up"""
    stall_seconds: PositiveFloat = 600.0
    """an actor that makes no step for so long, for its renderer may hang, is replaced"""

    @model_validator(mode="before")
    @classmethod
    def _one_local_worker(cls, value: Any) -> Any:
        return one_local_worker(value, "actors")


class CollectConfig(WorkConfig):
    """A dataset to collect."""

    renamed: ClassVar[Mapping[str, str]] = {"behaviour": "policy"}

    world: Annotated[str, Choices(WORLDS.names, others="gymnasium:… or one of yours")] = "two_room"
    """registered name of the world"""
    name: str = "d0"
    """name of the dataset within the store"""
    episodes: int = Field(1000, gt=0, le=MOST_EPISODES)
    """number of episodes over all splits"""
    steps: int | None = Field(None, gt=0, le=MOST_STEPS)
    """actions of an episode; by default what the world suggests"""
    seed: NonNegativeInt = 0
    """seed of the dataset, from which every episode's own seed is derived"""
    image_size: PositiveInt | None = None
    """height and width of the frames in pixels; by default what the world suggests"""
    world_options: dict[str, Any] | None = None
    """further options of the world, e.g. `distractor=true` of `two_room`"""
    frame_every: int = Field(1, gt=0, le=MOST_STEPS)
    """steps from one frame that is rendered and stored to the next; a model's frameskip must be a multiple of it"""
    policy: Annotated[dict[str, NonNegativeFloat] | None, OrText()] = None
    """policies and their proportions, e.g. `two_room/expert=0.7,random=0.3`; by default the world's own mixture"""
    validation_share: NonNegativeFloat = DEFAULT_SHARES["validation"]
    """share of the episodes of the validation split"""
    test_share: NonNegativeFloat = DEFAULT_SHARES["test"]
    """share of the episodes of the test split"""
    unseen_share: NonNegativeFloat = DEFAULT_SHARES["unseen"]
    """share of the episodes with held-out variations; goes to train where the world holds none out"""
    episodes_per_shard: int = Field(32, gt=0, le=MOST_EPISODES)
    """episodes of a shard, which is the unit of work"""
    chunk_frames: int = Field(32, gt=0, le=MOST_STEPS)
    """frames that are compressed and fetched together"""
    format: Annotated[str, Choices(FORMATS.names)] = "mds"
    """container of the shards: `mds` or `webdataset`"""
    codec: Annotated[str, Choices(CODECS.names, more=(AUTO,))] = "zstd"
    """codec of the frames: `zstd` or `raw`, both lossless, `jpeg`, `h264`, or `auto`, which tries the first episodes"""

    @field_validator("policy", mode="before")
    @classmethod
    def _parse_mixture(cls, value: Any) -> Any:
        """Takes `name=share,name=share`, and a name alone for all episodes, as a command line or a form gives it."""
        if not isinstance(value, str):
            return value
        parts = [part.strip().partition("=") for part in value.split(",") if part.strip()]
        return {name.strip(): share.strip() or 1.0 for name, _, share in parts} or None


def plan_dataset(config: CollectConfig) -> DatasetPlan:
    """Returns the plan that a configuration stands for; everything in it is checked, nothing is left to a default.

    Raises:
        InputError: a world, policy, codec or container is unknown, a world is not installed, or shares exceed 1.
    """
    check_choices(config)
    spec = WORLDS.get(config.world).world_spec
    options = {"image_size": config.image_size or spec.image_size} | (config.world_options or {})
    if config.image_size not in (None, options["image_size"]):
        raise InputError(
            f"image_size is {config.image_size} and world_options.image_size {options['image_size']}; give one of them"
        )
    # What a command line gives is text, and a manifest names the value: datasets asked for either way are the same.
    declared = declared_options(config.world, options)
    options |= {name: declared[name] for name, value in options.items() if isinstance(value, str)}
    make_world(config.world, 1, **options).close()
    steps = config.steps or spec.episode_steps
    if config.frame_every > steps:
        raise InputError(
            f"frame_every {config.frame_every} leaves an episode of {steps} steps one frame alone; take {steps} or "
            "less, or more steps"
        )
    plan = DatasetPlan(
        world=config.world,
        world_options=options,
        policy=_mixture(config),
        episodes=config.episodes,
        steps=steps,
        frame_every=config.frame_every,
        seed=config.seed,
        shares=shares_of(
            {
                "validation": config.validation_share,
                "test": config.test_share,
                "unseen": config.unseen_share if spec.has_unseen else 0.0,
            }
        ),
        episodes_per_shard=config.episodes_per_shard,
        chunk_frames=config.chunk_frames,
        codec=config.codec,
        format=config.format,
    )
    check_cost(plan, config.actors)
    return plan.model_copy(update={"codec": choose_codec(plan)[0]}) if config.codec == AUTO else plan


def check_choices(config: CollectConfig) -> None:
    """Passes where the dataset's name, the codec and the container can be; imports nothing that takes seconds.

    Raises:
        InputError: the name cannot be one, or codec or container is unknown.
    """
    check_name("dataset", config.name)
    if config.codec != AUTO:
        CODECS.get(config.codec)
    FORMATS.get(config.format)


def _mixture(config: CollectConfig) -> dict[str, float]:
    mixture = dict(config.policy or WORLDS.get(config.world).world_spec.policy)
    for name in mixture:
        make_policy(name, config.world)
    if not sum(mixture.values()) > 0:
        raise InputError(f"policy is {mixture}; give at least one policy a proportion above 0")
    return {name: share for name, share in sorted(mixture.items()) if share}


def shares_of(held: dict[str, float]) -> dict[str, float]:
    """Returns the shares of all splits: what the others leave is train's.

    Raises:
        InputError: they leave nothing.
    """
    train = round(1.0 - sum(held.values()), 12)
    if train <= 0:
        given = ", ".join(f"{split}_share {share}" for split, share in held.items())
        raise InputError(f"{given} leave nothing to train on; their sum must be below 1")
    return {"train": train, **held}
