"""A number as people type it, and the numbers that it may stand for: a mark is a decimal point here and between thousands there."""

from __future__ import annotations

import re
from collections.abc import Iterable

_GROUPED = re.compile(r"[1-9]\d{0,2}(?:([.,'’\s])\d{3})(?:\1\d{3})*")
_DECIMAL = re.compile(r"\d+[.,]\d+")
_BOTH = re.compile(r"[1-9]\d{0,2}(?:([.,'’\s])\d{3})(?:\1\d{3})*([.,])\d+")
_PLAIN = re.compile(r"\d+")
_POINT = re.compile(r"[+-]?\d+[.]\d+")


def readings(text: str) -> tuple[float, ...]:
    """The numbers that a text may stand for, each once; none for what is no number. Digits before one mark and three after it are two.

    >>> readings("40.000"), readings("1,5"), readings("1.200.000"), readings("0.125"), readings("1.200,5"), readings("ten")
    ((40.0, 40000.0), (1.5,), (1200000.0,), (0.125,), (1200.5,), ())
    """
    text = text.strip()
    sign = -1.0 if text.startswith("-") else 1.0
    digits = text[1:] if text[:1] in ("-", "+") else text
    found: list[float] = []
    if _PLAIN.fullmatch(digits) or _DECIMAL.fullmatch(digits):
        found.append(float(digits.replace(",", ".")))
    if _GROUPED.fullmatch(digits):
        found.append(float("".join(c for c in digits if c.isdigit())))
    if (both := _BOTH.fullmatch(digits)) and both[1] != both[2]:
        whole, _, part = digits.rpartition(both[2])
        found.append(float("".join(c for c in whole if c.isdigit()) + "." + part))
    return tuple(dict.fromkeys(sign * v for v in found))


def points_are_decimal(texts: Iterable[str | None]) -> bool:
    """Whether one of the cells of a column can only be read with a decimal point: then all of its points are.

    >>> points_are_decimal(["40.000", "2.5"]), points_are_decimal(["40.000", "7", None])
    (True, False)
    """
    return any(t and _POINT.fullmatch(t.strip()) and not ambiguous(t) for t in texts)


def ambiguous(text: str) -> bool:
    """Whether a text may stand for two numbers.

    >>> ambiguous("40.000"), ambiguous("40.00"), ambiguous("1234.567")
    (True, False, False)
    """
    return len(readings(text)) > 1
