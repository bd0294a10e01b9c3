"""The rows of a panel's table as plain arrays, sorted by series and step; several rows in one step are refused or made one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.records.panel import PanelNote
from holdgood.features.panels.grid import Grid
from holdgood.features.panels.moments import NEVER

_TOLD = 8


@dataclass(frozen=True)
class Rows:
    """``place``: positions in the table, in order of series and step; ``code`` and ``step``: (n,) of each; ``y``: (n,) NaN unknown.

    Unique in (code, step): where several rows were made one, ``place`` is the last of them.
    """

    place: np.ndarray
    code: np.ndarray
    step: np.ndarray
    y: np.ndarray


def usable(code: np.ndarray, us: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, list[PanelNote]]:
    """Positions of the rows that have an id and a time, sorted by series and time, and notes on the others."""
    notes = []
    no_id, no_time = code < 0, us == NEVER
    for gone, name, code_ in ((no_id, "id", "no-id"), (no_time & ~no_id, "time", "no-time")):
        if gone.any():
            count = int(gone.sum())
            said = f"{count:,} row{'s' if count > 1 else ''} without {'an' if name == 'id' else 'a'} {name} left out"
            notes.append(PanelNote(code=code_, level="issue", message=said, count=count, rows=told(gone, numbers)))
    kept = np.flatnonzero(~no_id & ~no_time)
    key_code, key_us = code[kept], us[kept]
    ascending = (np.diff(key_code) > 0) | ((np.diff(key_code) == 0) & (np.diff(key_us) >= 0))
    if not ascending.all():
        kept = kept[np.lexsort((key_us, key_code))]
    return kept, notes


def told(which: np.ndarray, numbers: np.ndarray) -> tuple[int, ...]:
    """Numbers of some of the rows in question, as people count them: from 1."""
    return tuple(int(v) + 1 for v in np.sort(numbers[np.flatnonzero(which)])[:_TOLD])


def on_grid(
    place: np.ndarray,
    code: np.ndarray,
    us: np.ndarray,
    y: np.ndarray,
    grid: Grid,
    how: str,
    numbers: np.ndarray,
    ids: np.ndarray,
) -> tuple[Rows, list[PanelNote]]:
    """Put sorted rows on the grid. ``code``, ``us``, ``y``: of these rows. DataError with rows for duplicates where they are refused."""
    notes: list[PanelNote] = []
    step = grid.number(us)
    off = grid.moment(step) != us
    if off.any():
        which = np.zeros(len(numbers), bool)
        which[place[off]] = True
        said = f"{int(off.sum()):,} rows lie between the steps ({grid.frequency}); each counts for the step that it falls into"
        notes.append(
            PanelNote(code="off-grid", level="tip", message=said, count=int(off.sum()), rows=told(which, numbers))
        )
    same = (np.diff(code) == 0) & (np.diff(step) == 0)
    if not same.any():
        return Rows(place, code, step, y), notes
    first = np.concatenate([[True], ~same])
    group = np.cumsum(first) - 1
    if how == "refuse":
        exact = bool(np.any(same & (np.diff(us) == 0)))
        at = int(np.flatnonzero(same)[0])
        both = sorted(int(numbers[place[i]]) + 1 for i in (at, at + 1))
        moment = str(us[at + 1].astype("M8[us]"))[:19].replace("T", " ").removesuffix(" 00:00:00")
        what = "and time" if exact else f"within one step ({grid.frequency})"
        raise DataError(
            f"{int(same.sum()):,} rows have the same series {what} as another; the first: rows {both[0]:,} and {both[1]:,}, "
            f"series {str(ids[code[at]])!r} at {moment}",
            "one row a series and step",
            'take the wrong rows out, or declare duplicates = "sum" (or "mean") under [forecast]',
        )
    seen = ~np.isnan(y)
    total = np.bincount(group, np.where(seen, y, 0.0))
    count = np.bincount(group, seen)
    with np.errstate(invalid="ignore", divide="ignore"):
        value = np.where(count == 0, np.nan, total if how == "sum" else total / count)
    last = np.concatenate([~same, [True]])
    said = f"{int(same.sum()):,} rows share a series and step with another; made one by their {how}, as declared"
    notes.append(PanelNote(code="duplicates", level="tip", message=said, count=int(same.sum())))
    return Rows(place[last], code[last], step[last], value), notes
