"""The base of every configuration: frozen, strict, the same for Python, YAML, the command line and Prefect's forms."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from jepa.core.errors import InputError


class Config(BaseModel):
    """A configuration whose unknown keys are errors and whose digest names what it makes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, protected_namespaces=())

    def digest(self) -> str:
        """Returns 12 hexadecimal characters of the SHA-256 of the canonical JSON; equal ones have equal digests."""
        canonical = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]


C = TypeVar("C", bound=Config)


def parse_options(kind: type[C], options: Mapping[str, Any], field: str) -> C:
    """Returns the configuration of something picked by name, from the options in `field` of the one that picked it.

    Raises:
        InputError: an option is unknown or does not fit; the message names it and its value.
    """
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join((field, *(str(part) for part in first["loc"])))
        raise InputError(f"{name}: {first['msg']}, got {first['input']!r}") from error
