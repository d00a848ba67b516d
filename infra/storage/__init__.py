"""One store, wherever it is: `runs/` is a local folder, `s3://bucket/prefix` is S3; the same code serves both."""

import re

from infra.errors import InfraError
from infra.storage.store import TEMPORARY, Store, clean_path, is_inside

__all__ = ["TEMPORARY", "Store", "clean_path", "is_inside", "open_store"]


def open_store(uri: str) -> Store:
    """Returns the store at a URI without touching it; `check` finds out whether it can be used.

    Args:
        uri: a folder (relative or absolute), or `s3://bucket` or `s3://bucket/prefix`.

    Raises:
        InfraError: the address is empty, has another scheme or names no bucket.
    """
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*)://", uri)
    if scheme is None and uri.strip():
        from infra.storage.local import LocalStore

        return LocalStore(uri)
    if scheme is not None and scheme[1] == "s3":
        from infra.storage.s3 import S3Store

        return S3Store(uri)
    raise InfraError(f"store {uri!r} is no address we know; give a folder such as runs/ or s3://bucket/prefix")
