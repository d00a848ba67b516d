"""Dropout whose draws belong to the clip and not to the process that holds it.

Every process draws the mask of the whole global batch from the same generator state and applies its own rows of it, so
that a batch shared out in any way drops what one process would drop. Drawing for all costs W times the random numbers
of one share: little beside the matrix products around it.
"""

import torch
from torch import Tensor, nn

from jepa.core.collectives import share_of_rows


class GlobalDropout(nn.Module):
    """Dropout over rows (dimension 0) of the global batch; with one process it is plain dropout.

    Processes must hold their rows in rank order and their default generators in the same state, as `Trainer` sees to.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        """Returns x with a share of its values zeroed and the others scaled up; x itself outside of training."""
        if not self.training or not self.share:
            return x
        start, total = share_of_rows(len(x))
        kept = torch.rand((total, *x.shape[1:]), device=x.device)[start : start + len(x)] >= self.share
        return x * kept / (1.0 - self.share)
