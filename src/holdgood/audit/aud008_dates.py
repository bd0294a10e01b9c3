"""AUD008: dates that cannot be right: malformed, in mixed writing, far off all others, or an end before its beginning."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
import pyarrow.compute as pc

from holdgood.audit import columns
from holdgood.audit.dates_written import Dates as Written
from holdgood.audit.dates_written import dates, mostly_dates
from holdgood.audit.far_off import DAY, Bulk, bulk, day, iso
from holdgood.audit.found import counted, found, listed, percent
from holdgood.audit.profile import QUANTILES, profile
from holdgood.audit.sample import ROWS as SAMPLED
from holdgood.audit.sample import sample
from holdgood.audit.written import Vocabulary, glimpse, rows_with, vocabulary
from holdgood.core.errors import NotApplicable
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Picture, Proposal
from holdgood.core.records.profile import ColumnProfile
from holdgood.core.table import Table

MOST = 0.8
PAIRED_COLUMNS = 20
BEFORE_SHARE = 0.1
BEFORE_ROWS = 3
_BINS = 24


class Dates:
    """Counts dates that cannot be right, measured against the others of their column (never against today)."""

    code: ClassVar[str] = "AUD008"
    title: ClassVar[str] = "malformed dates and dates out of range"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every column of moments, and of texts that are mostly dates."""
        tables = [t for t in context.tables.values() if t.rows]
        written = {t.name: [c for c in t.names if _is_written(t, c) and mostly_dates(glimpse(t, c))] for t in tables}
        if not any(written[t.name] or any(columns.is_moment(t, c) for c in t.names) for t in tables):
            raise NotApplicable("no column of dates")
        out: list[Finding] = []
        for table in tables:
            for c in profile(table).columns:
                if columns.is_moment(table, c.name):
                    out += self._far_off(table, c)
                elif c.name in written[table.name]:
                    out += self._texts(table, c.name)
            out += self._order(table)
        return out

    def _far_off(self, table: Table, c: ColumnProfile) -> list[Finding]:
        if c.rows - c.missing < 30 or not c.quantiles or not _worth_sorting(table, c):
            return []
        at, there = columns.moments(table, c.name)
        moments, cells = np.unique(at[there], return_counts=True)
        return self._outside(table, c.name, at, there, moments, cells)

    def _texts(self, table: Table, name: str) -> list[Finding]:
        words = vocabulary(table, name)
        seen = dates(words)
        present = words.present - words.cells(seen.absent)
        if words.cells(seen.shaped) < MOST * present:
            return []
        if words.cells(seen.valid) < MOST * present:
            return []  # day and month cannot be told apart in most; the reader has said so
        at, there = _moments_of(table, name, words, seen)
        moments, where = np.unique(seen.at[seen.valid], return_inverse=True)
        cells = np.bincount(where, weights=words.rows[seen.valid]).astype(np.int64)
        return self._malformed(table, name, words, seen) + self._outside(
            table, name, at, there, moments, cells, seen.formats
        )

    def _malformed(self, table: Table, name: str, words: Vocabulary, seen: Written) -> list[Finding]:
        """Texts that are no dates, days that do not exist, and dates written otherwise than most."""
        other = seen.valid & (seen.way > 0)
        unreal = seen.shaped & ~seen.valid & ~seen.open
        doubtful = seen.open & ((seen.way != 0) | ~seen.valid)
        none = ~seen.shaped & ~seen.absent
        odd = other | unreal | none | doubtful
        rows = words.cells(odd)
        if rows == 0:
            return []
        told = [
            (words.cells(none), "no date"),
            (words.cells(unreal), "a day that does not exist"),
            (words.cells(other), f"written otherwise ({', '.join(seen.formats[1:5])})" if seen.formats[1:] else ""),
            (words.cells(seen.open), "with day and month that may be exchanged"),
        ]
        parts = [f"{counted(n, 'cell')} {text}" for n, text in told if n]
        message = (
            f"{listed([name])} is written as {seen.formats[0]} in {percent(words.cells(seen.valid & (seen.way == 0)), words.present)} "
            f"of its cells; " + ", ".join(parts)
        )
        lost = words.cells(~seen.valid & ~seen.absent)
        proposal = Proposal(
            repair="parse-dates",
            table=table.name,
            columns=(name,),
            parameters={"formats": list(seen.formats)},
            cells=words.present,
            sentence=f"read {name} as dates; {counted(lost, 'cell')} that cannot be read become missing",
        )
        evidence = {
            "no_date": told[0][0],
            "no_such_day": told[1][0],
            "written_otherwise": told[2][0],
            "open": told[3][0],
            "ways": len(seen.formats),
        }
        telling = [*words.texts(none, 50), *words.texts(unreal, 50), *words.texts(other | doubtful, 50)]
        return [
            found(
                self,
                "issue",
                "medium",
                table.name,
                [name],
                message,
                rows=rows,
                evidence=evidence,
                proposal=proposal,
                examples=rows_with(table, name, telling),
            )
        ]

    def _outside(
        self,
        table: Table,
        name: str,
        at: np.ndarray,
        there: np.ndarray,
        moments: np.ndarray,
        cells: np.ndarray,
        formats: tuple[str, ...] = (),
    ) -> list[Finding]:
        if len(moments) < 3:
            return []
        inside = bulk(moments, cells)
        rows = inside.early + inside.late
        if rows == 0:
            return []
        sides = [(inside.early, "low", "before", inside.low), (inside.late, "high", "after", inside.high)]
        sides = [side for side in sides if side[0]]
        told = " and ".join(f"{n:,} {word} {day(limit)}" for n, _, word, limit in sides)
        message = (
            f"{listed([name])} has {told} ({percent(rows, table.rows)} of the rows), "
            f"while all others lie between {day(inside.first)} and {day(inside.last)}"
        )
        limits = {key: iso(limit) for _, key, _, limit in sides}
        proposal = Proposal(
            repair="parse-dates" if formats else "out-of-range-to-missing",
            table=table.name,
            columns=(name,),
            parameters={"formats": list(formats), **limits} if formats else limits,
            cells=int(cells.sum()) if formats else rows,
            sentence=f"{counted(rows, 'date')} of {name} become missing",
        )
        evidence = {"early": inside.early, "late": inside.late, "share": round(rows / table.rows, 6)}
        outside = there & ((at < inside.low) | (at > inside.high))
        return [
            found(
                self,
                "issue",
                "medium",
                table.name,
                [name],
                message,
                rows=rows,
                evidence=evidence,
                proposal=proposal,
                sure="likely",
                examples=np.flatnonzero(outside),
                picture=_picture(name, moments, cells, inside),
            )
        ]

    def _order(self, table: Table) -> list[Finding]:
        """Pairs of moments of which one comes before the other almost always, and in a few rows after it."""
        names = [c.name for c in table.columns if columns.is_moment(table, c.name)][:PAIRED_COLUMNS]
        if len(names) < 2:
            return []
        rows = sample(table)
        seen = {}
        for name in names:
            at, there = columns.moments(table, name)
            seen[name] = np.where(there[rows], at[rows].astype(np.float64), np.nan)
        out = []
        for i, first in enumerate(names):
            for second in names[i + 1 :]:
                apart = seen[second] - seen[first]
                turned = _turned(apart)
                if turned == 0:
                    continue
                before, after = (first, second) if turned > 0 else (second, first)
                out += self._turned(table, before, after)
        return out

    def _turned(self, table: Table, before: str, after: str) -> list[Finding]:
        (start, there), (end, also) = columns.moments(table, before), columns.moments(table, after)
        both = there & also
        wrong = both & (end < start)
        rows, known = int(wrong.sum()), int(both.sum())
        if rows < BEFORE_ROWS:
            return []
        message = (
            f"{listed([after])} lies before {listed([before])} in {rows:,} of {counted(known, 'row')} "
            f"that have both ({percent(rows, known)})"
        )
        evidence = {"rows": rows, "known": known, "share": round(rows / known, 6)}
        examples = np.flatnonzero(wrong)
        return [
            found(
                self,
                "issue",
                "medium",
                table.name,
                [before, after],
                message,
                rows=rows,
                evidence=evidence,
                sure="likely",
                examples=examples,
            )
        ]


def _turned(apart: np.ndarray) -> int:
    """1 where a difference is positive but for a few rows set apart from the rest, -1 where negative; 0: no such order.

    Delays and other soft orders cross zero smoothly: there, as many lie just below zero as just above. A hard order has a
    cliff at zero, or nothing near it on either side.
    """
    apart = apart[~np.isnan(apart)]
    if len(apart) < 100:
        return 0
    sign = 1 if (apart > 0).sum() >= (apart < 0).sum() else -1
    apart = apart * sign
    wrong = apart[apart < 0]
    right = apart[apart > 0]
    if len(wrong) == 0 or len(wrong) > BEFORE_SHARE * len(apart) or len(right) < 0.5 * len(apart):
        return 0
    near = float(np.quantile(right, 0.1))
    above = int((right <= near).sum()) + int((apart == 0).sum())
    below = int((wrong >= -near).sum())
    far = float(-np.median(wrong)) >= 5 * near or below == 0
    return sign if below <= 0.1 * above or (far and below <= 0.3 * above) else 0


def _is_written(table: Table, name: str) -> bool:
    return columns.is_text(table, name) and table.type_of(name) != "other"


def _worth_sorting(table: Table, c: ColumnProfile) -> bool:
    """A cheap look at the sample and the ends: is there a gap that is wide for the bulk?"""
    at, there = columns.moments(table, c.name)
    if table.rows <= 4 * SAMPLED:
        return True
    rows = sample(table)
    seen = np.unique(np.concatenate([at[rows][there[rows]].astype(np.float64), [c.low, c.high]]))
    low, high = c.quantiles[QUANTILES.index(0.25)], c.quantiles[QUANTILES.index(0.75)]
    return float(np.diff(seen).max(initial=0.0)) >= 0.2 * max(high - low, DAY)


def _moments_of(table: Table, name: str, words: Vocabulary, seen: Written) -> tuple[np.ndarray, np.ndarray]:
    """Microseconds a row of a column of texts, and whether each was read."""
    found_at = pc.index_in(table.data.column(name), value_set=words.values)
    there = np.asarray(pc.fill_null(found_at, -1).to_numpy())
    read = there >= 0
    read[read] = seen.valid[there[read]]
    return np.where(read, seen.at[np.maximum(there, 0)], 0), read


def _picture(name: str, moments: np.ndarray, cells: np.ndarray, inside: Bulk) -> Picture:
    """How many cells lie in each part of the whole range; marked are the parts that are far off."""
    edges = np.linspace(float(moments[0]), float(moments[-1]), _BINS + 1)
    counts = np.histogram(moments.astype(np.float64), edges, weights=cells.astype(np.float64))[0]
    outside = [i for i in range(_BINS) if counts[i] and (edges[i + 1] < inside.first or edges[i] > inside.last)]
    return Picture(
        title=f"When {name} lies",
        form="bars",
        x=tuple(float(e) for e in edges[:-1]),
        y=tuple(float(n) for n in counts),
        marks=tuple(outside),
        x_is_time=True,
        x_name=name,
        y_name="cells",
    )


CHECK = Dates()
