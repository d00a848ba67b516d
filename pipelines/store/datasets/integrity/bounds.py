"""How large a dataset can be: what a plan or a manifest says beyond this is refused as it is parsed.

A store may be a stranger's, and arrays are made of the counts in its documents before a frame is read.
"""

from typing import Annotated

from pydantic import Field

MOST_EPISODES = 10_000_000
"""The plan of each costs some 100 bytes of memory in every process that collects or reads it."""
MOST_STEPS = 1_000_000
MOST_SHARDS = 1_000_000
"""Names of shards have six digits."""
MOST_PIXELS = 8192
"""Height or width of a frame."""
MOST_VALUES = 1_000_000
"""Dimensions of an action, or of a quantity of the state."""

Episodes = Annotated[int, Field(gt=0, le=MOST_EPISODES)]
Steps = Annotated[int, Field(gt=0, le=MOST_STEPS)]
Pixels = Annotated[int, Field(gt=0, le=MOST_PIXELS)]
Dimensions = Annotated[int, Field(gt=0, le=MOST_VALUES)]
