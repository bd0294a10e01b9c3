"""Which columns of a table have rows in another unit, or with a slipped point: every factor tried on every column.

A wrong column pulls at what its neighbours are expected to be. So the strongest is believed first, and a column that seems
wrong after it must still seem so when nothing that was believed before takes part in its expectation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from holdgood.audit import columns, expected
from holdgood.audit.bench import CLIP, bench
from holdgood.audit.exchanged import swapped_cells
from holdgood.audit.expected import View
from holdgood.audit.factors import ROWS, Copy, Hills, by_multiples, tail, varied
from holdgood.audit.memory import Memory
from holdgood.audit.stretches import affine_stretch
from holdgood.core.protocols import AuditContext
from holdgood.core.table import Table
from holdgood.core.threads import thread_limit

THOUSAND = 1000.0
SLIPS = (10.0, 0.1, 100.0, 0.01)
"""A digit too many or too few, or a point in the wrong place."""

_NAMED = (THOUSAND, 1e6, 25.4, 2.54, 12.0, 1 / 0.45359237, 1.609344, 1 / 0.3048, 3.6, 60.0, 3600.0)
UNITS = tuple(f for named in _NAMED for f in (named, 1 / named))
_BY_DIGITS: tuple[tuple[Literal["last digit", "multiples"], float], ...] = (
    *(("last digit", f) for f in SLIPS[:2]),
    *(("multiples", f) for f in _NAMED if f != round(f)),
)
_LOOSE = (THOUSAND, 1 / THOUSAND)
_ALONE = (THOUSAND, 1 / THOUSAND, 25.4, 1 / 25.4, *SLIPS)
SURPRISE = 2.5
SURPRISE_ALONE = 3.5
SURPRISE_GRAIN = 5.0
ODD = 3.0
ODD_ROWS = 25
_NEAR = 1.5
_FLANK = 3.25
_VARIED = 0.2


@dataclass(frozen=True)
class Affine:
    """A scale of temperature read as another: what is written is ``slope`` times what was meant, plus ``offset``.

    ``plausible``: between what the middle of such a column lies.
    """

    name: str
    slope: float
    offset: float
    plausible: tuple[float, float]


AFFINE = (
    Affine("degrees Fahrenheit among degrees Celsius", 1.8, 32.0, (-40.0, 150.0)),
    Affine("degrees Celsius among degrees Fahrenheit", 1 / 1.8, -32.0 / 1.8, (-40.0, 300.0)),
    Affine("kelvin among degrees Celsius", 1.0, 273.15, (-40.0, 150.0)),
    Affine("degrees Celsius among kelvin", 1.0, -273.15, (200.0, 500.0)),
)


@dataclass(frozen=True)
class Shift:
    """Rows of one column that are ``slope`` times what they should be plus ``offset``.

    ``marks`` are over all rows of the table; ``beside`` rows of the sample stand where neither explanation holds.
    """

    column: str
    slope: float
    offset: float
    view: View
    marks: NDArray[np.bool_]
    beside: int
    surprise: float
    affine: Affine | None = None
    by: Literal["hill", "last digit", "multiples", "ends"] = "hill"

    @property
    def rows(self) -> int:
        """How many cells are wrong."""
        return int(self.marks.sum())

    @property
    def slip(self) -> bool:
        """Whether the factor is one of slips of a digit."""
        return self.affine is None and any(math.isclose(self.slope, s) for s in SLIPS)


_shifts: Memory[tuple[Shift, ...]] = Memory()


def shifts(context: AuditContext, table: Table) -> tuple[Shift, ...]:
    """All shifts of a table that can be believed, the most surprising first. Remembered."""
    spec = context.spec(table.name)
    key = ("shifts", spec.time or "", tuple(spec.series))
    return _shifts.get(table.data, key, lambda: _quietly(context, table))


def _quietly(context: AuditContext, table: Table) -> tuple[Shift, ...]:
    with thread_limit(1, "blas"):  # as in ``expected``
        return _shifts_of(context, table)


def _shifts_of(context: AuditContext, table: Table) -> tuple[Shift, ...]:
    roads = expected.views(context, table)
    bar = math.log10(max(1, sum(len(v) for v in roads.values())))
    seen: list[tuple[int, Shift]] = []
    for i, views in roads.items():
        seen += [(i, s) for view in views for s in _of_view(view, bar)]
        seen += [(i, s) for view in views for s in _in_degrees(context, table, view, bar)]
    seen = [s for s in seen if not any(_better(o[1], s[1]) for o in seen if o is not s and o[0] == s[0])]
    seen.sort(key=lambda s: (-s[1].surprise, s[0], s[1].slope))
    believed: list[tuple[int, Shift]] = []
    for i, shift in seen:
        if any(j == i and np.mean(b.marks[shift.marks]) > 0.5 for j, b in believed):
            continue
        earlier = [j for j, b in believed if j != i]
        left_out = _not_to_trust(context, table, shift, earlier)
        if not left_out:
            shift = _sharpest(shift, [o for j, o in seen if j == i and not _not_to_trust(context, table, o, earlier)])
        else:
            view = expected.without(context, table, shift.view, left_out)
            same = [s for s in (_of_view(view, bar) if view else []) if math.isclose(s.slope, shift.slope)]
            if not same:
                continue
            shift = same[0]
        believed.append((i, shift))
    out = [_counted(context, table, s) for _, s in believed]
    named = [s.column for s in out]
    stretches = [s for vs in roads.values() for v in vs for s in _in_stretches(context, table, v, bar)]
    out += [s for s in stretches if s.column not in named]
    return tuple(s for s in out if np.mean(swapped_cells(context, table, s.column)[s.marks]) <= 0.5)


def _not_to_trust(context: AuditContext, table: Table, shift: Shift, earlier: list[int]) -> list[int]:
    """Predictors of a shift that were found wrong before it, or that are themselves far out in most of its rows."""
    made, model = bench(context, table), shift.view.model
    if made is None or model is None:
        return []
    return [j for j in model.predictors if j in earlier or np.mean(np.abs(made.z[j][shift.marks]) >= 0.9 * CLIP) > 0.5]


def _sharpest(shift: Shift, others: list[Shift]) -> Shift:
    """The same shift by the road that parts wrong rows from right ones best, of those that see about as many."""
    same = [o for o in others if o.affine == shift.affine and math.isclose(o.slope, shift.slope)]
    same = [o for o in same if o.by == "hill"] or [o for o in same if o.by == shift.by]
    most = max((int(o.marks.sum()) for o in same), default=0)
    return min((o for o in same if o.marks.sum() >= 0.8 * most), key=lambda o: o.view.spread, default=shift)


def _better(one: Shift, other: Shift) -> bool:
    """Whether one factor of two for the same rows explains them better: its hill is nearer to where it should be."""
    if one.affine is not None or other.affine is not None:
        return one.affine is None and other.affine is not None and one.rows > other.rows
    if math.isclose(one.slope, other.slope) or np.mean(one.marks[other.marks]) <= 0.5:
        return False
    return _off(one) < 0.5 * _off(other)


def _off(shift: Shift) -> float:
    return abs(float(np.median(shift.view.residual[shift.marks])) - math.log(shift.slope))


def _of_view(view: View, bar: float) -> list[Shift]:
    alone = view.road == "alone"
    found = []
    least = (SURPRISE_ALONE if alone else SURPRISE) + bar
    if view.scale.log:
        hills = Hills(view)
        for factor in _ALONE if alone else (*UNITS, *SLIPS):
            copy = hills.at(factor, loose=alone and factor in _LOOSE)
            if copy is None or (factor not in _ALONE and not _plainly(copy, least)):
                continue
            if copy.surprise >= least and varied(view.value[copy.marks], view.value):
                found.append(Shift(view.scale.name, factor, 0.0, view, copy.marks, copy.beside, copy.surprise))
        if not found:
            for by, factor in _BY_DIGITS:
                copy = hills.by_grain(factor) if by == "last digit" else by_multiples(view, factor) if alone else None
                if copy is None or copy.surprise < SURPRISE_GRAIN + bar:
                    continue
                if len(np.unique(view.cells[copy.marks])) >= 3:
                    found.append(
                        Shift(view.scale.name, factor, 0.0, view, copy.marks, copy.beside, copy.surprise, by=by)
                    )
    for affine in () if alone else AFFINE:
        shift = _affine(view, affine)
        if shift is not None and shift.surprise >= least:
            found.append(shift)
    return found


def _plainly(copy: Copy, least: float) -> bool:
    """Whether a factor that is seldom met is met here: more rows, more surprise and nearer to it than asked of others."""
    residual = copy.view.residual
    sd = copy.view.spread
    off = abs(float(np.median(residual[copy.marks])) - math.log(copy.factor))
    return copy.rows >= ODD_ROWS and copy.surprise >= least + ODD and off <= 0.2 * sd + 2.0 * sd / math.sqrt(copy.rows)


def _in_degrees(context: AuditContext, table: Table, view: View, bar: float) -> list[Shift]:
    """Scales of temperature by a fit that adds: a whole season in the other scale is told by the rest of the row."""
    timed = bench(context, table)
    if not view.scale.log or view.model is None or timed is None or timed.clock is None or not _may_be_degrees(view):
        return []
    plain = expected.plainly(context, table, view)
    some = [_affine(plain, a) for a in AFFINE] if plain is not None else []
    return [s for s in some if s is not None and s.surprise >= SURPRISE + bar]


def _in_stretches(context: AuditContext, table: Table, view: View, bar: float) -> list[Shift]:
    """The same for whole stretches of time, by where they begin and end."""
    timed = bench(context, table)
    if timed is None or timed.clock is None or view.road != "time" or not _may_be_degrees(view):
        return []
    order = timed.clock.order
    cells = columns.numbers(table, view.scale.name)
    found = []
    for affine in AFFINE:
        stretch = affine_stretch(cells[order], timed.clock, affine.slope, affine.offset)
        if stretch is not None and stretch[1] >= bar:
            marks = np.zeros(table.rows, dtype=bool)
            marks[order] = stretch[0]
            whole = expected.whole(context, table, view)
            found.append(
                Shift(view.scale.name, affine.slope, affine.offset, whole, marks, 0, stretch[1], affine, "ends")
            )
    return found


def _may_be_degrees(view: View) -> bool:
    low, high = min(a.plausible[0] for a in AFFINE), max(a.plausible[1] for a in AFFINE)
    return low <= float(np.nanmedian(view.cells)) <= high and (not view.scale.log or view.scale.width <= 1.0)


def _plain(view: View) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Value, guess and spread of each row, off the logarithmic scale."""
    if not view.scale.log:
        return view.value, view.guess, np.full(len(view.value), view.spread)
    guess = view.scale.sign * np.exp(view.guess)
    return view.scale.sign * np.exp(view.value), guess, np.abs(guess) * view.spread


def _affine_marks(view: View, affine: Affine, lean: float = 0.0) -> NDArray[np.bool_]:
    """Rows near what their guess is on the other scale, or ``lean`` spreads beside that, where the two scales lie far apart."""
    value, guess, spread = _plain(view)
    wide = affine.slope * spread
    with np.errstate(invalid="ignore"):
        meant = affine.slope * guess + affine.offset
        apart = np.abs(meant - guess) >= 4 * spread + (_FLANK + _NEAR + 0.25) * wide
        near: NDArray[np.bool_] = np.abs(value - (meant + lean * wide)) <= _NEAR * wide
    both: NDArray[np.bool_] = apart & near
    return both


def _affine(view: View, affine: Affine) -> Shift | None:
    value, guess, spread = _plain(view)
    low, high = affine.plausible
    if not low <= float(np.nanmedian(guess)) <= high or (view.scale.log and view.spread > 0.3):
        return None
    marks = _affine_marks(view, affine)
    rows, there = int(marks.sum()), int(np.isfinite(view.residual).sum())
    if rows < ROWS or rows > 0.45 * there or not varied(view.value[marks], view.value):
        return None
    beside = max(int(_affine_marks(view, affine, lean).sum()) for lean in (-_FLANK, _FLANK))
    if rows < 4 * (beside + 0.5):
        return None
    if float(np.std(guess[marks])) < _VARIED * float(np.nanstd(guess)):
        return None  # values of one place only: any exchange of digits may hit the other scale once
    miss = (value[marks] - affine.slope * guess[marks] - affine.offset) / (affine.slope * spread[marks])
    if abs(float(np.median(miss))) > 0.5 + 3 / math.sqrt(rows):
        return None
    surprise = tail(rows, rows + beside, 0.5)
    return Shift(view.scale.name, affine.slope, affine.offset, view, marks, beside, surprise, affine)


def _counted(context: AuditContext, table: Table, shift: Shift) -> Shift:
    """The same shift with its rows marked in the whole table."""
    view = expected.whole(context, table, shift.view)
    if view is shift.view:
        return shift
    if shift.affine is not None:
        marks = _nearer(view, shift.affine)
    elif shift.by != "hill":
        copy = Hills(view).by_grain(shift.slope) if shift.by == "last digit" else by_multiples(view, shift.slope)
        if copy is None:
            return replace(shift, view=view, marks=_on_all(shift, table.rows))
        marks = copy.marks
    else:
        move = math.log(shift.slope)
        middle = float(np.nanmedian(view.residual))
        wide = max(6 * view.spread, *np.abs(shift.view.residual[shift.marks] - move - middle))
        with np.errstate(invalid="ignore"):
            marks = np.abs(view.residual - move - middle) <= min(0.4 * abs(move), wide)
    return replace(shift, view=view, marks=marks)


def _nearer(view: View, affine: Affine) -> NDArray[np.bool_]:
    """Rows that are nearer to what they should be on the other scale than on their own, and not far from it."""
    value, guess, spread = _plain(view)
    meant = affine.slope * guess + affine.offset
    off = np.abs(value - meant)
    with np.errstate(invalid="ignore"):
        near: NDArray[np.bool_] = off <= np.minimum(0.4 * np.abs(meant - guess), 6 * affine.slope * spread)
    return near


def _on_all(shift: Shift, rows: int) -> NDArray[np.bool_]:
    """The marks of the sample's rows in the whole table."""
    marks = np.zeros(rows, dtype=bool)
    marks[shift.view.rows[shift.marks]] = True
    return marks


def wrong_cells(context: AuditContext, table: Table, column: str) -> NDArray[np.bool_]:
    """Boolean, one a row: cells of a column that a shift or an exchange with another column explains."""
    out = swapped_cells(context, table, column)
    for shift in shifts(context, table):
        if shift.column == column:
            out |= shift.marks
    return out
