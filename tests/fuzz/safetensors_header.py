"""A model's weights as safetensors, whose header is JSON with offsets."""

from jepa.models.files import load_model, save_model
from jepa.models.world_model import WorldModel
from tests.fuzz.harness import Target, run_by_hand
from tests.pipelines.store.test_model_handle import RECIPE


def target() -> Target:
    """Returns the target."""
    weights, config = save_model(WorldModel.from_config(RECIPE.model, 0))
    return Target((weights,), lambda data: load_model(data, config))


if __name__ == "__main__":
    run_by_hand(target())
