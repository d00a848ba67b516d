"""SIGReg as its definition reads, for autograd to differentiate; what the hand-written one is held against."""

import torch
from torch import Tensor


def sigreg_formula(z_TND: Tensor, u_DM: Tensor, knots: int = 17, t_max: float = 3.0) -> Tensor:
    """Returns the mean over directions and time of N Σ_k w_k [(mean cos - φ)² + (mean sin)²], every knot in full."""
    t_K = torch.linspace(0, t_max, knots, dtype=z_TND.dtype, device=z_TND.device)
    phi_K = torch.exp(-(t_K**2) / 2)
    weight_K = torch.full_like(t_K, 2 * t_max / (knots - 1))
    weight_K[[0, -1]] /= 2
    angle_TNMK = (z_TND @ u_DM).unsqueeze(-1) * t_K
    gap_TMK = (angle_TNMK.cos().mean(1) - phi_K).square() + angle_TNMK.sin().mean(1).square()
    return z_TND.shape[1] * (gap_TMK * phi_K * weight_K).sum(-1).mean()
