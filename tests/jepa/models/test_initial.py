"""Initial weights: torch's own numbers, and none where only shapes are asked for."""

import subprocess
import sys

import pytest
import torch

from jepa.models.layers.initial import drawn_normal

SHAPES_ALONE = """
import sys
from jepa.models.sizes import shapes_of
from jepa.models.world_model import ModelConfig

history = dict(history=2, latent_size=48, image_size=32)
for encoder, options in (("conv", {}), ("vit", {"patch_size": 8, "depth": 1, "heads": 1, "width": 48})):
    for predictor in ("lean", "paper"):
        made = {"encoder": encoder, "encoder_options": options, "predictor": predictor}
        assert shapes_of(ModelConfig.model_validate(history | made), 10_000)
tokens = {"encoder": "vit", "encoder_options": options | {"output": "patches"}, "predictor": "tokens"}
assert shapes_of(ModelConfig.model_validate(history | tokens | {"latent_size": 48 * 16, "projector": "none"}), 10_000)
print("torch._dynamo" in sys.modules, "sympy" in sys.modules)
"""


@pytest.mark.parametrize("shape", [(1, 3, 128), (1, 1, 196, 64), (5,), (1, 1, 1)])
def test_they_are_torchs_own_and_leave_its_generator_as_it_does(shape: tuple[int, ...]) -> None:
    state = torch.random.get_rng_state()
    wanted, next_wanted = torch.randn(shape) * 0.02, torch.randn(3)
    torch.random.set_rng_state(state)
    assert torch.equal(drawn_normal(*shape, spread=0.02), wanted) and torch.equal(torch.randn(3), next_wanted)


def test_the_shapes_of_a_model_are_found_without_torchs_compiler() -> None:
    """Every worker looks for them when it reads a model; the compiler's import takes more than all else of it."""
    ended = subprocess.run([sys.executable, "-c", SHAPES_ALONE], capture_output=True, text=True, timeout=120)
    assert ended.stdout.split() == ["False", "False"], ended.stdout + ended.stderr
