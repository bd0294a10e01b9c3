"""A second clock in the same table: a column with the hour of the day, or another moment a usual distance away.

Where both run alike but for some rows that are off by whole hours, those rows are in another zone. A difference that changes
by one hour for half of the year is daylight-saving time between two honest clocks, and no fault.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from holdgood.audit import columns
from holdgood.audit.profile import profile
from holdgood.audit.timeline import DAY, HOUR, Timeline
from holdgood.core.sql import quote

AGREE = 0.7  # share of rows in which the clocks differ as they do on most rows of their week
SAME = 0.6  # share of the rows off that are off by the same hours
ROWS_OFF = 5
SHARE_OFF = 0.0005
WEEK_ROWS = 10
MOST = 4  # second clocks tried


@dataclass(frozen=True)
class Disagreement:
    """Rows at which the time lies ``hours`` later (negative: earlier) than the other column says on all others.

    ``where``: an SQL condition for such rows (empty: none that holds for them alone).
    """

    column: str
    hours: float
    rows: np.ndarray
    agree: float
    where: str


def disagreements(line: Timeline) -> Disagreement | None:
    """The second clock that shows most rows to be in another zone; None where there is none, or all agree."""
    if line.months or not line.there.any():
        return None
    best: Disagreement | None = None
    for name, hours in _second_clocks(line):
        found = _compare(line, name, hours)
        if found is not None and (best is None or len(found.rows) > len(best.rows)):
            best = found
    return best


def _second_clocks(line: Timeline) -> list[tuple[str, np.ndarray]]:
    """Hours that the time lies after another column's, modulo a day for an hour of the day; NaN where unknown."""
    out: list[tuple[str, np.ndarray]] = []
    table = line.table
    hour_of = (line.at % DAY) / HOUR
    hourly = _hourly(line)
    for c in profile(table).columns:
        if c.name in line.columns or len(out) >= MOST:
            continue
        if pa.types.is_integer(table.data.schema.field(c.name).type) and c.low >= 0 and c.distinct >= 12:
            values = None
            if c.high <= 24 and c.distinct <= 25:
                values = columns.numbers(table, c.name)
            elif 1000 <= c.high <= 2400:
                raw = columns.numbers(table, c.name)
                known = raw[~np.isnan(raw)]
                if (known % 100 < 60).mean() > 0.999:
                    values = raw // 100 + (0 if hourly else raw % 100 / 60)
            if values is not None:
                out.append((c.name, np.where(line.there, (hour_of - values) % 24, np.nan)))
        elif columns.is_moment(table, c.name) and c.missing < 0.5 * c.rows:
            at, there = columns.moments(table, c.name)
            with np.errstate(invalid="ignore"):
                out.append((c.name, np.where(there & line.there, (line.at - at) / HOUR, np.nan)))
    return out


def _compare(line: Timeline, name: str, hours: np.ndarray) -> Disagreement | None:
    rows = np.flatnonzero(~np.isnan(hours))
    if len(rows) < 50:
        return None
    # whole minutes, so that a column of hours and minutes and one of moments compare alike; hours alone lose the minutes
    gap = np.round(hours[rows] * 60).astype(np.int64)
    if len(np.unique(gap)) > 0.2 * len(gap):
        return None
    if (gap % 60 != 0).mean() > 0.3:
        gap = gap // 60 * 60
    week = (line.at[rows] // DAY + 4) // 7
    week -= week.min()
    usual, share, seen = _modes(week, gap)
    fits = gap == usual[week]
    agree = float(fits.mean())
    whole = np.unique(usual[seen >= WEEK_ROWS], return_counts=True) if (seen >= WEEK_ROWS).any() else None
    if whole is None or float((share * seen).sum() / seen.sum()) < AGREE:
        return None
    main = int(whole[0][np.argmax(whole[1])])
    known = usual[seen >= WEEK_ROWS]
    summer = max((main - 60, main + 60), key=lambda v: int((known == v).sum()))  # half a year one hour apart is honest
    base = np.where(np.isin(usual, [main, summer]) & (seen > 0), usual, main)
    padded = np.r_[base[:1], base, base[-1:]]  # the clocks change within a week: the week before and after are as good
    off = (gap != base[week]) & (gap != padded[week]) & (gap != padded[week + 2])
    moved = (gap - base[week])[off]
    if not columns.is_moment(line.table, name):
        moved = (moved + 720) % 1440 - 720
    values, counts = np.unique(moved, return_counts=True)
    if len(values) == 0:
        return None
    top = int(values[np.argmax(counts)])
    hit = rows[off][moved == top]
    few = max(ROWS_OFF, SHARE_OFF * len(rows))
    if top % 60 or not 60 <= abs(top) <= 14 * 60 or len(hit) < few or len(hit) < SAME * off.sum() or agree < 0.5:
        return None
    bases = sorted({main, summer} if (known == summer).any() else {main})
    return Disagreement(name, top / 60, hit, agree, _where(line, name, bases, top))


def _high(line: Timeline, name: str) -> float:
    return next(c.high for c in profile(line.table).columns if c.name == name)


def _hourly(line: Timeline) -> bool:
    return bool((line.at[line.there] % HOUR == 0).mean() > 0.99)


def _where(line: Timeline, name: str, bases: list[int], top: int) -> str:
    """The condition that the clocks differ by the wrong hours; it no longer holds once they have been set right."""
    table = line.table
    if len(line.columns) != 1 or not columns.is_moment(table, line.columns[0]):
        return ""
    time, other = quote(line.columns[0]), quote(name)
    if columns.is_moment(table, name):
        wrong = sorted({b + top for b in bases} - set(bases))
        return f"date_diff('minute', {other}, {time}) IN ({', '.join(map(str, wrong))})" if wrong else ""
    hours = f"{other} // 100" if _high(line, name) > 24 else other
    right = {b // 60 % 24 for b in bases}
    wrong = sorted({(b + top) // 60 % 24 for b in bases} - right)
    return f"(hour({time}) - {hours} + 24) % 24 IN ({', '.join(map(str, wrong))})" if wrong and _hourly(line) else ""


def _modes(week: np.ndarray, gap: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """By week: the most common difference, its share, and the number of rows."""
    n = int(week.max()) + 1
    order = np.lexsort((gap, week))
    w, v = week[order], gap[order]
    new = np.r_[True, (w[1:] != w[:-1]) | (v[1:] != v[:-1])]
    start = np.flatnonzero(new)
    counts = np.diff(np.r_[start, len(w)])
    best = np.lexsort((v[start], -counts, w[start]))
    first = np.r_[True, w[start][best][1:] != w[start][best][:-1]]
    at = best[first]
    usual, share = np.zeros(n, dtype=np.int64), np.zeros(n)
    seen = np.bincount(week, minlength=n)
    usual[w[start][at]] = v[start][at]
    share[w[start][at]] = counts[at] / seen[w[start][at]]
    return usual, share, seen
