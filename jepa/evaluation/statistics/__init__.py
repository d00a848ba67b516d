"""Intervals for what an evaluation counts and averages, and tests of whether two of them differ.

| file | subject |
|---|---|
| `estimates` | a value with its interval; resamples of groups, and the percentile interval |
| `rates`, `means`, `ranks` | Wilson's interval, bootstrap-t means, Spearman's correlation |
| `auroc` | the area under the ROC curve of twins |
| `regression` | R², r and mean squared error over groups |
| `jackknife` | figures that are no mean of groups |
| `paired` | two models on the same problems: difference, exact McNemar, probability of improvement |
| `unpaired` | two figures of other samples: difference, Fisher's and Welch's tests |
| `seeds` | the interquartile mean over training seeds |
| `variance` | scatter split into training seed, planner's stream and problem |
| `multiple` | Holm's correction |

Shapes: G groups (episodes; the unit that is resampled), R resamples, J blocks of groups, N samples. All intervals are
two-sided at 95 % and contain their value. Everything drawn at random is drawn from the seed given.

A resample holds some groups twice. What is linear in the groups (means, errors) is right on average all the same; what
is not has to be kept from taking the repeats for structure: R² and r keep the means of the whole sample, the AUROC has
its interval in closed form, and a rank, which repeats lower, has a jackknife.
"""

from jepa.evaluation.statistics.auroc import auroc as auroc
from jepa.evaluation.statistics.auroc import auroc_intervals as auroc_intervals
from jepa.evaluation.statistics.auroc import pair_parts as pair_parts
from jepa.evaluation.statistics.auroc import paired_auroc as paired_auroc
from jepa.evaluation.statistics.estimates import RESAMPLES as RESAMPLES
from jepa.evaluation.statistics.estimates import Z_95 as Z_95
from jepa.evaluation.statistics.estimates import Estimate as Estimate
from jepa.evaluation.statistics.estimates import Floats as Floats
from jepa.evaluation.statistics.estimates import Key as Key
from jepa.evaluation.statistics.estimates import bootstrap_weights as bootstrap_weights
from jepa.evaluation.statistics.estimates import percentile_interval as percentile_interval
from jepa.evaluation.statistics.estimates import without_interval as without_interval
from jepa.evaluation.statistics.jackknife import jackknife_blocks as jackknife_blocks
from jepa.evaluation.statistics.jackknife import jackknife_interval as jackknife_interval
from jepa.evaluation.statistics.jackknife import jackknifed as jackknifed
from jepa.evaluation.statistics.means import bootstrap_mean as bootstrap_mean
from jepa.evaluation.statistics.means import mean_intervals as mean_intervals
from jepa.evaluation.statistics.multiple import LEVEL as LEVEL
from jepa.evaluation.statistics.multiple import holm as holm
from jepa.evaluation.statistics.paired import Discordance as Discordance
from jepa.evaluation.statistics.paired import interval_p_value as interval_p_value
from jepa.evaluation.statistics.paired import mcnemar as mcnemar
from jepa.evaluation.statistics.paired import paired_difference as paired_difference
from jepa.evaluation.statistics.paired import paired_rate_difference as paired_rate_difference
from jepa.evaluation.statistics.paired import probability_of_improvement as probability_of_improvement
from jepa.evaluation.statistics.paired import seeds_difference as seeds_difference
from jepa.evaluation.statistics.ranks import rank_correlation as rank_correlation
from jepa.evaluation.statistics.rates import score_interval as score_interval
from jepa.evaluation.statistics.rates import wilson as wilson
from jepa.evaluation.statistics.regression import RegressionFit as RegressionFit
from jepa.evaluation.statistics.regression import RegressionSample as RegressionSample
from jepa.evaluation.statistics.regression import bootstrap_regression as bootstrap_regression
from jepa.evaluation.statistics.regression import group_moments as group_moments
from jepa.evaluation.statistics.regression import regression_fit as regression_fit
from jepa.evaluation.statistics.seeds import interquartile_mean as interquartile_mean
from jepa.evaluation.statistics.unpaired import UnpairedTest as UnpairedTest
from jepa.evaluation.statistics.unpaired import unpaired_difference as unpaired_difference
from jepa.evaluation.statistics.unpaired import unpaired_test as unpaired_test
from jepa.evaluation.statistics.unpaired import welch_test as welch_test
from jepa.evaluation.statistics.variance import VarianceSplit as VarianceSplit
from jepa.evaluation.statistics.variance import variance_split as variance_split
