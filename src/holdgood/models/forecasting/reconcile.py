"""Coherent forecasts: every node's forecast the sum of its members', points and paths alike.

Bottom-up adds the series' own. MinT (Wickramasuriya, Athanasopoulos and Hyndman 2019) moves all nodes' base forecasts by the
least that makes them add up, measured by the covariance of their errors. Both are linear, so a joint path of all nodes stays
joint (Panagiotelis, Gamakumara, Athanasopoulos and Hyndman 2023).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import splu

from holdgood.core.errors import DataError
from holdgood.models.forecasting.hierarchy import Hierarchy

Weights: TypeAlias = Literal["structure", "variance", "shrunk"]
LARGEST_COVARIANCE = 3000
"""Nodes up to which a full covariance of errors is held (72 MB); above it, only the variances count."""


def bottom_up(hierarchy: Hierarchy, base: np.ndarray) -> np.ndarray:
    """Base forecasts or paths (nodes, …) replaced by the sums of those of the series."""
    return hierarchy.added(base[hierarchy.sums.shape[0] :])


def mint(
    hierarchy: Hierarchy,
    base: np.ndarray,
    weights: Weights,
    errors: np.ndarray | None = None,
    *,
    nonnegative: bool = False,
) -> np.ndarray:
    """Base forecasts or paths (nodes, …) moved by the least that makes them add up.

    weights: ``structure`` (an error's variance is the number of members), ``variance`` (of ``errors``), or ``shrunk``
    (their whole covariance, its correlations shrunk towards none after Schäfer and Strimmer 2005). errors: (nodes, origins)
    one-step or backtest errors, NaN where there is none: a series without any counts as a usual one, a sum as its members
    together. nonnegative: series below zero are set to zero and added up again.
    DataError where errors are asked for and absent, or base forecasts are not finite.
    """
    if not np.isfinite(base).all():
        raise DataError(
            "base forecasts that are missing or infinite", "a forecast a node", "use the fallback for those"
        )
    if weights != "structure" and (errors is None or errors.shape[0] != len(hierarchy)):
        raise DataError(
            f"weights {weights!r} without an error a node",
            "errors (nodes, origins)",
            "give backtest errors or use 'structure'",
        )
    sums = hierarchy.sums
    above = sums.shape[0]
    # constraints C y = 0 with C = [I, -sums]; the solution is y - W C' (C W C')^-1 C y
    constraints = sparse.hstack([sparse.identity(above), -sums]).tocsr()
    flat = base.reshape(len(base), -1)
    spread = _spread(hierarchy, weights, errors)
    gap = constraints @ flat
    if isinstance(spread, np.ndarray) and spread.ndim == 2:
        turned = constraints @ spread
        moved = flat - turned.T @ np.linalg.solve(constraints @ turned.T, gap)
    else:
        scaled = constraints @ sparse.diags(spread)
        moved = flat - scaled.T @ splu((scaled @ constraints.T).tocsc()).solve(gap)
    bottom = moved[above:].reshape(-1, *base.shape[1:])
    # added up once more, so that sums hold to the last bit of rounding
    return hierarchy.added(np.maximum(bottom, 0.0) if nonnegative else bottom)


def _spread(hierarchy: Hierarchy, weights: Weights, errors: np.ndarray | None) -> np.ndarray:
    """Variances (nodes,), or a covariance (nodes, nodes)."""
    if weights == "structure" or errors is None:
        return np.asarray(hierarchy.added(np.ones(hierarchy.sums.shape[1])))
    there, above = np.isfinite(errors), hierarchy.sums.shape[0]
    count = there.sum(axis=1)
    variances = (np.where(there, errors, 0.0) ** 2).sum(axis=1) / np.maximum(count, 1)
    known = variances[above:][(count[above:] > 0) & (variances[above:] > 0)]
    usual = float(np.median(known)) if len(known) else 1.0
    bottom = np.where(count[above:] > 0, np.maximum(variances[above:], 1e-8 * usual), usual)
    sums = np.where(count[:above] > 0, np.maximum(variances[:above], 1e-8 * usual), hierarchy.sums @ bottom)
    variances = np.concatenate([sums, bottom])
    if weights == "variance" or len(hierarchy) > LARGEST_COVARIANCE:
        return variances
    return shrunk(errors, variances)


def shrunk(errors: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Covariance (nodes, nodes) of errors (nodes, origins) about zero, correlations shrunk towards none.

    A missing error takes part in no correlation, which is so much weaker. With fewer than three origins none is believed.
    """
    z, strength = standardised(errors, variances)
    if strength >= 1.0:
        return np.diag(variances)
    correlations = (1 - strength) * (z @ z.T) / z.shape[1]
    np.fill_diagonal(correlations, 1.0)
    scale = np.sqrt(variances)
    covariance: np.ndarray = correlations * np.outer(scale, scale)
    return covariance


def standardised(errors: np.ndarray, variances: np.ndarray) -> tuple[np.ndarray, float]:
    """Errors over their standard deviations (nodes, origins), zero where missing, and how far correlations are shrunk, in [0, 1].

    The strength is Schäfer and Strimmer's: the sampling variance of the correlations over their squares, from sums over
    origins, so that no (nodes, nodes) is held.
    """
    there = np.isfinite(errors)
    seen = there.any(axis=0)
    z = (np.where(there, errors, 0.0) / np.sqrt(variances)[:, None])[:, seen]
    count = z.shape[1]
    if count < 3:
        return z, 1.0
    gram, power = z.T @ z, z**2
    own = power.sum(axis=1) / count
    squares = float((gram**2).sum()) / count**2 - float((own**2).sum())
    # variance of each mean product: (mean of squares - square of mean) / (count - 1), summed over pairs
    fourth = float((power.sum(axis=0) ** 2).sum() - (power**2).sum()) / count
    noise = (fourth - squares) / (count - 1)
    return z, min(1.0, max(0.0, noise / squares)) if squares > 0 else 1.0
