"""Every codec gives back the frames; lossless ones give back each bit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jepa.core.episodes import Pixels
from jepa.worlds import collect_episodes
from pipelines.collect import plan_dataset
from pipelines.store.codecs import CODECS
from tests.pipelines.small_dataset import small_config


@pytest.mark.parametrize("name", CODECS.names())
@pytest.mark.parametrize("shape", [(1, 8, 8), (5, 16, 24)])
def test_frames_return(name: str, shape: tuple[int, int, int]) -> None:
    codec = CODECS.get(name)
    frames = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    encoded = codec.encode(frames)
    assert codec.encode(frames.copy()) == encoded
    decoded = codec.decode(encoded, shape)
    assert decoded.dtype == np.uint8 and decoded.shape == frames.shape
    if codec.lossless:
        assert np.array_equal(decoded, frames)


@pytest.mark.parametrize("name", CODECS.names())
@pytest.mark.parametrize("wanted", [[0, 1, 2], [2], [1, 3], [0, -1]])
def test_some_frames_can_be_decoded_each_to_its_place(name: str, wanted: list[int]) -> None:
    codec, frames = CODECS.get(name), smooth_frames()
    wanted = [frame % len(frames) for frame in wanted]
    places = np.empty((2 * len(frames), *frames.shape[1:]), np.uint8)
    encoded = codec.encode(frames)
    codec.pick(encoded, frames.shape[:3], wanted, [places[2 * frame] for frame in wanted])
    assert np.array_equal(places[[2 * frame for frame in wanted]], codec.decode(encoded, frames.shape[:3])[wanted])


@pytest.mark.parametrize("wanted", [[0, 1, 2], [2], [1, 3], [0, 4]])
def test_a_chunk_too_large_for_a_cache_is_streamed(wanted: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.store.codecs.zstd.WHOLE", 0)
    codec, frames = CODECS.get("zstd"), smooth_frames()
    encoded, places = codec.encode(frames), np.empty((len(wanted), *frames.shape[1:]), np.uint8)
    codec.pick(encoded, frames.shape[:3], wanted, list(places))
    assert np.array_equal(places, frames[wanted])
    with pytest.raises(ValueError, match=r"end too early|damaged"):
        codec.pick(encoded[: len(encoded) // 2], frames.shape[:3], [4], [places[0]])


@pytest.mark.parametrize("name", [name for name in CODECS if not CODECS.get(name).lossless])
def test_lossy_frames_come_back_nearly_as_they_were(name: str) -> None:
    codec, frames = CODECS.get(name), smooth_frames()
    error = codec.decode(codec.encode(frames), frames.shape[:3]).astype(np.float64) - frames
    assert 10 * np.log10(255**2 / np.square(error).mean()) > 38  # peak signal-to-noise ratio, in dB


@given(seed=st.integers(0, 2**32 - 1), side=st.integers(1, 40), frames=st.integers(1, 5))
def test_jpeg_images_are_told_apart_whatever_they_show(seed: int, side: int, frames: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (frames, side, side, 3), dtype=np.uint8)
    assert len(CODECS.get("jpeg").encode(noise).split(b"\xff\xd9")) == frames + 1


@pytest.mark.parametrize("name", CODECS.names())
def test_bytes_do_not_depend_on_what_the_memory_held_before(name: str) -> None:
    codec, rng, chunks = CODECS.get(name), np.random.default_rng(0), episodes_of_two_rooms()
    expected = [codec.encode(chunk) for chunk in chunks]
    rubbish: list[Pixels] = []
    for _ in range(10):
        for chunk, data in zip(chunks, expected, strict=True):
            rubbish = [*rubbish[-50:], rng.integers(0, 255, rng.integers(1000, 400_000), dtype=np.uint8)]
            assert codec.encode(chunk.copy()) == data


def episodes_of_two_rooms() -> list[Pixels]:
    """Chunks small enough that a video encoder's blocks are mostly edge."""
    plan = plan_dataset(small_config(episodes=20))
    episodes = collect_episodes(plan.world, plan.world_options, [plan.episode_plan(index) for index in range(20)])
    return [episode.pixels[start : start + 12] for episode in episodes for start in (0, 12)]


def smooth_frames() -> Pixels:
    """Five frames of a red disk that crosses a grey slope."""
    y, x = np.mgrid[:48, :48]
    frames = np.repeat((2 * (x + y) + 20)[None, ..., None], 5, axis=0).repeat(3, axis=-1)
    for place, frame in enumerate(frames):
        frame[(x - 10 - 5 * place) ** 2 + (y - 24) ** 2 < 60] = (200, 40, 40)
    return frames.astype(np.uint8)


def test_still_frames_cost_little() -> None:
    frames = np.repeat(np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3), dtype=np.uint8), 20, axis=0)
    assert len(CODECS.get("zstd").encode(frames)) < 1.2 * frames[0].nbytes


@pytest.mark.parametrize("name", CODECS.names())
def test_damaged_frames_are_refused(name: str) -> None:
    codec = CODECS.get(name)
    encoded = codec.encode(np.zeros((4, 8, 8, 3), np.uint8))
    with pytest.raises(ValueError):
        codec.decode(encoded[: len(encoded) // 2], (4, 8, 8))
