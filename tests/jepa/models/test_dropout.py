"""Dropout of the global batch: its own rows of a mask that all processes draw."""

import pytest
import torch

from jepa.core.seeds import seeded
from jepa.models.layers import dropout
from jepa.models.layers.dropout import GlobalDropout
from tests.jepa.models.test_world_model import draws


def test_outside_of_training_and_at_a_share_of_zero_nothing_is_dropped() -> None:
    x = draws(4, 3)
    assert GlobalDropout(0.5).eval()(x) is x and GlobalDropout(0.0).train()(x) is x


def test_the_share_is_dropped_and_the_mean_stays() -> None:
    y = GlobalDropout(0.3).train()(torch.ones(400, 100))
    assert sorted(y.unique().tolist()) == pytest.approx([0.0, 1 / 0.7])
    assert float((y == 0).float().mean()) == pytest.approx(0.3, abs=0.01)
    assert float(y.mean()) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("sizes", [(5, 3), (1, 7), (8, 0)])
def test_processes_together_drop_what_one_would_drop(monkeypatch: pytest.MonkeyPatch, sizes: tuple[int, ...]) -> None:
    x, layer = draws(8, 6), GlobalDropout(0.5).train()
    with seeded(3, "test"):
        whole = layer(x)
    parts, start = [], 0
    for size in sizes:
        monkeypatch.setattr(dropout, "share_of_rows", lambda rows, start=start: (start, 8))
        with seeded(3, "test"):
            parts.append(layer(x[start : start + size]))
        start += size
    assert torch.equal(torch.cat(parts), whole) and (whole == 0).any()
