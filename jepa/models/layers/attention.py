"""Multi-head self-attention, shared by the ViT and the predictors.

Shapes: N sequences, L tokens, E width; of L tokens M are new and Q of these are asked for, and X is the size of a head.
"""

from functools import reduce

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from jepa.core.numerics import at_least_float32
from jepa.models.layers.dropout import GlobalDropout
from jepa.models.layers.linear import Linear

Kept = tuple[Tensor, Tensor]
"""Keys and values (N, L, heads, X) of tokens that later ones look back on."""
FEW_KEYS = 4
"""Up to so many a CPU multiplies them out faster than torch's fused attention, whose setting up costs more."""


class Attention(nn.Module):
    """Self-attention over L tokens; a causal one lets each token see itself and those before it."""

    def __init__(
        self, width: int, heads: int, head_size: int, causal: bool, dropout: float = 0.0, qkv_bias: bool = True
    ) -> None:
        super().__init__()
        self.heads = heads
        self.causal = causal
        self.dropout = GlobalDropout(dropout)
        self.qkv = Linear(width, 3 * heads * head_size, bias=qkv_bias)
        self.out = Linear(heads * head_size, width)

    def forward(self, x_NLE: Tensor, mask_LL: Tensor | None = None) -> Tensor:
        """Returns (N, L, E).

        Args:
            x_NLE: the tokens.
            mask_LL: whether a token (row) attends to another (column); by default to all, or to those up to itself.
        """
        # (N, L, 3, heads, head size) -> three of (N, heads, L, head size)
        qkv = self.qkv(x_NLE).unflatten(-1, (3, self.heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        if self.training and self.dropout.share:
            y = self._attend_dropping(q, k, v, mask_LL)
        else:
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask_LL, is_causal=self.causal and mask_LL is None)
        y_NLE: Tensor = self.out(y.transpose(1, 2).flatten(2))
        return y_NLE

    def extend(self, x_NME: Tensor, kept: Kept | None, newest: int, mask: Tensor | None = None) -> tuple[Tensor, Kept]:
        """Returns the output (N, Q, E) for the newest tokens, and the keys and values of all; nothing is dropped.

        Args:
            x_NME: the new tokens.
            kept: keys and values of those before them; where they are of fewer sequences, of as many new ones each.
            newest: Q.
            mask: which token (L, columns) each of the newest ones (Q, rows) attends to; by default to all, or, where
                attention is causal, to those up to itself.
        """
        q, k, v = self.qkv(x_NME).unflatten(-1, (3, self.heads, -1)).unbind(2)
        if kept is not None:
            k, v = (
                torch.cat([before.repeat_interleave(len(now) // max(1, len(before)), 0), now], dim=1)
                for before, now in zip(kept, (k, v), strict=True)
            )
        q = q[:, -newest:]
        causal = self.causal and mask is None and newest > 1
        if k.shape[1] <= FEW_KEYS and k.device.type == "cpu" and mask is None:
            y = _attend_few(q, k, v, causal)
        else:
            if causal:
                mask = torch.ones(newest, k.shape[1], dtype=torch.bool, device=k.device).tril(k.shape[1] - newest)
            q, both = q.transpose(1, 2), (k.transpose(1, 2), v.transpose(1, 2))
            y = F.scaled_dot_product_attention(q, *both, attn_mask=mask).transpose(1, 2)
        y_NQE: Tensor = self.out(y.flatten(2))
        return y_NQE, (k, v)

    def _attend_dropping(self, q: Tensor, k: Tensor, v: Tensor, mask_LL: Tensor | None) -> Tensor:
        # Written out, for torch's fused kernel draws from the process and not from the clip.
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        if self.causal and mask_LL is None:
            mask_LL = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).tril()
        if mask_LL is not None:
            scores = scores.masked_fill(~mask_LL, float("-inf"))
        weights: Tensor = self.dropout(scores.softmax(-1))
        return weights.to(v.dtype) @ v


def _attend_few(q_NQHX: Tensor, k_NLHX: Tensor, v_NLHX: Tensor, causal: bool) -> Tensor:
    """Returns what each query reads (N, Q, H, X) from a few keys, one product of each two; H heads."""
    queries, keys = q_NQHX.shape[1], k_NLHX.shape[1]
    read = []
    for index, q_NHX in enumerate(q_NQHX.unbind(1)):
        seen = keys - queries + index + 1 if causal else keys
        weights = _softmax([(q_NHX * k_NHX).sum(-1) for k_NHX in k_NLHX[:, :seen].unbind(1)], q_NHX.shape[-1])
        y_NHX = weights[0] * v_NLHX[:, 0] if seen > 1 else v_NLHX[:, 0]
        for key in range(1, seen):
            y_NHX = torch.addcmul(y_NHX, weights[key], v_NLHX[:, key])
        read.append(y_NHX)
    return torch.stack(read, dim=1)


def _softmax(products: list[Tensor], size: int) -> list[Tensor]:
    """Returns the weights (N, H, 1) of a few keys; torch's own softmax is slow along so short a dimension."""
    scores = [at_least_float32(product) / size**0.5 for product in products]
    highest = reduce(torch.maximum, scores)
    powers = [(score - highest).exp() for score in scores]
    total = reduce(torch.add, powers)
    return [(power / total).to(products[0].dtype)[..., None] for power in powers]
