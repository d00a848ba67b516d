"""The modulated transformer block: identity at the start, an action for each frame, whatever lies between."""

import torch
from torch import nn

from jepa.models.predictors.block import ModulatedBlock
from jepa.models.predictors.predictor import TransformerConfig
from tests.jepa.models.test_world_model import draws


def trained(block: ModulatedBlock) -> ModulatedBlock:
    with torch.no_grad():
        for weight in block.parameters():
            weight.add_(0.3 * draws(*weight.shape, seed=5))
    return block


def test_it_starts_as_identity_and_then_follows_the_action() -> None:
    block = ModulatedBlock(8, TransformerConfig(mlp_size=16), None)
    x, a = draws(2, 3, 8), draws(2, 3, 8, seed=2)
    assert torch.equal(block(x, a), x)
    trained(block)
    assert not torch.allclose(block(x, a), block(x, 2 * a))


def test_tokens_of_a_frame_share_its_action() -> None:
    block = trained(ModulatedBlock(8, TransformerConfig(mlp_size=16), nn.Identity()))
    x, a = draws(2, 3, 4, 8), draws(2, 3, 8, seed=2)
    together = block(x, a[:, :, None])
    for token in range(4):
        torch.testing.assert_close(together[:, :, token], block(x[:, :, token], a))
