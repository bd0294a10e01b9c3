"""Running totals within groups of neighbouring rows: a ufunc accumulated from each group's first row on.

Each total is made by adding one row after the other from the group's own beginning, so that it does not depend, to the
bit, on other groups. A group longer than the square root of the rows is accumulated by itself, all shorter ones together
step by step: never more than about twice the square root of the rows in NumPy calls.
"""

from __future__ import annotations

import numpy as np


def running(op: np.ufunc, values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Accumulate ``op`` (add, minimum, maximum) over ``values`` (rows, columns) within groups.

    ``starts``: the first row of each group, ascending, beginning with 0 (empty where there are no rows).
    """
    out = np.array(values, dtype=np.float64)
    rows = len(out)
    if rows == 0:
        return out
    lengths = np.diff(np.append(starts, rows))
    long = lengths > max(8, int(np.sqrt(rows)))
    for start, length in zip(starts[long].tolist(), lengths[long].tolist(), strict=True):
        op.accumulate(out[start : start + length], axis=0, out=out[start : start + length])
    order = np.argsort(-lengths[~long], kind="stable")
    short, left = starts[~long][order], lengths[~long][order]
    for step in range(1, int(left[0]) if len(left) else 0):
        short = short[: int(np.searchsorted(-left, -step, side="left"))]
        out[short + step] = op(out[short + step - 1], out[short + step])
    return out


def running_back(op: np.ufunc, values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The same from each group's last row back to its first."""
    rows = len(values)
    ends = np.append(starts[1:], rows) if len(starts) else starts
    return running(op, values[::-1], (rows - ends)[::-1])[::-1]
