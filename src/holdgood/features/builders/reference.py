"""One reference table, indexed and decoded once; rows of the main table gather their facts from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from holdgood.core.errors import DataError, did_you_mean
from holdgood.core.records import JoinEntry
from holdgood.core.table import Table
from holdgood.features.builders.asof import NO_FACT, FactIndex, Facts
from holdgood.features.builders.columns import missing_like, raw_values
from holdgood.features.builders.dates import hours_between
from holdgood.features.builders.expressions import NEVER, Expressions
from holdgood.features.builders.keys import KeyIndex
from holdgood.features.builders.planned import InputColumn, PlannedJoin
from holdgood.features.builders.windows import OF_ROWS, Window


@dataclass(frozen=True)
class _Group:
    """Columns that become known at the same moments, and their index. ``known``: at a moment of their own."""

    columns: tuple[InputColumn, ...]
    index: FactIndex
    known: bool


@dataclass(frozen=True)
class _Aggregates:
    """The aggregates of some columns over one window."""

    label: str
    over: tuple[str, ...]
    window: Window


Aggregated: TypeAlias = dict[tuple[str, str, str], np.ndarray]
"""By window, aggregate and column; the column of what is of rows is empty."""


class Reference:
    """The facts of one joined table, ready to be looked up. Columns with a moment of their own have their own index."""

    def __init__(self, join: PlannedJoin, table: Table, expressions: Expressions) -> None:
        self.join = join
        where = f"the join of table {join.table!r}"
        for name in (*(there for _, there in join.on), *(c.name for c in join.columns)):
            if name not in table.data.column_names:
                raise DataError(
                    f"table {join.table!r} lacks the column {name!r}",
                    "the columns that the features are built from",
                    did_you_mean(name, table.names) or "add it, empty where nothing is known",
                )
        self._keys = KeyIndex([table.data.column(there) for _, there in join.on], where)
        groups: dict[str | None, list[InputColumn]] = {None: []}
        for column in join.columns:
            groups.setdefault(column.known, []).append(column)
        if len(groups) > 1 and not groups[None] and join.time is None:
            del groups[None]
        self._groups = [self._group(join, table, expressions, k, tuple(c), where) for k, c in groups.items()]
        self._values = {
            c.name: raw_values(table.data.column(c.name), c.type, f"column {c.name!r} of {join.table}")
            for c in join.columns
        }
        self._windows = [part for label, seconds in join.windows for part in self._window(label, seconds)]

    def _window(self, label: str, seconds: float | None) -> Iterator[_Aggregates]:
        """What one window makes of each group; numbers of rows are those of the table's own moments."""
        join = self.join
        for place, group in enumerate(self._groups):
            over = tuple(c.name for c in group.columns if c.name in join.over)
            wanted = tuple(a for a in join.aggregate if (a not in OF_ROWS and over) or (a in OF_ROWS and place == 0))
            if not wanted:
                continue
            rows = len(self._keys.codes)
            values = np.column_stack([self._values[c] for c in over]) if over else np.empty((rows, 0))
            delay = 0 if group.known else round(join.delay * 1e6)
            length = None if seconds is None else round(seconds * 1e6)
            yield _Aggregates(label, over, Window(group.index, values, length, delay, wanted))

    def _group(
        self,
        join: PlannedJoin,
        table: Table,
        expressions: Expressions,
        known: str | None,
        columns: tuple[InputColumn, ...],
        where: str,
    ) -> _Group:
        moments = happened = None
        if known is not None:
            # Such facts may become known in another order than they happened in, while an index has one order: that of what
            # was learned, by which their age and their windows go too.
            moments = happened = expressions.moments(known, table.data, purpose=where)
        elif join.time is not None:
            happened = expressions.moments(join.time, table.data, purpose=where)
            moments = np.where(happened == NEVER, NEVER, happened + round(join.delay * 1e6))
        content = [table.data.column(c.name) for c in columns]
        return _Group(columns, FactIndex(self._keys, content, moments, happened, where), known is not None)

    def gather(
        self, main: pa.Table, decision: np.ndarray | None
    ) -> tuple[dict[str, np.ndarray], np.ndarray, JoinEntry, Aggregated]:
        """Values by column, the facts' age in hours (NaN for a static table), what the join found, and the aggregates."""
        codes = self._keys.lookup([main.column(here) for here, _ in self.join.on])
        values: dict[str, np.ndarray] = {}
        first: Facts | None = None
        same_instant = 0
        for group in self._groups:
            facts = group.index.find(codes, decision, self.join.tolerance)
            first = first or facts
            same_instant += group.index.same_instant
            found = facts.rows != NO_FACT
            whole = bool(found.all())
            for column in group.columns:
                taken = (
                    self._values[column.name][facts.rows]
                    if len(self._values[column.name])
                    else missing_like(column.type, len(codes))
                )
                values[column.name] = taken if whole else np.where(found, taken, missing_like(column.type, len(codes)))
        assert first is not None
        age = self._age(first, decision)
        at_once = self._at_the_instant(first, decision)
        return values, age, self._entry(first, age, same_instant, at_once), self._aggregated(codes, decision)

    def _aggregated(self, codes: np.ndarray, decision: np.ndarray | None) -> Aggregated:
        out: Aggregated = {}
        if not self._windows:
            return out
        assert decision is not None
        for part in self._windows:
            for name, values in part.window.aggregate(codes, decision).items():
                if name in OF_ROWS:
                    out[part.label, name, ""] = values
                else:
                    out |= {(part.label, name, c): values[:, i] for i, c in enumerate(part.over)}
        return out

    def _at_the_instant(self, facts: Facts, decision: np.ndarray | None) -> int:
        """How many rows take a fact that becomes known at the very instant of their decision."""
        known = self._groups[0].index.known
        if known is None or decision is None or len(known) == 0:
            return 0
        found = facts.rows != NO_FACT
        return int((found & (known[facts.rows] == decision)).sum())

    def _age(self, facts: Facts, decision: np.ndarray | None) -> np.ndarray:
        happened = self._groups[0].index.happened
        if happened is None or decision is None or len(happened) == 0:
            return np.full(len(facts.rows), np.nan)
        return hours_between(np.where(facts.rows == NO_FACT, NEVER, happened[facts.rows]), decision)

    def _entry(self, facts: Facts, age: np.ndarray, same_instant: int, at_the_instant: int) -> JoinEntry:
        rows, matched = len(facts.rows), int((facts.rows != NO_FACT).sum())
        known = age[~np.isnan(age)]
        median = float(np.median(known)) * 3600 if len(known) else float("nan")
        share = matched / rows if rows else 0.0
        sentence = f"{matched:,} of {rows:,} rows ({share:.1%}) found a partner in {self.join.table}"
        if self.join.as_of:
            sentence += " that was known at the decision"
        if facts.too_old:
            sentence += f"; {facts.too_old:,} found only facts older than {self.join.tolerance:g} s"
        if same_instant:
            sentence += f"; {same_instant:,} of its rows share key and moment with another, the last by content counts"
        if at_the_instant:
            sentence += f"; {at_the_instant:,} rows take a fact that becomes known at the instant of their decision"
        return JoinEntry(
            table=self.join.table,
            on=dict(self.join.on),
            as_of=self.join.as_of,
            matched_share=share,
            median_age_seconds=median,
            same_instant_rows=same_instant,
            at_the_instant=at_the_instant,
            too_old=facts.too_old,
            sentence=sentence,
        )
