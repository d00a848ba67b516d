"""The base of every configuration: frozen, strict, the same for Python, YAML, the command line and Prefect's forms."""

import hashlib
import json
import logging
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic_core import CoreSchema

from jepa.core.errors import InputError

log = logging.getLogger(__name__)
LARGEST = 2**63
"""What is no more than this is stored as it is: Parquet and generators take signed integers."""


class Config(BaseModel):
    """A configuration whose unknown keys are errors and whose fingerprint names what it makes."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, protected_namespaces=(), allow_inf_nan=False
    )

    renamed: ClassVar[Mapping[str, str]] = {}
    """Names that fields had before, with today's; using one logs a sentence that says so."""
    stored_as: ClassVar[Mapping[str, str]] = {}
    """Names that fields have in files written before they were renamed, with today's; they are read silently."""

    @classmethod
    def with_new_names(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """Returns values under the names that fields have today.

        Raises:
            ValueError: a field is given under both of its names.
        """
        for old, new in {**cls.renamed, **cls.stored_as}.items():
            if old not in values:
                continue
            if new in values:
                raise ValueError(f"{old} is the old name of {new}, and both are given; leave {old} out")
            if old in cls.renamed:
                log.warning("%s is called %s now; the old name is still understood", old, new)
            values = {new if name == old else name: held for name, held in values.items()}
        return dict(values)

    @model_validator(mode="before")
    @classmethod
    def _take_old_names(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        values = cls.with_new_names(value)
        for name, held in values.items():
            if _is_no_number(held) and _takes_whole_numbers(cls, name):
                values[name] = _as_said(held)
        return values

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Returns the schema, under which old names pass as they do here; a form shows today's only."""
        schema = handler(core)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        old = {f"^{old}$": properties[new] for old, new in cls.renamed.items() if new in properties}
        if old:
            handler.resolve_ref_schema(schema)["patternProperties"] = old
        return schema

    def fingerprint(self) -> str:
        """Returns 12 hexadecimal characters of the SHA-256 of the canonical JSON; equal ones have equal ones."""
        return digest_of(self.model_dump(mode="json"))[:12]


C = TypeVar("C", bound=Config)


def _is_no_number(value: Any) -> bool:
    """Returns whether a count must not be made of a value: a boolean, or a number beyond 63 bits."""
    if isinstance(value, bool):
        return True
    if isinstance(value, str):
        digits = value.strip().lstrip("+-").replace("_", "")
        return len(digits) > 18 and digits.isdecimal() and (len(digits) > 4000 or int(digits) >= LARGEST)
    return isinstance(value, int) and not -LARGEST < value < LARGEST


def _as_said(value: Any) -> str:
    """Returns a text that no field takes for a number, so that the field's own error names field and value."""
    if isinstance(value, bool):
        return str(value).lower()
    return (
        f"{str(value)[:40]} (over 63 bits)"
        if isinstance(value, str)
        else f"about 2^{value.bit_length() - 1} (over 63 bits)"
    )


def _takes_whole_numbers(model: type[BaseModel], name: str) -> bool:
    field = model.model_fields.get(name)
    kinds = () if field is None else (field.annotation, *get_args(field.annotation))
    return any(kind in (int, float) for kind in kinds) and bool not in kinds


def digest_of(document: Any) -> str:
    """Returns the SHA-256 of a JSON document's canonical text, in hexadecimal; key order plays no part."""
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def to_json(document: BaseModel) -> bytes:
    """Returns the bytes under which a document is stored: sorted keys, a line for each, a newline at the end."""
    return (json.dumps(document.model_dump(mode="json"), sort_keys=True, indent=1) + "\n").encode()


def parse_options(kind: type[C], options: Mapping[str, Any], field: str) -> C:
    """Returns the configuration of something picked by name, from the options in `field` of the one that picked it.

    Raises:
        InputError: an option is unknown or does not fit; the message names it and its value.
    """
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        raise InputError(first_problem(error, field)) from error


def first_problem(error: ValidationError, *path: str) -> str:
    """Returns the first thing that is wrong with a configuration, its field's name after a path to it."""
    first = error.errors()[0]
    name = ".".join((*path, *(str(part) for part in first["loc"])))
    own_words = first["type"] == "value_error"
    problem = str(first["ctx"]["error"]) if own_words else f"{first['msg']}, got {first['input']!r}"
    return f"{name}: {problem}" if name else problem
