"""Pure functions of numbers: error, ranking, cost, interval, distance, paired comparison, units of resampling.

Comes in: arrays.
Goes out: floats, intervals and comparisons.
May touch: NumPy and SciPy.
Never: hold state, read files or know a table.
"""

from holdgood.metrics.band import Band, band
from holdgood.metrics.compare import delong, holm, paired
from holdgood.metrics.cost import (
    BreakEven,
    CostTable,
    answers,
    bayes_threshold,
    best_threshold,
    break_even_ratio,
    cost_curve,
    cost_rows,
    resolve,
    threshold_interval,
)
from holdgood.metrics.custom import OwnScore, own_metric, seconds_of, tried
from holdgood.metrics.interval import (
    auc_interval,
    exact_share,
    mean_interval,
    root_mean_interval,
    share_interval,
    weighted,
    wilson,
)
from holdgood.metrics.jackknife import jackknife_gain, jackknife_interval
from holdgood.metrics.score import METRICS, Metric, loss_rows, metric

__all__ = [
    "METRICS",
    "Band",
    "BreakEven",
    "CostTable",
    "Metric",
    "OwnScore",
    "answers",
    "auc_interval",
    "band",
    "bayes_threshold",
    "best_threshold",
    "break_even_ratio",
    "cost_curve",
    "cost_rows",
    "delong",
    "exact_share",
    "holm",
    "jackknife_gain",
    "jackknife_interval",
    "loss_rows",
    "mean_interval",
    "metric",
    "own_metric",
    "paired",
    "resolve",
    "root_mean_interval",
    "seconds_of",
    "share_interval",
    "threshold_interval",
    "tried",
    "weighted",
    "wilson",
]
