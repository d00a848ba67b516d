"""The objectives by name; listing them imports none of them, and no torch."""

from typing import TYPE_CHECKING

from jepa.core.registries.registry import Registry

if TYPE_CHECKING:
    from jepa.objectives.objective import Objective

OBJECTIVES: "Registry[type[Objective]]" = Registry(
    "objective",
    {
        "auxiliary": "jepa.objectives.auxiliary",
        "ema": "jepa.objectives.ema",
        "frozen": "jepa.objectives.frozen",
        "lejepa": "jepa.objectives.lejepa",
        "lewm": "jepa.objectives.lewm",
        "pldm": "jepa.objectives.pldm",
        "reconstruction": "jepa.objectives.reconstruction",
        "spectral": "jepa.objectives.spectral",
    },
    group="jepa.objectives",
)
