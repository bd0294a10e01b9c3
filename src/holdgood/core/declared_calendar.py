"""How working days are declared: when a supplier takes orders and delivers, which days count on the way, and when everybody is closed."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field

from holdgood.core.declared_tables import Section

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([a-z]{3})\s*-\s*([a-z]{3})")
_EXPECTED = "weekdays (mon … sun, or mon-fri) or dates (2027-01-31)"


def _days(value: Any) -> list[Any]:
    """Weekdays one by one, and dates.

    >>> _days(["mon-wed", "Friday", "2027-01-31"])
    ['mon', 'tue', 'wed', 'fri', datetime.date(2027, 1, 31)]
    """
    found: list[Any] = []
    for one in [value] if isinstance(value, (str, date)) else value if isinstance(value, (list, tuple)) else [None]:
        if isinstance(one, date):
            found.append(one)
            continue
        text = one.strip().lower() if isinstance(one, str) else ""
        span = _SPAN.fullmatch(text)
        if span is not None and span[1] in WEEK and span[2] in WEEK:
            first, last = WEEK.index(span[1]), WEEK.index(span[2])
            found += [WEEK[k % 7] for k in range(first, last + 1 if last >= first else last + 8)]
        elif text[:3] in WEEK and text in (text[:3], _whole(text[:3])):
            found.append(text[:3])
        else:
            found.append(_date(one, text))
    return found


def _whole(short: str) -> str:
    return {"tue": "tuesday", "wed": "wednesday", "thu": "thursday", "sat": "saturday"}.get(short, short + "day")


def _date(given: Any, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{given!r} is no day: {_EXPECTED}") from None


def _dates(value: Any) -> list[date]:
    found = _days(value)
    for one in found:
        if not isinstance(one, date):
            raise ValueError(
                f"{one!r} comes every week: `closed` takes dates; leave the weekday out of the other lists"
            )
    return found


Days: TypeAlias = Annotated[list[str | date], BeforeValidator(_days)]


class CalendarSpec(Section):
    """Days of work. A step longer than a day takes orders, or delivers, where one of its days does."""

    orders: Days = Field(
        default_factory=list,
        description="days on which orders are placed: weekdays (mon-fri) or dates; default every day",
    )
    delivers: Days = Field(default_factory=list, description="days on which deliveries come; default every day")
    works: Days = Field(default_factory=list, description="days that count for the lead time; default every day")
    holidays: str | None = Field(
        None,
        description="no orders, no deliveries and no work on public holidays of a country: DE, or DE-BY for a part of it; a date "
        "that is listed counts all the same",
    )
    closed: Annotated[list[date], BeforeValidator(_dates)] = Field(
        default_factory=list, description="dates on which nothing is done, whatever the lists say"
    )
    placed: Literal["evening", "morning"] = Field(
        "evening",
        description="`evening`: orders are placed on the last day of the history; `morning`: on the day after it, before anything is sold",
    )
