"""Where every random draw comes from: a seed, and the name of a stream of it. No other module makes a generator.

A stream is named by words and numbers, such as `("dropout", step)`. Streams of different names are unrelated, so that
what is drawn for one thing never depends on what else is drawn; and each is a pure function of the seed and the name,
the same in every process and on every machine.
"""

import contextlib
import hashlib
import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:  # torch takes seconds to import, and collecting a dataset does without it
    import torch

EpisodeStream = Literal["scene", "policy", "variation", "plan", "choices"]

EPISODE_STREAMS: dict[EpisodeStream, int] = {"scene": 0, "policy": 1, "variation": 2, "plan": 3, "choices": 4}
"""Numbers of an episode's streams; the bytes of every dataset depend on them."""


def derive_seed(seed: int, *names: str | int) -> int:
    """Returns the 63-bit seed of a stream: bits of the SHA-256 of the seed and the names."""
    text = "\x1f".join(str(name) for name in (seed, *names))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def derive_key(*names: object) -> int:
    """Returns the 64-bit key of a keyed permutation or hash (`jepa.core.keyed`): bits of the BLAKE2b of the names.

    The type of each name counts too. The bytes of every dataset and the order of a loader's clips depend on it.
    """
    text = "\x1f".join(f"{type(name).__name__}:{name}" for name in names)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def numpy_generator(seed: int, *names: str | int) -> np.random.Generator:
    """Returns numpy's generator of a stream; without a name, of a seed that was derived already."""
    return np.random.default_rng(_seed_of(seed, names))


def torch_generator(seed: int, *names: str | int) -> "torch.Generator":
    """Returns torch's generator of a stream, on the CPU; without a name, of a seed that was derived already."""
    import torch

    return torch.Generator().manual_seed(_seed_of(seed, names))


def python_generator(seed: int, *names: str | int) -> random.Random:
    """Returns Python's generator of a stream, for libraries that take no other."""
    return random.Random(_seed_of(seed, names))


def episode_generator(seed: int, stream: EpisodeStream) -> np.random.Generator:
    """Returns the generator of one stream of an episode with this seed."""
    return np.random.default_rng([seed, EPISODE_STREAMS[stream]])


@contextlib.contextmanager
def seeded(seed: int, *names: str | int, device: "torch.device | None" = None) -> Iterator[None]:
    """Draws from torch's default generators (initial weights, dropout) inside come from a stream.

    The caller's own generators go on afterwards as if nothing had been drawn.

    Args:
        seed: the seed.
        names: of the stream.
        device: whose generator is seeded besides the CPU's.
    """
    import torch

    gpus = [device] if device is not None and device.type == "cuda" else []
    stream_seed = _seed_of(seed, names)
    with torch.random.fork_rng(devices=gpus):
        torch.default_generator.manual_seed(stream_seed)
        for gpu in gpus:
            index = torch.cuda.current_device() if gpu.index is None else gpu.index
            torch.cuda.default_generators[index].manual_seed(stream_seed)
        yield


def _seed_of(seed: int, names: tuple[str | int, ...]) -> int:
    return derive_seed(seed, *names) if names else seed
