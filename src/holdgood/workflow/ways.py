"""How a number or a day is written: what stands around it, its signs between thousands and before decimals, the order of a date.

A text that is read as a number or a day and says nothing else is no error where its column is written so. It is one where the
column is written otherwise: the sign beside some of the numbers, the few dates with the day first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

OWN = 0.8
"""A column has a way of its own where this share of its cells is written so."""
_NUMBER = re.compile(r"[+-]?(?:\d[\d.,'\u00a0\u202f ]*\d|\d)\.?(?:[eE][+-]?\d+)?|[+-]?\.\d+")
_DIGITS = re.compile(r"\d+")
_LETTERS = re.compile(r"[^\W\d_]+")
_BLANK = re.compile(r"[\s\u00a0\u202f']")

Way = tuple[str, str, str]
"""What stands around the number; the sign between thousands; the sign before decimals. Of a date: its shape, its order, "".
An empty text in the second and third place says nothing: 7 is written in every way.
"""


def odd(was: Sequence[str | None], becomes: Sequence[object]) -> list[bool | None]:
    """For each cell of a column whose texts were read as numbers or moments whether it is written otherwise than its column.

    None where the value is not the one that is written there, or there is none: that is for others to judge.
    """
    read: dict[tuple[str, object], Way | None] = {}
    pairs = [(w, b) if w is not None and b is not None else None for w, b in zip(was, becomes, strict=True)]
    for pair in pairs:
        if pair is not None and pair not in read:
            read[pair] = way(*pair)
    ways = [None if p is None else read[p] for p in pairs]
    count = Counter(w for w in ways if w is not None)
    out: dict[Way, bool] = dict.fromkeys(count, False)
    for part in range(3):
        seen: Counter[str] = Counter()
        for w, n in count.items():
            if part == 0 or w[part]:
                seen[w[part]] += n
        if not seen:
            continue
        usual, most = max(seen.items(), key=lambda p: (p[1], p[0]))
        dated = any(isinstance(b, datetime) for b in becomes if b is not None)
        own = dated or most >= OWN * sum(seen.values())
        for w in out:
            says = part == 0 or w[part] != ""
            # without a way of its own, a bare number is right and one with something beside it is not
            out[w] |= says and (w[part] != usual if own else part == 0 and w[0] != "")
    return [None if w is None else out[w] for w in ways]


def way(text: str, value: object) -> Way | None:
    """How a text says a value; None where it says another.

    >>> way("$1,234.50", 1234.5), way("98 %", 98.0), way("1,5", 1.5), way("12", 120.0)
    (('$', ',', '.'), ('%', '', ''), ('', '', ','), None)
    """
    if isinstance(value, datetime):
        return _shape_of_date(text, value)
    found = _NUMBER.search(text)
    if found is None or isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    around = _BLANK.sub(" ", f"{text[: found.start()].strip()}{text[found.end() :].strip()}").strip()
    number = found.group().strip()
    for decimal, between in ((".", ","), (",", ".")):
        bare = _BLANK.sub("", number.replace(between, "")).replace(decimal, ".")
        if _same(bare, value):
            large = abs(value) >= 1000
            sign = next((s for s in (between, " ", "'", "\u00a0", "\u202f") if s in number.lstrip("+-")), "none")
            return around, sign if large else "", decimal if decimal in number.rstrip(".") else ""
    return None


def _same(text: str, value: float) -> bool:
    try:
        return float(text) == float(value)
    except ValueError:
        return False


def _shape_of_date(text: str, value: datetime) -> Way:
    """Names of months as a, years of four digits as Y; which of day and month comes first, where the text tells."""
    numbers = _DIGITS.findall(text)
    shape = _DIGITS.sub(lambda m: "Y" if len(m.group()) > 2 else "9", _LETTERS.sub("a", text.strip()))
    first = [int(x) for x in numbers if len(x) <= 2][:2]
    if len(first) < 2 or shape.startswith("Y") or "a" in shape.partition(" ")[0] or value.day == value.month:
        return shape, "", ""
    return shape, "month" if first == [value.month, value.day] else "day", ""
