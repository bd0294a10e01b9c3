"""What a planner wrote into a cell: a quantity, a decision, or a word on why it is neither."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time
from typing import Any

from holdgood.connectors.order_sheet.held import implausible
from holdgood.connectors.order_sheet.layout import DECISIONS
from holdgood.core.readings import readings
from holdgood.core.records import OrderLine

_PLAIN = re.compile(r"[+-]?\d+([.]\d+)?")
_MARKED = re.compile(r"[+-]?[\d.,'’\s]*\d[\d.,'’\s]*")
_ERROR = re.compile(r"#[A-Z/0!?_]+[!?]?")


class Unreadable(Exception):
    """Why a cell cannot be taken; the message is for the planner."""


def blank(value: Any) -> bool:
    """Nothing, or nothing but spaces."""
    return value is None or (isinstance(value, str) and not value.strip())


def shown(value: Any) -> str:
    """A cell's content for a message, short."""
    text = "" if value is None else str(value)
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:57] + "…"


def decision_of(value: Any) -> str:
    """One of accept, change, reject; an empty text where nothing was chosen. Unreadable otherwise."""
    if blank(value):
        return ""
    word = str(value).strip().lower()
    if word not in DECISIONS:
        raise Unreadable("choose accept, change or reject")
    return word


def quantity_of(value: Any, line: OrderLine) -> float | None:
    """Units, None for an empty cell. Unreadable with the reason: no number, below zero, beyond what can be meant, no whole packs, outside the
    supplier's bounds.

    >>> from holdgood.core.records import ItemTerms
    >>> quantity_of(" 96 ", OrderLine(id="L1", item="bolt", terms=ItemTerms(pack=48.0)))
    96.0
    """
    if blank(value):
        return None
    units, terms = _number(value), line.terms
    if units < 0:
        raise Unreadable("a quantity is zero or more")
    if units == 0:
        return 0.0
    if units != line.quantity and (why := implausible(line, units)):
        raise Unreadable(why)
    if terms.pack > 0 and abs(units / terms.pack - round(units / terms.pack)) > 1e-6:
        down = math.floor(units / terms.pack) * terms.pack
        raise Unreadable(f"no multiple of the pack of {typed(terms.pack)}: {typed(down)} or {typed(down + terms.pack)}")
    if units < terms.minimum - 1e-9:
        raise Unreadable(f"the smallest order is {typed(terms.minimum)}")
    if terms.maximum is not None and units > terms.maximum + 1e-9:
        raise Unreadable(f"the largest order is {typed(terms.maximum)}")
    return units


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise Unreadable("true or false is no quantity")
    if isinstance(value, (int, float)):
        if not math.isfinite(value):
            raise Unreadable("no finite number")
        return float(value)
    if isinstance(value, (date, datetime, time)):
        raise Unreadable("Excel made a date of it: format the cell as a number")
    text = str(value).strip()
    if text.startswith("="):
        raise Unreadable("a formula that was never worked out: write the number")
    if _ERROR.fullmatch(text):
        raise Unreadable("an error of Excel's")
    found = readings(text)
    if len(found) > 1:
        either = " or ".join(typed(v) for v in found)
        raise Unreadable(f"may be read in two ways: write {either}, without marks between thousands")
    if _PLAIN.fullmatch(text):
        return float(text)
    if _MARKED.fullmatch(text):
        raise Unreadable(
            f"text with marks: write {typed(found[0]) if found else 'the number without marks between thousands'}"
        )
    raise Unreadable("text where a number of units is expected")


def typed(value: float) -> str:
    """A number as it is typed into a cell: no marks between thousands, no power of ten.

    >>> typed(1234560.0), typed(0.5)
    ('1234560', '0.5')
    """
    return f"{value:.0f}" if value == int(value) else f"{value:.10g}"
