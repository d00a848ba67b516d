"""The planners that search in latents, with sizes small enough to try everything with each."""

from typing import Any

from jepa.planning import PLANNERS
from jepa.planning.search.latent import LatentSearch

SEARCHES = [name for name in PLANNERS if issubclass(PLANNERS.get(name), LatentSearch)]
SMALL: dict[str, dict[str, Any]] = {
    "cem": {"samples": 32, "elites": 4, "iterations": 3},
    "icem": {"samples": 32, "elites": 4, "iterations": 3},
    "mppi": {"samples": 32, "iterations": 3},
    "gradient": {"starts": 4, "steps": 5},
    "shooting": {"samples": 64},
}


def small(name: str, **options: Any) -> dict[str, Any]:
    """Returns the options of a small search of plans of three action blocks, with others beside them."""
    return {"horizon": 3, "precision": "fp32", **SMALL[name], **options}
