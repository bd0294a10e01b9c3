"""From declared working days to what an order of now decides: its lead time, the wait for the next order, and whether any is taken now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from holdgood.core.declaration import OrdersSpec
from holdgood.core.declared_calendar import WEEK, CalendarSpec
from holdgood.core.errors import DeclarationError, did_you_mean
from holdgood.decisions.inventory.working_days import order_windows
from holdgood.features.panels.grid import Grid
from holdgood.features.panels.holidays import holidays_between, step_days

AHEAD = 130
"""Steps behind the horizon and the lead time that a calendar is looked at, for the order that follows."""


@dataclass(frozen=True, eq=False)
class Clock:
    """Where steps lie: ``now`` (m,) the number of each item's last step of history, on ``grid``; ``zone`` whose days count."""

    grid: Grid
    now: np.ndarray
    zone: str | None = None


@dataclass(frozen=True, eq=False)
class Chances:
    """Every chance of m items to order, (m, k): ``ahead`` steps from now on, ``last`` the step (0: the next one) that its order must last to; -1
    beyond the last of them.
    """

    ahead: np.ndarray
    last: np.ndarray

    def take(self, rows: np.ndarray) -> Chances:
        """Those of some items."""
        return Chances(self.ahead[rows], self.last[rows])


@dataclass(frozen=True, eq=False)
class Timing:
    """Of m items: ``lead`` and ``review`` (m,) in steps, ``closed`` (m,): why no order is taken now, else ""; ``barred`` (m,): why none can be
    planned, else "".
    """

    lead: np.ndarray
    review: np.ndarray
    closed: np.ndarray
    barred: np.ndarray
    chances: Chances


def plain(lead: np.ndarray, review: int, steps: int) -> Timing:
    """An order every ``review`` steps."""
    n = len(lead)
    ahead = np.broadcast_to(np.arange(0, max(steps, 1), review), (n, -(-max(steps, 1) // review))).astype(np.int64)
    nothing = np.full(n, "", dtype=object)
    last = lead.astype(np.int64)[:, None] + ahead + review - 1
    return Timing(lead, np.full(n, review, np.int64), nothing, nothing.copy(), Chances(ahead, last))


def timing(
    spec: OrdersSpec, supplier: np.ndarray, lead: np.ndarray, varies: np.ndarray, clock: Clock, steps: int
) -> Timing:
    """What the calendars make of lead times (m,) in working steps. ``varies`` (m,) bool: drawn from what was seen, days without work in them, so
    that the calendar says only when orders are placed.

    DeclarationError for a calendar of a supplier that the state does not name.
    """
    if spec.calendar is None and not spec.calendars:
        return plain(lead, spec.review, steps)
    n, names = len(lead), supplier.astype(str)
    for name in spec.calendars:
        if name not in names:
            known = sorted({s for s in names.tolist() if s})
            raise DeclarationError(
                f"orders.calendars names the supplier {name!r}",
                f"one of the state's column {spec.supplier!r}: {', '.join(map(repr, known[:12])) or 'it names none'}",
                did_you_mean(name, known) or "correct it, or take it out",
            )
    out = plain(lead, 1, steps)
    found: dict[tuple[str, int, int, bool], np.ndarray] = {}
    for i in range(n):
        key = (names[i] if names[i] in spec.calendars else "", int(lead[i]), int(clock.now[i]), bool(varies[i]))
        found.setdefault(key, np.zeros(n, bool))[i] = True
    widest = steps + 1
    ahead, last = np.full((n, widest), -1, np.int64), np.full((n, widest), -1, np.int64)
    for (name, wait, now, drawn), mine in found.items():
        calendar = spec.calendars.get(name, spec.calendar)
        if calendar is None:
            continue
        one = _of(calendar, wait, now, drawn, clock, steps)
        rows = np.flatnonzero(mine)
        out.lead[rows], out.review[rows], out.closed[rows], out.barred[rows] = (
            one.lead,
            one.review,
            one.closed,
            one.barred,
        )
        ahead[rows, : one.chances.ahead.shape[1]], last[rows, : one.chances.last.shape[1]] = (
            one.chances.ahead,
            one.chances.last,
        )
    ruled = np.array([spec.calendars.get(s, spec.calendar) is not None for s in names.tolist()])
    ahead[~ruled, :steps], last[~ruled, :steps] = out.chances.ahead[~ruled], out.chances.last[~ruled]
    return Timing(out.lead, out.review, out.closed, out.barred, Chances(ahead, last))


def _of(calendar: CalendarSpec, lead: int, now: int, drawn: bool, clock: Clock, steps: int) -> Timing:
    """For one item."""
    numbers = now + np.arange(steps + lead + AHEAD)
    orders, delivers, works = open_steps(calendar, numbers, clock)
    every = np.ones(len(numbers), bool)
    found = order_windows(orders, every if drawn else delivers, every if drawn else works, lead)
    text, one = np.full(1, "", dtype=object), np.ones(1, np.int64)
    if not len(found.placed):
        why = "by its calendar no further order is delivered within the steps that can be looked at: declare more days under [orders.calendar]"
        return Timing(
            one * lead, one, text, np.array([why], dtype=object), Chances(one[:, None] * -1, one[:, None] * -1)
        )
    closed = ""
    if not orders[0]:
        following = np.flatnonzero(orders)
        at = clock.grid.stamps(numbers[[0, int(following[0])]] + (calendar.placed == "morning")).astype("M8[D]")
        closed = f"no order is taken on {at[0]}; the next chance is {at[1]}"
    kept = found.placed < steps + (1 if orders[0] else 0)
    kept[0] &= bool(orders[0])
    chances = Chances(found.placed[kept][None, : steps + 1], found.after[kept][None, : steps + 1] - 2)
    return Timing(
        one * (found.first[0] - 1),
        one * (found.after[0] - found.first[0]),
        np.array([closed], dtype=object),
        text,
        chances,
    )


def open_steps(calendar: CalendarSpec, numbers: np.ndarray, clock: Clock) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(steps,) bool each: steps, by consecutive number, that take orders, deliver, count for the lead time."""
    begin, finish = step_days(np.append(numbers, numbers[-1] + 1), clock.grid, clock.zone)
    finish = np.maximum(finish, begin + 1)
    days = np.arange(begin[0], finish[-1])
    off = np.isin(days, _numbers(calendar.closed))
    holiday = off if calendar.holidays is None else off | np.isin(days, _country(calendar.holidays, days))

    def some(listed: list[str | date]) -> np.ndarray:
        dates = np.isin(days, _numbers([d for d in listed if isinstance(d, date)]))
        weekly = [WEEK.index(d) for d in listed if isinstance(d, str)]
        usual = np.isin((days + 3) % 7, weekly) if listed else np.ones(len(days), bool)
        open_ = np.concatenate([[0], np.cumsum((usual & ~holiday) | (dates & ~off))])
        return np.asarray(open_[finish - begin[0]] > open_[begin - begin[0]])

    placed = some(calendar.orders)
    shift = 1 if calendar.placed == "morning" else 0
    return placed[shift : shift + len(numbers)], some(calendar.delivers)[:-1], some(calendar.works)[:-1]


def _country(country: str, days: np.ndarray) -> np.ndarray:
    try:
        return holidays_between(country, days)
    except DeclarationError as error:
        raise DeclarationError(error.came, error.expected, "correct holidays under [orders.calendar]") from error


def _numbers(dates: list[date]) -> np.ndarray:
    return np.array(dates, "M8[D]").astype(np.int64)
