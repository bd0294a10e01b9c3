"""Parts of the calendar, the distance to the decision, and days since a fixed day. Stateless; UTC."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from holdgood.features.builders.expressions import NEVER

CALENDAR = (
    "hour",
    "minute of the day",
    "day of the week",
    "day of the month",
    "month",
    "day of the year",
    "week",
    "weekend",
)
OF_THE_DAY = CALENDAR[:2]
"""What a date without a time of day says nothing about."""
HOUR_US = 3_600_000_000
_DAY_US = 24 * HOUR_US
_DAYS_TO_2000 = 10957


def calendar(moments: np.ndarray) -> dict[str, np.ndarray]:
    """All parts of ``CALENDAR`` of int64 microseconds: float64, NaN where missing.

    Monday is 0, January is 1, weeks are those of ISO 8601, weekend is 0 or 1.

    >>> [float(v[0]) for v in calendar(np.array([1_357_021_800_000_000])).values()]  # 2013-01-01 06:30, a Tuesday
    [6.0, 390.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0]
    """
    there = moments != NEVER
    safe = np.where(there, moments, 0)
    days, within = np.divmod(safe, _DAY_US)
    date = days.astype("datetime64[D]")
    year, month = date.astype("datetime64[Y]"), date.astype("datetime64[M]")
    weekday = (days + 3) % 7
    # the ISO week belongs to the year of its Thursday
    thursday = days - weekday + 3
    thursday_year = thursday.astype("datetime64[D]").astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)
    parts = (
        within // HOUR_US,
        within // 60_000_000,
        weekday,
        (date - month.astype("datetime64[D]")).astype(np.int64) + 1,
        month.astype(np.int64) % 12 + 1,
        (date - year.astype("datetime64[D]")).astype(np.int64) + 1,
        (thursday - thursday_year) // 7 + 1,
        (weekday >= 5).astype(np.int64),
    )
    return {name: np.where(there, part.astype(np.float64), np.nan) for name, part in zip(CALENDAR, parts, strict=True)}


def only_dates(column: pa.ChunkedArray) -> bool:
    """Whether every value of a timestamp[us] column is a midnight; False where there is no value.

    >>> import datetime as dt
    >>> day, noon = dt.datetime(2024, 5, 1), dt.datetime(2024, 5, 2, 12)
    >>> [only_dates(pa.chunked_array([pa.array(v, pa.timestamp("us"))])) for v in ([day, None], [day, noon], [])]
    [True, False, False]
    """
    present = column.drop_null()
    return len(present) > 0 and not any(np.any(c.cast(pa.int64()).to_numpy() % _DAY_US) for c in present.chunks)


def hours_between(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Hours from start to end (int64 microseconds): float64, NaN where either is missing."""
    there = (start != NEVER) & (end != NEVER)
    # as floats: the difference of two far-out dates does not fit int64
    hours = (end.astype(np.float64) - start.astype(np.float64)) / HOUR_US
    return np.where(there, hours, np.nan)


def days_since_2000(moments: np.ndarray) -> np.ndarray:
    """Days and parts of a day since 2000-01-01: float64, NaN where missing."""
    return np.where(moments != NEVER, moments.astype(np.float64) / _DAY_US - _DAYS_TO_2000, np.nan)
