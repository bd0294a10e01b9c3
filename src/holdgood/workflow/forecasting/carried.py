"""Planners' adjustments carried on: into sums over lead times, and up the levels of a hierarchy. The model's own numbers stay beside."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from scipy import sparse


def into_totals(totals: pa.Table, steps: pa.Table) -> pa.Table:
    """``totals`` (a row a series and lead time) with ``adjusted``: what the steps within each lead time were moved by."""
    leads = np.asarray(totals.column("steps").to_numpy(zero_copy_only=False), np.int64)
    moved, _ = _moved(steps, totals.num_rows // len(np.unique(leads)))
    before = np.concatenate([np.zeros((len(moved), 1)), np.cumsum(moved, axis=1)], axis=1)
    series = np.arange(totals.num_rows) // (totals.num_rows // len(moved))
    return _with(totals, before[series, leads])


def up_levels(levels: pa.Table, steps: pa.Table, sums: sparse.csr_matrix) -> pa.Table:
    """``levels`` (a row a sum and step) with ``adjusted``, and ``adjusted_items``: how many of its series were adjusted at that step.

    ``sums``: (sums, series), ones where a series is a member.
    """
    moved, touched = _moved(steps, sums.shape[1])
    table = _with(levels, (sums @ moved).ravel())
    return table.append_column("adjusted_items", pa.array((sums @ touched).ravel().astype(np.int64)))


def _moved(steps: pa.Table, series: int) -> tuple[np.ndarray, np.ndarray]:
    """By how much each step was moved, and where anybody did, (series, horizon)."""
    forecast, value = (
        np.asarray(steps.column(n).to_numpy(zero_copy_only=False), float) for n in ("forecast", "adjusted")
    )
    touched = np.array([who is not None for who in steps.column("adjusted_by").to_pylist()])
    return np.nan_to_num(value - forecast).reshape(series, -1), touched.reshape(series, -1).astype(float)


def _with(table: pa.Table, more: np.ndarray) -> pa.Table:
    forecast = np.asarray(table.column("forecast").to_numpy(zero_copy_only=False), float)
    return table.append_column("adjusted", pa.array(forecast + more, from_pandas=True))
