"""What a cost is: the figure by which a search ranks the futures that a model imagines, under a name.

Shapes: P problems, C candidates, H action blocks, D latent.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from jepa.core.config import Config, parse_options
from jepa.core.registries.registry import Registry
from jepa.planning.planner import PlanningSetting


class PlanCost(ABC):
    """Ranks imagined futures by how well they meet the goal; a problem's costs depend on that problem alone."""

    Config: ClassVar[type[Config]]
    privileged: ClassVar[bool] = False
    """Whether it is made with recorded states, which no camera gives; rows of results say so."""
    heads: ClassVar[tuple[str, ...]] = ()
    """Kinds of heads that it asks for."""

    @abstractmethod
    def __init__(self, config: Any, setting: PlanningSetting) -> None:
        """Builds the cost; `config` is of the class's `Config`."""

    @abstractmethod
    def __call__(self, z_PCHD: Tensor, goal_PD: Tensor, steps_left: int | None) -> Tensor:
        """Returns the costs (P, C) of candidates; smaller is better.

        Args:
            z_PCHD: the latents imagined after each action block.
            goal_PD: the goals' latents.
            steps_left: environment steps in which the goal should be reached, counted from the present; None where
                nothing is said about it.
        """


COSTS: Registry[type[PlanCost]] = Registry(
    "cost",
    {
        "decoded": "jepa.planning.costs.decoded",
        "latent": "jepa.planning.costs.latent",
        "reachable": "jepa.planning.costs.reachable",
        "temporal": "jepa.planning.costs.temporal",
    },
    group="jepa.costs",
)


def complete_cost(given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a cost's name and all of its options, defaults written out, from its name and some options.

    Raises:
        InputError: no cost has that name, or an option does not fit.
    """
    options = dict(given)
    name = str(options.pop("name", "latent"))
    return {"name": name, **parse_options(COSTS.get(name).Config, options, "cost").model_dump(mode="json")}


def make_cost(given: Mapping[str, Any], setting: PlanningSetting) -> PlanCost:
    """Returns the registered cost, built from its name and options; raises as `complete_cost` does."""
    options = dict(given)
    kind = COSTS.get(str(options.pop("name", "latent")))
    return kind(parse_options(kind.Config, options, "cost"), setting)
