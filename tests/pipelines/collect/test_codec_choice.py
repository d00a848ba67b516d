"""`codec: auto` looks at the plan's first episodes, always finds the same, and says what it found."""

from pathlib import Path

import numpy as np
import pytest

from infra.storage import open_store
from jepa.core.episodes import Pixels
from jepa.worlds import WORLDS
from jepa.worlds.two_room.world import TwoRoom
from pipelines.collect import collect, plan_dataset
from pipelines.store import DatasetHandle, verify
from tests.pipelines.small_dataset import small_config, stored_bytes


class NoisyRoom(TwoRoom):
    """Two-Room seen by a bad camera."""

    def render_pixels(self) -> Pixels:
        frames = super().render_pixels()
        noise = np.random.default_rng(int(self._position_N2.sum() * 1e6)).normal(0, 3, frames.shape)
        return np.clip(frames + noise, 0, 255).astype(np.uint8)


def test_rendered_frames_stay_exact(tmp_path: Path) -> None:
    automatic, given = open_store(str(tmp_path / "auto")), open_store(str(tmp_path / "zstd"))
    manifest = collect(small_config(codec="auto"), automatic)
    assert manifest.plan.codec == "zstd" and set(manifest.codec_trial) == {"zstd", "jpeg"}
    assert "chosen on the first episodes: zstd" in automatic.read("datasets/small/card.md").decode()
    collect(small_config(codec="zstd"), given)
    ours, theirs = stored_bytes(automatic), stored_bytes(given)
    assert all(ours[path] == theirs[path] for path in ours if path.startswith(("shards/", "completed/")))
    assert collect(small_config(), automatic) == manifest


def test_camera_like_frames_become_jpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(WORLDS._entries, "noisy_room", NoisyRoom)  # for this test only: others go through every world
    store = open_store(str(tmp_path))
    config = small_config(world="noisy_room", codec="auto", policy="random", episodes=20, image_size=64)
    assert plan_dataset(config) == plan_dataset(config)
    manifest = collect(config, store)
    assert manifest.plan.codec == "jpeg" and manifest.codec_trial["zstd"] > 2 * manifest.codec_trial["jpeg"]
    assert verify(DatasetHandle(store, "small")).ok
    longer = config.model_copy(update={"episodes": 40})
    assert plan_dataset(longer).codec == "jpeg" and collect(longer, store).version == 2
