"""`jepa demo`: the main job on the built-in world, at a size for two cores and five minutes."""

from pydantic import Field, NonNegativeInt

from flows.cli.commands.context import Context
from flows.cli.commands.jobs import run
from jepa.core.config import Config


class DemoOptions(Config):
    """Little to choose; `jepa run` has every choice."""

    seed: NonNegativeInt = 0
    """seed of the dataset, the training and the evaluation alike"""
    name: str | None = Field(None, min_length=1)
    """name of dataset, model and run; by default one for each seed"""


Options = DemoOptions
EXAMPLE = "jepa demo --store s3   # on an S3 server that is started for it, on loopback"


def execute(options: DemoOptions, context: Context) -> int:
    """Runs the job with the preset `demo`."""
    return run.execute(run.RunOptions(world="two_room", preset="demo", seed=options.seed, name=options.name), context)
