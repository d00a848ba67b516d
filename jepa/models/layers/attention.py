"""Multi-head self-attention, shared by the ViT and the predictors.

Shapes: N sequences, L tokens, E width.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from jepa.models.layers.dropout import GlobalDropout


class Attention(nn.Module):
    """Self-attention over L tokens; a causal one lets each token see itself and those before it."""

    def __init__(
        self, width: int, heads: int, head_size: int, causal: bool, dropout: float = 0.0, qkv_bias: bool = True
    ) -> None:
        super().__init__()
        self.heads = heads
        self.causal = causal
        self.dropout = GlobalDropout(dropout)
        self.qkv = nn.Linear(width, 3 * heads * head_size, bias=qkv_bias)
        self.out = nn.Linear(heads * head_size, width)

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

    def _attend_dropping(self, q: Tensor, k: Tensor, v: Tensor, mask_LL: Tensor | None) -> Tensor:
        # Written out, for torch's fused kernel draws from the process and not from the clip.
        scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        if self.causal and mask_LL is None:
            mask_LL = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).tril()
        if mask_LL is not None:
            scores = scores.masked_fill(~mask_LL, float("-inf"))
        weights: Tensor = self.dropout(scores.softmax(-1))
        return weights.to(v.dtype) @ v
