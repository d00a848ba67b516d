"""A path as a manifest holds it: whoever wrote the manifest may be a stranger."""

from typing import Annotated

from pydantic import AfterValidator

from infra.storage import is_inside


def _inside(path: str) -> str:
    if not is_inside(path):
        raise ValueError(f"{path!r} does not stay inside its store")
    return path


StoredPath = Annotated[str, AfterValidator(_inside)]
"""Relative, without '..', '\\\\' and empty parts."""
