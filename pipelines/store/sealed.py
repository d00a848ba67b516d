"""Documents that carry the digest of their own bytes, and the digests by which everything else is checked.

What is committed has its digest in another file. A document that stands alone until then, or is rewritten again and
again (a marker, a claim, the mark of a checkpoint, a unit's manifest), opens with a line that holds the SHA-256 of all
the rest. Documents of earlier code lack the line and are read as they are.
"""

import hashlib
import re

from infra.storage import Store
from jepa.core.config import Config

SEAL = re.compile(rb'\{\n "own_sha256": "([0-9a-f]{64})",\n')
PAGE_SEAL = re.compile(rb"<!-- own_sha256: ([0-9a-f]{64}) -->\n\Z")


class Problem(Config):
    """One file that is not as it was written."""

    path: str
    """relative to the folder of what was verified"""
    kind: str
    """`missing` or `damaged`"""
    detail: str = ""


class Findings(Config):
    """What a verification found."""

    problems: tuple[Problem, ...] = ()
    unknown: tuple[str, ...] = ()
    """sentences about files of which no digest says whether they are as they were written"""

    @property
    def ok(self) -> bool:
        """Whether every byte whose digest is known is as it was written."""
        return not self.problems


def sha256(data: bytes) -> str:
    """Returns the digest of a file's bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def read_if_there(store: Store, path: str) -> bytes | None:
    """Returns the whole object, or None where there is none."""
    try:
        return store.read(path)
    except FileNotFoundError:
        return None


def seal(document: bytes) -> bytes:
    """Returns an indented JSON object with the digest of its bytes as its first line."""
    if not document.startswith(b"{\n"):
        raise ValueError("only a JSON object with a line for each field can be sealed")
    return b'{\n "own_sha256": "%s",\n' % sha256(document).encode() + document[2:]


def is_sealed(data: bytes) -> bool:
    """Returns whether a document carries a digest of itself, right or wrong."""
    return SEAL.match(data) is not None


def unseal(data: bytes) -> bytes:
    """Returns the document without its digest; one of earlier code, which has none, as it is.

    Raises:
        ValueError: the bytes are not those that were written.
    """
    found = SEAL.match(data)
    if found is None:
        return data
    document = b"{\n" + data[found.end() :]
    if sha256(document).encode() != found[1]:
        raise ValueError("its bytes are not those that were written")
    return document


def seal_page(page: bytes) -> bytes:
    """Returns an HTML page with the digest of its bytes as a comment at its end."""
    page = page.rstrip() + b"\n"
    return b"%s<!-- own_sha256: %s -->\n" % (page, sha256(page).encode())


def is_whole_page(data: bytes) -> bool | None:
    """Returns whether a page is as it was written; None where it is whole, as it seems, and of earlier code."""
    found = PAGE_SEAL.search(data)
    if found is not None:
        return sha256(data[: found.start()]).encode() == found[1]
    return None if data.rstrip().endswith(b"</html>") else False


def check_file(store: Store, root: str, path: str, digest: str) -> Problem | None:
    """Returns what is wrong with a file whose digest is known, None where nothing is.

    Args:
        store: where it is.
        root: folder that `path` is relative to.
        path: of the file, as the problem will name it.
        digest: SHA-256 that it must have.
    """
    data = read_if_there(store, f"{root}/{path}")
    if data is None:
        return Problem(path=path, kind="missing")
    return None if sha256(data) == digest else Problem(path=path, kind="damaged")
