"""Pure functions of numbers: error, ranking, cost, interval, distance, paired comparison, units of resampling.

Comes in: arrays.
Goes out: floats, intervals and comparisons.
May touch: NumPy and SciPy.
Never: hold state, read files or know a table.
"""

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
from holdgood.metrics.interval import (
    auc_interval,
    mean_interval,
    root_mean_interval,
    share_interval,
    wilson,
)
from holdgood.metrics.score import METRICS, Metric, loss_rows, metric

__all__ = [
    "METRICS",
    "BreakEven",
    "CostTable",
    "Metric",
    "answers",
    "auc_interval",
    "bayes_threshold",
    "best_threshold",
    "break_even_ratio",
    "cost_curve",
    "cost_rows",
    "delong",
    "holm",
    "loss_rows",
    "mean_interval",
    "metric",
    "paired",
    "resolve",
    "root_mean_interval",
    "share_interval",
    "threshold_interval",
    "wilson",
]
