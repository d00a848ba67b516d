"""Models held against each other: paired differences, means over seeds, the split of the variance, the leaderboard."""

from typing import TYPE_CHECKING

from jepa.core.registries.lazy import offer_lazily

if TYPE_CHECKING:
    from pipelines.reports.comparison.compare import compare
    from pipelines.reports.comparison.leaderboard import leaderboard, write_leaderboard
    from pipelines.reports.comparison.results import Comparison, Difference, SeedsMean, VarianceTable

__all__ = [
    "Comparison",
    "Difference",
    "SeedsMean",
    "VarianceTable",
    "compare",
    "leaderboard",
    "write_leaderboard",
]

offer_lazily(__name__)
