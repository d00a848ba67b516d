"""Released weights: a state dict in a `.pt` file, or in safetensors."""

import io

import torch
from safetensors.torch import save

from jepa.models.import_lewm import read_released_weights
from tests.fuzz.harness import Target, run_by_hand


def target() -> Target:
    """Returns the target."""
    tensors = {f"encoder.layer.{number}.weight": torch.ones(4, 3) for number in range(8)}
    file = io.BytesIO()
    torch.save(tensors, file)
    return Target((save(tensors), file.getvalue()), read_released_weights)


if __name__ == "__main__":
    run_by_hand(target())
