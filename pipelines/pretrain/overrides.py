"""Some fields of a configuration over all of another: what a user changes in a recipe."""

from collections.abc import Mapping
from typing import Any

from jepa.core.config import Config, parse_options
from jepa.core.errors import InputError

DECIDED = {
    "image_size": "the dataset decides it",
    "action_size": "the world decides it",
    **dict.fromkeys(("steps", "batch_size", "learning_rate", "precision", "seed"), "it has a field of its own"),
}
"""Fields that no options may set, and why."""


def overriding(
    kind: type[Config], base: Config | Mapping[str, Any], options: Mapping[str, Any], field: str
) -> dict[str, Any]:
    """Returns the options as the configuration `kind` takes them, which it does over the base.

    Raises:
        InputError: an option is unknown, does not fit, or is decided elsewhere; the message names it as one of `field`.
    """
    try:
        options = kind.with_new_names(options)
    except ValueError as error:
        raise InputError(f"{field}: {error}") from error
    for name in options:
        if name in DECIDED:
            raise InputError(f"{field}.{name} cannot be given: {DECIDED[name]}")
    below = base.model_dump() if isinstance(base, Config) else dict(base)
    checked = parse_options(kind, merged(below, options), field).model_dump(mode="json")
    return {name: checked[name] for name in options}


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Returns both in one, `above` winning, inner mappings merged alike.

    Options of something picked by name (`encoder`, `encoder_options`) go with the name: where another is picked, those
    below are dropped.
    """
    kept = {
        name: value
        for name, value in below.items()
        if not name.endswith("_options") or _same(name.removesuffix("_options"), below, above)
    }
    inner = {
        name: merged(kept[name], value)
        for name, value in above.items()
        if isinstance(value, Mapping) and isinstance(kept.get(name), Mapping)
    }
    return {**kept, **above, **inner}


def _same(name: str, below: Mapping[str, Any], above: Mapping[str, Any]) -> bool:
    return bool(above.get(name, below.get(name)) == below.get(name))
