"""The claims of the paper, and ours about it, each with the judge that reads its verdict off the table."""

from jepa.studies.generalization.claims.bounds import BOUNDS
from jepa.studies.generalization.claims.exact import EXACT
from jepa.studies.generalization.claims.point_mass import POINT_MASS
from jepa.studies.generalization.claims.sampling import SAMPLING

CLAIMS = (*EXACT, *BOUNDS, *SAMPLING, *POINT_MASS)

__all__ = ["CLAIMS"]
