"""Planning in the latent space of a world model by the cross-entropy method."""

from jepa.planning.cross_entropy import CEMConfig, minimise
from jepa.planning.planner import PLANNERS
from jepa.planning.search.latent import LatentSearch, LatentSearchConfig
from jepa.planning.search.task import Found, SearchTask


class LatentCEMConfig(CEMConfig, LatentSearchConfig):
    """The cross-entropy method's sizes, and those of a search in latents."""

    keep_plan: bool = False
    """whether a look starts from what is left of the plan of the look before; the paper's starts from the centre"""


@PLANNERS.register("cem")
class LatentCEM(LatentSearch):
    """LeWorldModel's planner: the cross-entropy method over what the model imagines (arXiv:2603.19312, App. D).

    Its sizes are the paper's. What is ours: the unit of `init_std` is half the action range, candidates are clipped to
    the action space, and each iteration's mean competes as a candidate.
    """

    Config = LatentCEMConfig

    def search(self, task: SearchTask) -> Found:
        """Returns the means after the last iteration."""
        horizon, *action_block_shape = task.shape
        config = self.config.model_copy(update={"horizon": horizon})
        low, high, carried_out = task.space.low, task.space.high, task.space.carried_out
        shape = (action_block_shape[0], action_block_shape[1])
        return Found(minimise(task.cost, task.seeds, shape, low, high, config, carried_out, task.first_PHKA))
