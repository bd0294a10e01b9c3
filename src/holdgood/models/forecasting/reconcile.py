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
    one-step or backtest errors, NaN where there is none. nonnegative: series below zero are set to zero and added up again.
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
    with np.errstate(invalid="ignore", divide="ignore"):
        variances = np.nanmean(np.where(np.isfinite(errors), errors, np.nan) ** 2, axis=1)
    usual = np.nanmedian(variances[variances > 0]) if (variances > 0).any() else 1.0
    variances = np.where(variances > 1e-8 * usual, variances, 1e-8 * usual)
    variances = np.where(np.isfinite(variances), variances, usual)
    if weights == "variance" or len(hierarchy) > LARGEST_COVARIANCE:
        return variances
    return shrunk(errors, variances)


def shrunk(errors: np.ndarray, variances: np.ndarray) -> np.ndarray:
    """Covariance (nodes, nodes) of errors (nodes, origins) about zero, correlations shrunk towards none.

    The strength is Schäfer and Strimmer's: the sampling variance of the correlations over their squares. Origins with a
    missing error are left out; with fewer than three left, no correlation is believed.
    """
    whole = errors[:, np.isfinite(errors).all(axis=0)]
    count = whole.shape[1]
    scale = np.sqrt(variances)
    if count < 3:
        return np.diag(variances)
    z = whole / scale[:, None]
    moments = z @ z.T / count
    # variance of each mean product: (mean of squares - square of mean) / (count - 1)
    noise = ((z**2) @ (z**2).T / count - moments**2) / (count - 1)
    off = ~np.eye(len(z), dtype=bool)
    squares = float((moments[off] ** 2).sum())
    strength = min(1.0, max(0.0, float(noise[off].sum()) / squares)) if squares > 0 else 1.0
    correlations = (1 - strength) * moments
    np.fill_diagonal(correlations, 1.0)
    covariance: np.ndarray = correlations * np.outer(scale, scale)
    return covariance
