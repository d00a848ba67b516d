"""Episodes and an untrained model, made once for all tests of evaluations."""

import pytest

from jepa.models.world_model import ModelConfig, WorldModel
from tests.jepa.evaluation.standins import MemorySource


@pytest.fixture(scope="session")
def source() -> MemorySource:
    return MemorySource({"train": 40, "validation": 8, "test": 20, "unseen": 8})


@pytest.fixture(scope="session")
def model() -> WorldModel:
    return WorldModel.from_config(ModelConfig(latent_size=8, encoder_options={"channels": (8, 16, 16)}))
