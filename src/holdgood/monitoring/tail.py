"""Tails of a difference of two means that lean or are heavy: the normal one is not far enough out where alarms are rare."""

from __future__ import annotations

import numpy as np

_STEPS = 60
_NEAR = 1e-9


def log_tail(values: np.ndarray, n: int, shift: float) -> float:
    """Log of twice the tail beyond ``shift``, the mean of the last m less that of the first ``n`` of ``values`` (n + m,), centred, when sides are drawn anew.

    Saddlepoint (Lugannani & Rice 1980, as Barndorff-Nielsen's r*) with the cumulants of all rows together: skewness and what is heavy
    are in it, to a relative error that stays small far out, where the normal distribution is wrong by factors.
    """
    from scipy.special import log_ndtr  # here, because scipy.special costs 0.2 s at import

    m = len(values) - n
    spread = float(np.std(values)) * np.sqrt(1.0 / n + 1.0 / m)
    if spread <= 0 or abs(shift) < _NEAR * spread:
        return 0.0
    # No side can lie further out than its largest rows: there the saddlepoint is at infinity.
    low, high = 0.0, 1.0 / spread
    x, v = abs(shift), values if shift > 0 else -values
    while _cumulants(v, n, m, high)[1] < x:
        low, high = high, 2.0 * high
        if high > 1e6 / spread:
            return float(np.log(2.0) + log_ndtr(-x / spread))
    for _ in range(_STEPS):
        t = 0.5 * (low + high)
        low, high = (t, high) if _cumulants(v, n, m, t)[1] < x else (low, t)
        if high - low < 1e-7 * high:
            break
    level, _, curve = _cumulants(v, n, m, high)
    w, u = np.sqrt(max(0.0, 2.0 * (high * x - level))), high * np.sqrt(curve)
    if w < 1e-3 or u <= 0:
        return float(min(0.0, np.log(2.0) + log_ndtr(-x / spread)))
    return float(min(0.0, np.log(2.0) + log_ndtr(-(w + np.log(u / w) / w))))


def _cumulants(values: np.ndarray, n: int, m: int, t: float) -> tuple[float, float, float]:
    """The cumulant generating function of the difference at ``t`` with its first two derivatives."""
    told = [0.0, 0.0, 0.0]
    for side, rows in ((1.0, m), (-1.0, n)):
        s = side * t / rows
        top = float(np.max(s * values))
        weight = np.exp(s * values - top)
        total = float(weight.sum())
        mean = float(weight @ values) / total
        # about its mean: as a difference of squares it comes out negative where all the weight lies on equal rows
        square = float(weight @ np.square(values - mean)) / total
        told[0] += rows * (top + np.log(total / len(values)))
        told[1] += side * mean
        told[2] += square / rows
    return told[0], told[1], told[2]
