"""Harm to stored files, drawn by a seed: flipped bits, other digits, cut and deleted ranges, files that are gone."""

import random
import re
from collections.abc import Callable

from infra.storage import Store

Harm = Callable[[random.Random, bytes], bytes | None]


def flip(rng: random.Random, data: bytes) -> bytes:
    """Returns the bytes with one bit changed."""
    place = rng.randrange(len(data))
    return data[:place] + bytes([data[place] ^ 1 << rng.randrange(8)]) + data[place + 1 :]


def digit(rng: random.Random, data: bytes) -> bytes:
    """Returns the bytes with one decimal digit changed: in JSON often a document that still makes sense."""
    places = [found.start() for found in re.finditer(rb"[0-9]", data)]
    if not places:
        return flip(rng, data)
    place = rng.choice(places)
    other = rng.choice([figure for figure in b"0123456789" if figure != data[place]])
    return data[:place] + bytes([other]) + data[place + 1 :]


def overwrite(rng: random.Random, data: bytes) -> bytes:
    """Returns the bytes with a range of noise."""
    start = rng.randrange(len(data))
    end = min(len(data), start + rng.randrange(1, 64))
    return data[:start] + rng.randbytes(end - start) + data[end:]


def cut(rng: random.Random, data: bytes) -> bytes:
    """Returns the bytes without a range."""
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randrange(1, len(data) + 1) :]


def truncate(rng: random.Random, data: bytes) -> bytes:
    """Returns the first of the bytes, perhaps none."""
    return data[: rng.randrange(len(data))]


def remove(rng: random.Random, data: bytes) -> None:
    """Stands for a file that is gone."""


HARMS: tuple[Harm, ...] = (flip, digit, digit, overwrite, cut, truncate, remove)


def damage(store: Store, path: str, seed: int) -> str:
    """Damages a file of a store and returns how; the bytes are others than before, or gone."""
    rng = random.Random(f"{path} {seed}")
    before = store.read(path)
    harm = HARMS[seed % len(HARMS)]
    after: bytes | None = before
    while after == before:
        after = harm(rng, before)
    if after is None:
        store.delete(path)
    else:
        store.write(path, after)
    return harm.__name__
