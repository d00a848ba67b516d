"""The heads that a user may name, and their configurations; nothing here imports torch before one is asked for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from jepa.core.config import parse_options
from jepa.core.registries.registry import Registry

if TYPE_CHECKING:
    from jepa.planning.heads.head import Head, HeadConfig

HEADS: "Registry[type[Head]]" = Registry(
    "head",
    {
        "inverse": "jepa.planning.heads.inverse",
        "probe": "jepa.planning.heads.probe",
        "reachable": "jepa.planning.heads.reachable",
        "temporal": "jepa.planning.heads.temporal",
    },
    group="jepa.heads",
)


def head_config(kind: str, options: Mapping[str, Any], field: str = "options") -> "HeadConfig":
    """Returns the validated configuration of a registered kind of head.

    Raises:
        InputError: the kind is unknown, or an option does not fit; the message names it as one of `field`.
    """
    return parse_options(HEADS.get(kind).Config, options, f"{field}.{kind}")
