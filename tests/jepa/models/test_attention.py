"""Self-attention against its formula: causal, masked, and with dropout of its weights."""

import pytest
import torch
from torch import Tensor

from jepa.models.layers.attention import Attention
from tests.jepa.models.test_world_model import draws

WIDTH, HEADS, HEAD_SIZE = 6, 2, 5


def attention(causal: bool, dropout: float = 0.0) -> Attention:
    torch.manual_seed(0)
    return Attention(WIDTH, HEADS, HEAD_SIZE, causal, dropout)


def formula(layer: Attention, x_NLE: Tensor, mask_LL: Tensor) -> Tensor:
    """Returns softmax(q kᵀ / √d) v, head by head, of the tokens that the mask lets through."""
    q, k, v = (part.unflatten(-1, (HEADS, HEAD_SIZE)) for part in layer.qkv(x_NLE).chunk(3, dim=-1))
    heads = []
    for head in range(HEADS):
        scores = q[:, :, head] @ k[:, :, head].mT / HEAD_SIZE**0.5
        heads.append(scores.masked_fill(~mask_LL, float("-inf")).softmax(-1) @ v[:, :, head])
    together: Tensor = layer.out(torch.cat(heads, -1))
    return together


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("dropout", [0.0, 1e-9])
def test_it_is_the_formula_by_torch_s_kernel_and_written_out(causal: bool, dropout: float) -> None:
    layer, x = attention(causal, dropout).train(), draws(3, 4, WIDTH)
    everything = torch.ones(4, 4, dtype=torch.bool)
    expected = formula(layer, x, everything.tril() if causal else everything)
    assert torch.allclose(layer(x), expected, atol=1e-6)
    mask = torch.tensor([[1, 0, 0, 0], [1, 1, 0, 1], [0, 0, 1, 0], [1, 1, 1, 1]], dtype=torch.bool)
    assert torch.allclose(layer(x, mask), formula(layer, x, mask), atol=1e-6), "a mask of the caller's goes first"


def test_dropout_drops_weights_in_training_alone() -> None:
    layer, x = attention(True, dropout=0.5).train(), draws(3, 4, WIDTH)
    dropped = layer(x)
    assert not torch.allclose(dropped, attention(True)(x), atol=1e-3)
    assert torch.allclose(layer.eval()(x), attention(True)(x), atol=1e-6)


def test_queries_keys_and_values_may_go_without_a_bias() -> None:
    layer = Attention(WIDTH, HEADS, HEAD_SIZE, causal=True, qkv_bias=False)
    assert layer.qkv.bias is None and layer.out.bias is not None
