"""Rules that compare two columns, as contracts infer them of moments: held without a query, which costs more than to compare."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple, cast

_NAME = r'"((?:[^"]|"")+)"'
_ORDER = re.compile(rf"\s*{_NAME}\s*(<=|<|>=|>)\s*{_NAME}\s*")


class Order(NamedTuple):
    """Two columns of one type, number or datetime, and how the first stands to the second."""

    first: str
    sign: Literal["<=", "<", ">=", ">"]
    second: str


def order_in(rule: str, types: Mapping[str, str]) -> Order | None:
    """What a rule compares; None where it is of another kind. ``types``: of the columns, as contracts name them.

    >>> order_in('"asked" <= "due"', {"asked": "datetime", "due": "datetime"})
    Order(first='asked', sign='<=', second='due')
    """
    if rule in types or not (found := _ORDER.fullmatch(rule)):
        return None
    a, b = _named(found[1], types), _named(found[3], types)
    if a is None or b is None or types[a] != types[b] or types[a] not in ("number", "datetime"):
        return None
    return Order(a, cast(Literal["<=", "<", ">=", ">"], found[2]), b)


def _named(quoted: str, types: Mapping[str, str]) -> str | None:
    """The column that a quoted name means; None where letters of two columns differ in case alone, or there is none."""
    name = quoted.replace('""', '"')
    alike = [t for t in types if t.lower() == name.lower()]
    return alike[0] if alike == [name] else None
