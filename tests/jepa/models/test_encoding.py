"""Frames turned into latents in batches of bounded memory."""

import numpy as np
import pytest

from jepa.models import encoding
from jepa.models.encoding import in_batches


def test_batches_hold_every_frame_in_order_and_no_more_than_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = np.arange(10 * 4 * 4 * 3, dtype=np.uint8).reshape(10, 4, 4, 3)
    monkeypatch.setattr(encoding, "BATCH_BYTES", 3 * frames[0].nbytes)
    batches = list(in_batches(frame[None] for frame in frames))
    assert [len(batch) for batch in batches] == [3, 3, 3, 1]
    np.testing.assert_array_equal(np.concatenate(batches), frames)
