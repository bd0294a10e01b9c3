"""Which column names a series, times a row, is forecast: guessed from a frame where nobody says so. Never from names of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from holdgood.core.errors import DeclarationError
from holdgood.core.table import Table
from holdgood.features.panels.moments import moments_of
from holdgood.features.panels.series import series_of

_LONG = ("unique_id", "ds", "y")
_MOST = 6


def guess(
    table: Table, id: Sequence[str] | None, time: str | None, target: str | None, known: Sequence[str]
) -> tuple[list[str], str, str]:
    """Ids, time and target. A frame in the long form of our own (``unique_id, ds, y``) is taken as it is.

    DeclarationError where something cannot be told, naming what to say.
    """
    if set(_LONG) <= set(table.names):
        found_id, found_time, found_target = [_LONG[0]], _LONG[1], _LONG[2]
    else:
        found_id, found_time, found_target = None, "", ""
    time = time or found_time or _time(table)
    target = target or found_target or _target(table, [*(id or []), *known, time])
    if id is None:
        id = found_id if found_id is not None else _ids(table, time, [target, *known])
    return list(id), time, target


def _time(table: Table) -> str:
    found = [c for c in table.of_type("datetime") if table.data.column(c).null_count == 0]
    if not found:
        raise DeclarationError("no column holds times", "a column of dates or times", 'name it: time="COLUMN"')
    return found[0]


def _target(table: Table, taken: Sequence[str]) -> str:
    numbers = [c for c in table.of_type("number") if c not in taken]
    if not numbers:
        raise DeclarationError("no number is left to forecast", "a column of numbers", 'name it: target="COLUMN"')
    return numbers[-1]


def _ids(table: Table, time: str, taken: Sequence[str]) -> list[str]:
    """The fewest columns of words or whole numbers with which each time comes once."""
    us = moments_of(table, time).us
    could = [
        c.name for c in table.columns if c.name not in (*taken, time) and c.type in ("category", "number", "boolean")
    ]
    could = [c for c in could if "double" not in str(table.data.column(c).type)][:_MOST]
    for size in range(len(could) + 1):
        for some in combinations(could, size):
            code = series_of(table, some).code
            order = np.lexsort((us, code))
            if not np.any((np.diff(code[order]) == 0) & (np.diff(us[order]) == 0)):
                return list(some)
    raise DeclarationError(
        "no columns name the series: with all of " + ", ".join(could[:5]) + " a time still comes twice",
        "columns with which each time comes once",
        'name them: id=["COLUMN", …]',
    )
