"""Calendar features of a step: where it lies in its day, week, month and year, as far as the frequency can tell."""

from __future__ import annotations

import numpy as np


def names(frequency: str) -> tuple[str, ...]:
    """What ``of`` gives, by a pandas offset alias.

    >>> names("MS"), names("YS")
    (('month',), ())
    """
    head = frequency.split("-")[0].lstrip("0123456789")
    if head in ("h", "min", "s", "T", "H", "S", "bh"):
        return ("hour", "weekday", "month_day", "year_day")
    if head in ("D", "B", "C"):
        return ("weekday", "month_day", "days_to_month_end", "year_day")
    if head in ("W", "SM", "SMS", "SME"):
        return ("month_day", "year_day")
    if head[:1] == "M" or head[:2] == "BM":
        return ("month",)
    return ("month",) if head[:1] == "Q" or head[:2] == "BQ" else ()


def of(ds: np.ndarray, frequency: str) -> np.ndarray:
    """(n, names) float64 for ``ds`` (n,) datetime64; NaN where there is no time."""
    wanted = names(frequency)
    lost = np.isnat(ds)
    safe = np.where(lost, np.datetime64("2000-01-01", "us"), ds.astype("M8[us]"))
    day = safe.astype("M8[D]")
    month, year = day.astype("M8[M]"), day.astype("M8[Y]")
    number = day.astype(np.int64)
    found = {
        "hour": (safe - day).astype("m8[s]").astype(np.int64) / 3600,
        "weekday": (number + 3) % 7,
        "month_day": (day - month).astype(np.int64) + 1,
        "days_to_month_end": ((month + 1).astype("M8[D]") - day).astype(np.int64),
        "year_day": (day - year.astype("M8[D]")).astype(np.int64) + 1,
        "month": month.astype(np.int64) % 12 + 1,
    }
    out = np.column_stack([found[name].astype(np.float64) for name in wanted]) if wanted else np.empty((len(ds), 0))
    out[lost] = np.nan
    return out
