"""How numbers are said in verdicts and cards: digits that fit, intervals beside values, counts with their noun."""

from __future__ import annotations

import math

from holdgood.core.records import Comparison, Interval, Money
from holdgood.core.text import percent

NOT_DECLARED = "Nobody has declared this."


def number(value: float) -> str:
    """A number with three significant digits, thousands grouped, and no exponent a reader has to decode.

    >>> number(41234.4), number(0.41237), number(2.5), number(float("nan")), number(0.0)
    ('41,234', '0.412', '2.5', 'unknown', '0')
    """
    if not math.isfinite(value):
        return "unknown"
    if value == 0:
        return "0"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{min(digits, 8)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def interval(given: Interval) -> str:
    """A value with its interval and the rows behind it.

    >>> interval(Interval(value=0.8123, low=0.801, high=0.8236, n=12000))
    '0.812 (95%: 0.801 to 0.824, n=12,000)'
    """
    rows = f", n={given.n:,}" if given.n else ""
    return f"{number(given.value)} ({percent(given.level)}: {number(given.low)} to {number(given.high)}{rows})"


def comparison(given: Comparison) -> str:
    """A paired difference in words.

    >>> comparison(Comparison(first="model", second="prior", difference=.1, low=.05, high=.15, n=200, verdict="better"))
    'model against prior: 0.1 (95%: 0.05 to 0.15, n=200): better'
    """
    unit = f" {given.unit}" if given.unit else ""
    span = f"{percent(given.level)}: {number(given.low)} to {number(given.high)}, n={given.n:,}"
    return f"{given.first} against {given.second}: {number(given.difference)}{unit} ({span}): {given.verdict}"


def money(given: Money) -> str:
    """An amount with its interval; assumed amounts never carry a currency.

    >>> money(Money(amount=Interval(value=41200, low=33900, high=48300), currency="EUR", per="month", assumed=False))
    'EUR 41,200 per month (95%: 33,900 to 48,300)'
    """
    a = given.amount
    span = f"({percent(a.level)}: {number(a.low)} to {number(a.high)})"
    if given.assumed:
        return f"ASSUMED: {number(a.value)} false alarms' worth per {given.per} {span}"
    return f"{given.currency} {number(a.value)} per {given.per} {span}".strip()


def counted(n: int, noun: str) -> str:
    """A count with its noun.

    >>> counted(1, "gate"), counted(3, "gate")
    ('1 gate', '3 gates')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"


def listed(items: tuple[str, ...] | list[str], most: int = 8) -> str:
    """Names in a row, cut where there are many.

    >>> listed(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    shown = list(items[:most])
    rest = len(items) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")
