"""Seasons found from the data: autocorrelation pooled over all series, so that weekly sales get 52 without being told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.panel import Panel

_SERIES = 400
"""Series looked at; a pooled autocorrelation does not gain from more."""
_CELLS = 2_000_000
_LONGEST = 400
_LEAST = 0.12
"""A season must repeat at least so much of what is left after the slow movement is taken out."""
_AS_GOOD = 0.8
_STRONG = 0.9
_STANDS_OUT = 0.03
"""A longer season must repeat by so much more than the multiples of the shorter one beside it."""
_WHOLE = 3
"""A season counts as the short one where half of the series have so many of it, twice as many for a long one."""
_LONG = 31
_YEAR = {"h": 8736, "D": 364, "B": 260, "W": 52, "M": 12, "Q": 4}
"""Steps of a year in whole weeks where there are weeks."""


@dataclass(frozen=True)
class Seasons:
    """``short``: steps of the season that repeats best (1: none). ``long``: of a longer one beside it (0: none)."""

    short: int
    long: int


def seasons_of(panel: Panel) -> Seasons:
    """What the data show: pooled autocorrelation first, then what is declared, then the year of the calendar.

    A lag is a season where the detrended series agree with themselves more than noise would and than at the lags beside
    it. The shortest that is about as good as the best counts; a longer one is kept where it stands out from its multiples.
    """
    r, pairs = pooled(panel)
    noise = 3.0 / np.sqrt(np.maximum(pairs, 1.0))
    peaks = [lag for lag in range(3, len(r)) if _is_peak(r, lag) and r[lag] > max(_LEAST, noise[lag])]
    declared = [s for s in panel.seasons if 1 < s < len(r) and (r[s] > noise[s] or len(r) < 3)]
    short = next(iter(declared), 0)
    if not short and peaks:
        best = max(peaks, key=lambda lag: float(r[lag]))
        short = min(p for p in peaks if r[p] >= _AS_GOOD * r[best] and (p == best or _multiple(best, p)))
    year = year_of(panel.frequency)
    if year and abs(short - year) <= _near(year):
        short = year  # neighbours of a long season are nearly as good: the calendar decides
    if short > float(np.median(panel.lengths)) / (_WHOLE if short <= _LONG else 2 * _WHOLE):
        return Seasons(1, short)
    if year and short >= year:
        return Seasons(short, 0)
    contrast = {p: _contrast(r, p, short) for p in peaks if short and p > 1.5 * short and r[p] >= _STRONG * r[short]}
    longer = [p for p, above in contrast.items() if above > _STANDS_OUT]
    if longer:
        best = max(longer, key=lambda lag: contrast[lag])
        like = [p for p in longer if contrast[p] >= _AS_GOOD * contrast[best] and (p == best or _multiple(best, p))]
        return Seasons(short, min(like))
    enough = year > 1.5 * max(short, 1) and float(np.quantile(panel.lengths, 0.75)) >= 1.4 * year
    return Seasons(short or 1, year if enough else 0)


def year_of(frequency: str) -> int:
    """Steps of a year by a pandas offset alias; 0 where it is none of hours to quarters.

    >>> year_of("W-FRI"), year_of("MS"), year_of("YS")
    (52, 12, 0)
    """
    head = frequency.split("-")[0]
    head = head if len(head) < 2 or head[0] not in "MQ" else head[0]
    return _YEAR.get(head, 0)


def _contrast(r: np.ndarray, lag: int, short: int) -> float:
    beside = [r[p] for p in (lag - short, lag + short) if 0 < p < len(r)]
    return float(r[lag] - np.mean(beside))


def pooled(panel: Panel) -> tuple[np.ndarray, np.ndarray]:
    """Autocorrelation over all series by lag, (lags + 1,), and the pairs of steps behind each.

    Each series is ranked against its slow movement: a value minus the moving mean around it, in units of its spread.
    """
    lengths = panel.lengths
    if not len(lengths) or lengths.max() < 8:
        return np.zeros(1), np.zeros(1)
    longest = int(min(_LONGEST, np.quantile(lengths, 0.75) // 2))
    rows = np.flatnonzero(lengths >= max(8, longest))
    step = max(1, -(-len(rows) // _SERIES))
    rows = rows[::step]
    keep = int(max(4 * longest, min(lengths.max(), _CELLS // max(1, len(rows)))))
    sums, pairs = np.zeros(longest + 1), np.zeros(longest + 1)
    for row in rows:
        y = panel.y[panel.indptr[row] : panel.indptr[row + 1]][-keep:]
        seen = ~np.isnan(y)
        if seen.sum() < 8:
            continue
        z = np.where(seen, detrended(y, longest), 0.0)
        spread = np.sqrt((z**2).sum() / seen.sum())
        if not spread > 1e-9 * (1e-300 + np.abs(y[seen]).max()):
            continue
        z = np.clip(z / spread, -3.0, 3.0) * seen
        size = 1 << int(2 * len(z) - 1).bit_length()
        lags = min(longest, len(z) - 1) + 1
        sums[:lags] += _correlate(z, size)[:lags]
        pairs[:lags] += _correlate(seen.astype(float), size)[:lags]
    r = sums / np.maximum(pairs, 1.0)
    return (r / r[0] if r[0] > 0 else np.zeros_like(r)), pairs


def detrended(y: np.ndarray, width: int) -> np.ndarray:
    """``y`` minus the mean of the observed values within half a ``width`` on either side."""
    seen = ~np.isnan(y)
    half = max(2, width // 2)
    total = np.concatenate([[0.0], np.cumsum(np.where(seen, y, 0.0))])
    count = np.concatenate([[0], np.cumsum(seen)])
    begin = np.maximum(np.arange(len(y)) - half, 0)
    end = np.minimum(np.arange(len(y)) + half + 1, len(y))
    result: np.ndarray = y - (total[end] - total[begin]) / np.maximum(count[end] - count[begin], 1)
    return result


def _correlate(z: np.ndarray, size: int) -> np.ndarray:
    spectrum = np.fft.rfft(z, size)
    result: np.ndarray = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, size)
    return result


def _near(lag: int) -> int:
    return max(1, lag // 20)


def _is_peak(r: np.ndarray, lag: int) -> bool:
    near = _near(lag)
    around = r[max(1, lag - near) : lag + near + 1]
    inside = lag + near < len(r)  # at the edge nobody knows whether it goes on rising
    return inside and bool(r[lag] >= around.max()) and (lag == 2 or bool(r[lag] > r[max(1, lag // 2) : lag].min()))


def _multiple(longer: int, shorter: int) -> bool:
    """Within a twentieth of a season."""
    times = round(longer / shorter)
    return times >= 2 and abs(longer - times * shorter) <= max(1, shorter // 20)
