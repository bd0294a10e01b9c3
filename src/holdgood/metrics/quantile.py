"""Quantiles and tails of the normal, t and chi-squared distributions."""

from __future__ import annotations

import math
from statistics import NormalDist

_NORMAL = NormalDist()


def normal_quantile(p: float) -> float:
    """The standard normal quantile.

    >>> round(normal_quantile(0.975), 6)
    1.959964
    """
    return _NORMAL.inv_cdf(p)


def t_quantile(p: float, df: float) -> float:
    """Quantile of Student's t with ``df`` degrees of freedom; the normal's above a million."""
    if df > 1e6:
        return normal_quantile(p)
    from scipy.special import stdtrit  # here, because scipy.special costs 0.2 s at import

    return float(stdtrit(df, p))


def t_two_sided(t: float, df: float) -> float:
    """Chance of a Student's t as far from zero as ``t``, either side."""
    if not math.isfinite(t):
        return math.nan if math.isnan(t) else 0.0
    from scipy.special import stdtr  # see t_quantile

    return float(2.0 * stdtr(df, -abs(t)))


def chi2_tail(x: float, df: float) -> float:
    """Chance of a chi-squared with ``df`` degrees of freedom above ``x``."""
    from scipy.special import chdtrc  # see t_quantile

    return float(chdtrc(df, x))
