"""Objectives: what training minimises; importing this package registers the built-in ones."""

from jepa.objectives.auxiliary import Auxiliary, AuxiliaryConfig
from jepa.objectives.ema import EMA, EMAConfig
from jepa.objectives.frozen import Frozen, FrozenConfig
from jepa.objectives.lejepa import LeJEPA, LeJEPAConfig
from jepa.objectives.lewm import LeWM, LeWMConfig
from jepa.objectives.objective import OBJECTIVES, Objective, make_objective, objective_config
from jepa.objectives.pldm import PLDM, PLDMConfig
from jepa.objectives.reconstruction import Reconstruction, ReconstructionConfig
from jepa.objectives.spectral import Spectral, SpectralConfig

__all__ = [
    "EMA",
    "OBJECTIVES",
    "PLDM",
    "Auxiliary",
    "AuxiliaryConfig",
    "EMAConfig",
    "Frozen",
    "FrozenConfig",
    "LeJEPA",
    "LeJEPAConfig",
    "LeWM",
    "LeWMConfig",
    "Objective",
    "PLDMConfig",
    "Reconstruction",
    "ReconstructionConfig",
    "Spectral",
    "SpectralConfig",
    "make_objective",
    "objective_config",
]
