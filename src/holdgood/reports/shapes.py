"""The columns of a table, ready to be shown: those with findings first, folded by type where they are many, a small shape each.

A shape has no numbers on it: how values are spread, never which values there are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from holdgood.core.records import ColumnProfile, Finding, Profile

MOST_COLUMNS = 2_500
"""A page with ten thousand columns is not read and weighs too much; the record has all of them."""
FOLDED_ABOVE = 60
_ENOUGH = 10
_BINS, _WIDE, _HIGH = 16, 64, 18
# Ranks of the quantiles that a profile keeps: 0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999.
_RANKS = (0.001, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)
_LEVELS = 12
_TYPES = {"number": "Numbers", "category": "Words", "text": "Words", "datetime": "Moments", "boolean": "Yes or no"}


@dataclass(frozen=True)
class ShownColumn:
    """One line about a column; ``enough``: it has a mean and a spread that say something."""

    profile: ColumnProfile
    codes: tuple[str, ...]
    shape: Markup
    enough: bool

    @property
    def missing(self) -> float:
        """The share of rows without a value."""
        return self.profile.missing / self.profile.rows if self.profile.rows else 0.0


@dataclass(frozen=True)
class ShownTable:
    """The columns of one table in groups of (title, columns); ``hidden`` columns are not on the page."""

    name: str
    rows: int
    columns: int
    groups: Sequence[tuple[str, Sequence[ShownColumn]]]
    hidden: int


def shown_tables(profiles: Sequence[Profile], findings: Sequence[Finding]) -> list[ShownTable]:
    """Every profile with the findings about its columns."""
    codes: dict[tuple[str, str], dict[str, None]] = {}
    for finding in findings:
        for column in finding.columns:
            codes.setdefault((finding.table, column), {})[finding.code] = None
    room, shown = MOST_COLUMNS, []
    for one in profiles:
        table = _table(one, codes, room)
        room -= table.columns - table.hidden
        shown.append(table)
    return shown


def _table(profile: Profile, codes: Mapping[tuple[str, str], Mapping[str, None]], room: int) -> ShownTable:
    found = {c.name: tuple(codes.get((profile.table, c.name), ())) for c in profile.columns}
    order = sorted(profile.columns, key=lambda c: not found[c.name])[: max(room, 0)]
    columns = [
        ShownColumn(c, found[c.name], _shape(c), c.type == "number" and c.rows - c.missing >= _ENOUGH) for c in order
    ]
    groups: dict[str, list[ShownColumn]] = {}
    for column in columns:
        if len(profile.columns) <= FOLDED_ABOVE:
            title = "All columns"
        elif column.codes:
            title = "Columns with findings"
        else:
            title = _TYPES.get(column.profile.type, "Others")
        groups.setdefault(title, []).append(column)
    return ShownTable(
        profile.table, profile.rows, len(profile.columns), list(groups.items()), len(profile.columns) - len(columns)
    )


def _shape(column: ColumnProfile) -> Markup:
    """Bars of equal width between the 1st and the 99th percentile, or one a level; empty where there is too little."""
    if column.rows - column.missing < _ENOUGH:
        return Markup("")
    if len(column.quantiles) == len(_RANKS):
        return _drawn(_spread(column.quantiles[1:8], _RANKS[1:8]))
    return _drawn([float(n) for _, n in column.levels[:_LEVELS]]) if len(column.levels) > 1 else Markup("")


def _spread(values: Sequence[float], ranks: Sequence[float]) -> list[float]:
    """Rows between neighbouring quantiles, laid evenly over bins; where quantiles coincide, into the one bin."""
    low, high = values[0], values[-1]
    if not (math.isfinite(low) and math.isfinite(high)) or not math.isfinite(high - low) or high <= low:
        return []
    bins = [0.0] * _BINS

    def place(value: float) -> float:
        return min(_BINS - 1e-9, max(0.0, (value - low) / (high - low) * _BINS))

    for i in range(len(values) - 1):
        start, end, mass = place(values[i]), place(values[i + 1]), ranks[i + 1] - ranks[i]
        if end - start < 1e-9:
            bins[int(start)] += mass
            continue
        for k in range(int(start), int(end) + 1):
            bins[k] += mass * (min(end, k + 1.0) - max(start, float(k))) / (end - start)
    return bins


def _drawn(heights: Sequence[float]) -> Markup:
    if not heights or max(heights) <= 0:
        return Markup("")
    wide, top = _WIDE / len(heights), max(heights)
    path = "".join(
        f"M{i * wide:.0f} {_HIGH}v-{max(1.0, _HIGH * h / top):.0f}h{max(1.0, wide - 1):.0f}V{_HIGH}z"
        for i, h in enumerate(heights)
        if h > 0
    )
    return Markup('<svg class="shape" viewBox="0 0 {} {}" aria-hidden="true"><path d="{}"/></svg>').format(
        _WIDE, _HIGH, path
    )
