"""One seed from another and a few words, so that what is drawn for one thing never depends on what else is drawn."""

import hashlib


def derive_seed(seed: int, *parts: str | int) -> int:
    """Returns 63 bits of the SHA-256 of the seed and the parts; the same on every machine and in every process."""
    text = "\x1f".join(str(part) for part in (seed, *parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
