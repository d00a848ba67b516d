"""Head jobs: small networks for planners and costs, fitted on the frozen latents of a model."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from pipelines.heads.config import FitHeadsConfig
    from pipelines.heads.job import HeadsFitted, fit_heads
    from pipelines.heads.plan import HeadsPlan, plan_heads
    from pipelines.heads.unit import HeadUnit, do_head

__all__ = ["FitHeadsConfig", "HeadUnit", "HeadsFitted", "HeadsPlan", "do_head", "fit_heads", "plan_heads"]

offer_lazily(__name__)
