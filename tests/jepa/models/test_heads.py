"""The projector and the action encoder: which rows they normalise, and in which order they read actions."""

import torch

from jepa.models.layers.heads import ActionEncoder, Projector
from tests.jepa.models.test_world_model import draws


def test_a_projector_normalises_over_all_rows_of_the_batch() -> None:
    projector, x = Projector(3, 16, 2).train(), 5 + 2 * draws(6, 4, 3)
    hidden = projector.hidden(x).flatten(0, 1)
    y = projector(x)
    normal = (hidden - hidden.mean(0)) / (hidden.var(0, correction=0) + projector.norm.eps).sqrt()
    expected = projector.out(torch.nn.functional.gelu(normal)).unflatten(0, (6, 4))
    assert y.shape == (6, 4, 2) and torch.allclose(y, expected, atol=1e-5)
    assert torch.allclose(projector(x.flatten(0, 1)), y.flatten(0, 1), atol=1e-5)


def test_a_bias_before_the_norm_changes_nothing_in_training() -> None:
    plain, biased, x = Projector(3, 16, 2).train(), Projector(3, 16, 2, bias=True).train(), draws(8, 3)
    assert plain.hidden.bias is None
    biased.load_state_dict({**plain.state_dict(), "hidden.bias": torch.linspace(-1, 1, 16)})
    assert torch.allclose(biased(x), plain(x), atol=1e-5)


def test_an_action_block_is_read_action_by_action() -> None:
    encoder, action_BTKA = ActionEncoder(4 * 2, 16, 5), draws(3, 2, 4, 2)
    flat = torch.stack([action_BTKA[:, :, k, a] for k in range(4) for a in range(2)], dim=-1)
    assert encoder(action_BTKA).shape == (3, 2, 5) and torch.allclose(encoder(action_BTKA), encoder.layers(flat))
    assert ActionEncoder(8, 16, 5, inner_size=3).layers[0].out_features == 3
    assert encoder.layers[0].out_features == 8
