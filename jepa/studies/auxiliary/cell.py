"""The fields of a cell; an experiment reads those that it needs."""

from typing import Literal

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from jepa.studies.study import Cell


class AuxiliaryCell(Cell):
    """One training in the counting world, or random tables for the theorem."""

    experiment: Literal["arms", "theorem", "world_model"] = "arms"
    """`arms` trains in the counting world; `theorem` goes through all tables of random small processes; `world_model`
    trains LeWM on Two-Room with a distractor."""
    arm: Literal["joint", "random", "reward", "transition"] = "joint"
    """What is minimised: both losses, with a random projection in the place of the reward, or one loss alone."""
    observation: Literal["pixels", "vector"] = "vector"
    """What is seen of the counting world."""
    transition: Literal["linear", "mlp"] = "linear"
    """Transition and head: linear maps, or one hidden layer each."""
    aux_weight: PositiveFloat = 10.0
    """Weight of the auxiliary loss."""
    latent_size: int = Field(16, gt=1, le=4096)
    """Dimensions of a latent."""
    steps: PositiveInt = 1000
    """Optimiser steps."""
    batch: PositiveInt = 128
    """Transitions in a step."""
    learning_rate: PositiveFloat = 3e-3
    """Peak rate of AdamW."""
    weight_decay: NonNegativeFloat = 0.3
    """AdamW's weight decay on transition and head: small weights there ask for distances in the latents."""
    each: PositiveInt = 100
    """Held-out draws of each count, once for the centroids and once for judging them."""
    processes: PositiveInt = 60
    """Random processes of the theorem's cell."""
    head: bool = False
    """Whether the world model has the auxiliary head."""
    states: int = Field(5, gt=1, le=8)
    """States of a random process."""
