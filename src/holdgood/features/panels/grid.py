"""Grid: the regular steps of a panel. A moment has a step number, and a step number has its moment."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from holdgood.core.errors import DeclarationError

SECOND, MINUTE, HOUR, DAY = 10**6, 60 * 10**6, 3600 * 10**6, 86_400 * 10**6
"""Microseconds."""
WEEK = 7 * DAY
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_FIXED = {"S": SECOND, "T": MINUTE, "MIN": MINUTE, "H": HOUR, "D": DAY, "W": WEEK}
_CALENDAR = {"M": 1, "Q": 3, "Y": 12, "A": 12}
_ALIAS = re.compile(r"(\d*)\s*([A-Za-z]+?)(?:-([A-Za-z]{3}))?")
_LAST_DAY = 31
# Share of the moments that must agree on a place within the step.
_MOST = 0.4


@dataclass(frozen=True)
class Grid:
    """Steps of one size. ``frequency`` is the pandas alias.

    ``unit`` fixed: ``size`` microseconds, each step begins at ``offset`` past a multiple. months: ``size`` months, ``offset`` is the
    month (of ``size``) that names a step, ``day`` its day (31: the last), ``clock`` the time of day. business: Monday to Friday.
    ``ends``: whole days that are named by the last of them, such as weeks by their Sunday, hold the days before it.
    ``slack``: microseconds by which a stamp may come early and still count for its step.
    """

    frequency: str
    unit: Literal["fixed", "months", "business"]
    size: int = 1
    offset: int = 0
    day: int = 1
    clock: int = 0
    slack: int = 0
    ends: bool = False

    def number(self, moments: np.ndarray) -> np.ndarray:
        """Step numbers of moments (int64 microseconds since 1970); consecutive steps have consecutive numbers."""
        if self.ends:
            return (moments - self.offset // DAY * DAY + self.size - DAY) // self.size
        if self.unit == "fixed":
            return (moments - self.offset + self.slack) // self.size
        if self.unit == "business":
            return np.busday_count("1970-01-01", _days(moments)).astype(np.int64)
        month = _days(moments).astype("M8[M]").astype(np.int64)
        if self.day == _LAST_DAY:
            return -((self.offset - month) // self.size)
        return (month - self.offset) // self.size

    def moment(self, numbers: np.ndarray) -> np.ndarray:
        """The moments (int64 microseconds) that name steps."""
        numbers = np.asarray(numbers, np.int64)
        if self.unit == "fixed":
            return numbers * self.size + self.offset
        if self.unit == "business":
            days = np.busday_offset("1970-01-01", numbers, roll="forward")
            return days.astype("M8[us]").astype(np.int64) + self.clock
        month = (numbers * self.size + self.offset).astype("M8[M]")
        first = month.astype("M8[D]")
        if self.day == _LAST_DAY:
            first = (month + 1).astype("M8[D]") - 1
        else:
            first = first + (self.day - 1)
        return first.astype("M8[us]").astype(np.int64) + self.clock

    def span(self, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where steps begin, and where the next ones do (int64 microseconds). Months: by what names them."""
        if self.ends:
            last = self.moment(numbers) // DAY * DAY
            return last - self.size + DAY, last + DAY
        return self.moment(numbers), self.moment(np.asarray(numbers) + 1)

    def stamps(self, numbers: np.ndarray) -> np.ndarray:
        """The same as datetime64[us]."""
        return self.moment(numbers).astype("M8[us]")

    def off(self, moments: np.ndarray) -> np.ndarray:
        """How far moments lie from the moments that name their steps, in microseconds."""
        return np.asarray(np.abs(moments - self.moment(self.number(moments))))


def named(grid: Grid, week: Literal["start", "end"] | None) -> Grid:
    """The grid with weeks named by their first day or their last. Not said: by the last, as pandas does, but for Mondays.

    A week that ends on a Monday is rare, one that begins with it is the usual one; the rows themselves cannot tell.
    """
    weekly = grid.unit == "fixed" and grid.size % WEEK == 0
    if week is not None and not weekly:
        raise DeclarationError(
            f"week = {week!r} with steps of {grid.frequency}", "steps of weeks", "take it out, or declare the frequency"
        )
    monday = (grid.offset // DAY + 3) % 7 == 0
    return replace(grid, ends=weekly and (not monday if week is None else week == "end"))


def _days(moments: np.ndarray) -> np.ndarray:
    return np.asarray(np.floor_divide(moments, DAY)).astype("M8[D]")


def declared(alias: str, moments: np.ndarray) -> Grid:
    """The grid that a pandas alias names; where in the step it is stamped is read from the data (moments, int64 us).

    >>> import numpy as np
    >>> months = np.array(["2024-01-31", "2024-02-29"], "M8[us]").astype(np.int64)
    >>> grid = declared("ME", months)
    >>> grid.stamps(grid.number(months) + 1).astype("M8[D]").tolist()
    [datetime.date(2024, 2, 29), datetime.date(2024, 3, 31)]
    """
    found = _ALIAS.fullmatch(alias.strip())
    name, count, anchor = (
        ("", 1, "") if found is None else (found[2].upper(), int(found[1] or 1), (found[3] or "").upper())
    )
    if name == "B" and count == 1:
        return Grid("B", "business", clock=_usual(moments % DAY))
    if name in _FIXED and count >= 1 and (not anchor or (name == "W" and anchor in WEEKDAYS)):
        return fixed(_FIXED[name] * count, moments, anchor)
    base, ending = name[:1], name[1:]
    if base in _CALENDAR and ending in ("", "S", "E") and count >= 1 and (not anchor or anchor in _MONTHS):
        return months(_CALENDAR[base] * count, moments, anchor, {"S": True, "E": False}.get(ending))
    raise DeclarationError(
        f"the frequency {alias!r}",
        "one step as a pandas alias: s, min, 15min, h, D, B, W-MON, MS, ME, QS, YS",
        'write for example frequency = "W-MON" under [forecast]',
    )


def fixed(size: int, moments: np.ndarray, anchor: str = "", *, slack: int | None = None) -> Grid:
    """Steps of so many microseconds, beginning where most moments lie (else at round times); weeks are named by their weekday.

    Where rows are stamped at one place of the step, a clock put forward by an hour must not throw a day into the one before:
    they may come early by ``slack``, by default that hour.
    """
    # weeks count from a Monday: 1970-01-01 was a Thursday
    round_time = 4 * DAY if size % WEEK == 0 else 0
    offset = _usual(moments % size, round_time)
    stamped = bool(len(moments)) and float(np.mean(moments % size == offset)) >= _MOST
    if size % WEEK == 0 and anchor:
        weekday = WEEKDAYS.index(anchor)
        offset = ((weekday - 3) % 7) * DAY + _usual(moments % DAY)
    early = slack if slack is not None else min(size // 8, HOUR) if stamped else 0
    count, weekday = size // WEEK, (offset // DAY + 3) % 7
    if size % WEEK == 0:
        name = f"{count if count > 1 else ''}W-{WEEKDAYS[weekday]}"
    else:
        letters, unit = next(((n, u) for n, u in (("D", DAY), ("h", HOUR), ("min", MINUTE), ("s", SECOND)) if size % u == 0), ("us", 1))  # fmt: skip
        name = f"{size // unit if size > unit else ''}{letters}"
    return Grid(name, "fixed", size, offset, slack=early)


def months(size: int, moments: np.ndarray, anchor: str = "", start: bool | None = None) -> Grid:
    """Steps of so many months, named by the day of the month (the first, the last or another) and the month that most have."""
    days = _days(moments)
    month = days.astype("M8[M]")
    if start is None:
        start = not len(days) or float(np.mean((days + 1).astype("M8[M]") != month)) < 0.5
    day = _usual((days - month.astype("M8[D]")).astype(np.int64)) + 1 if start else _LAST_DAY
    offset = _usual(month.astype(np.int64) % size)
    if anchor:
        # QS-FEB: quarters begin in February; YE-MAR: years end with March
        offset = _MONTHS.index(anchor) % size
    letters = {1: "M", 3: "Q", 12: "Y"}.get(size)
    name = f"{letters}{'S' if start else 'E'}" if letters else f"{size}M{'S' if start else 'E'}"
    if letters in ("Q", "Y"):
        # pandas names years and quarters by the month of the year that one of them begins (or ends) with
        name += "-" + _MONTHS[offset if start or size == 12 else (offset % 3) + 9]
    return Grid(name, "months", size, offset, min(day, 28) if start else day, _usual(moments % DAY))


def _usual(values: np.ndarray, otherwise: int = 0) -> int:
    """The value that at least two of five have, the smallest of several; ``otherwise`` where there is none such."""
    if not len(values):
        return otherwise
    levels, counts = np.unique(values, return_counts=True)
    return int(levels[np.argmax(counts)]) if counts.max() >= _MOST * len(values) else otherwise
