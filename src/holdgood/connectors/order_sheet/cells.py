"""What a planner wrote into a cell: a quantity, a decision, or a word on why it is neither."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time
from typing import Any

from holdgood.connectors.order_sheet.layout import DECISIONS
from holdgood.core.records import ItemTerms

_PLAIN = re.compile(r"[+-]?\d+([.]\d+)?")
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


def quantity_of(value: Any, terms: ItemTerms) -> float | None:
    """Units, None for an empty cell. Unreadable with the reason: no number, below zero, no whole packs, outside the supplier's bounds.

    >>> quantity_of(" 96 ", ItemTerms(pack=48.0))
    96.0
    """
    if blank(value):
        return None
    units = _number(value)
    if units < 0:
        raise Unreadable("a quantity is zero or more")
    if units == 0:
        return 0.0
    if terms.pack > 0 and abs(units / terms.pack - round(units / terms.pack)) > 1e-6:
        down = math.floor(units / terms.pack) * terms.pack
        raise Unreadable(f"no multiple of the pack of {terms.pack:g}: {down:g} or {down + terms.pack:g}")
    if units < terms.minimum - 1e-9:
        raise Unreadable(f"the smallest order is {terms.minimum:g}")
    if terms.maximum is not None and units > terms.maximum + 1e-9:
        raise Unreadable(f"the largest order is {terms.maximum:g}")
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
    if _PLAIN.fullmatch(text):
        return float(text)
    if re.fullmatch(r"[\d.,'\s]+", text):
        raise Unreadable("may be read in two ways: write the number without marks between thousands")
    raise Unreadable("text where a number of units is expected")
