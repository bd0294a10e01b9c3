"""AUD039: rows that the model will meet (``audit.use``) and the data do not cover.

By column: numbers outside the range that was seen, levels that never occurred. Jointly: rows whose nearest neighbour in the data is
farther than what leaves one in a hundred of the data's own rows alone (Gower's distance on ranks and levels, 1971), on samples. Each
is held against what chance alone would leave outside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from holdgood.audit import columns
from holdgood.audit.aud011_identifiers import identifiers
from holdgood.audit.found import counted, found, listed, percent
from holdgood.audit.profile import profile
from holdgood.audit.sample import sample
from holdgood.core import sql
from holdgood.core.errors import DeclarationError, NotApplicable, did_you_mean
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Picture
from holdgood.core.table import Table

ALPHA = 0.001  # for all columns of a table together
SHARE = 0.005  # of the rows in use that must lie outside by a column
UNSEEN = 3.0  # times the share that rare levels let expect (Good 1953)
ROWS = 30
SAMPLE = 1500
JOINT_COLUMNS = 40
TAIL = 0.01  # of the data's own rows that count as alone
JOINT_SHARE = 0.04
DRIVERS = 3


@dataclass(frozen=True)
class Outside:
    """Rows of one column (positions in the table in use) that the data do not cover; ``how`` in words."""

    column: str
    rows: np.ndarray
    how: str


class Coverage:
    """Two findings at most: what lies outside by single columns, and what only together."""

    code: ClassVar[str] = "AUD039"
    title: ClassVar[str] = "coverage of the region of use"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Hold the declared table of use against the main table."""
        name = context.declaration.audit.use
        if name is None:
            raise NotApplicable("no table of rows in use is declared (audit.use)")
        if name not in context.tables:
            raise DeclarationError(
                f"audit.use names the table {name!r}, which is not there",
                "one of: " + ", ".join(context.tables),
                did_you_mean(name, context.tables) or "declare the table with its source",
            )
        data, use = context.tables.get(context.declaration.main), context.tables[name]
        if data is None or data is use:
            raise NotApplicable("no other table than the one in use")
        if min(data.rows, use.rows) < ROWS:
            raise NotApplicable(f"the data or the rows in use are fewer than {ROWS}")
        names = _shared(context, data, use)
        if not names:
            raise NotApplicable("the data and the rows in use share no column")
        level = ALPHA / (2 * len(names))
        outside = [o for n in names if (o := outside_of(data, use, n, level)) is not None]
        outside.sort(key=lambda o: -len(o.rows))
        out = [self._single(data, use, outside)] if outside else []
        told = np.zeros(use.rows, dtype=bool)
        for o in outside:
            told[o.rows] = True
        return out + self._joint(data, use, names, told)

    def _single(self, data: Table, use: Table, outside: list[Outside]) -> Finding:
        any_of = np.zeros(use.rows, dtype=np.int64)
        for o in outside:
            any_of[o.rows] += 1
        rows = int((any_of > 0).sum())
        told = ", ".join(f"`{o.column}` {o.how} ({percent(len(o.rows), use.rows)})" for o in outside[:4])
        told += f" and {len(outside) - 4} more columns" if len(outside) > 4 else ""
        message = (
            f"{counted(rows, 'row')} in use ({percent(rows, use.rows)}) lie outside of what {data.name!r} covers: {told}; "
            "a model can only guess there"
        )
        most = np.argsort(-any_of, kind="stable")[:rows]
        return found(
            self,
            "issue",
            "high" if rows >= 0.05 * use.rows else "medium",
            use.name,
            [o.column for o in outside],
            message,
            rows=rows,
            evidence={
                "rows": rows,
                "share": round(rows / use.rows, 6),
                "columns": len(outside),
                "largest": len(outside[0].rows),
            },
            sure="likely",
            examples=most,
            picture=Picture(
                title="rows in use outside of the data",
                form="bars",
                y=tuple(float(len(o.rows)) for o in outside[:20]),
                labels=tuple(o.column for o in outside[:20]),
                y_name="rows",
            ),
        )

    def _joint(self, data: Table, use: Table, names: list[str], told: np.ndarray) -> list[Finding]:
        chosen = [
            names[i] for i in np.unique(np.linspace(0, len(names) - 1, min(len(names), JOINT_COLUMNS)).astype(int))
        ]
        if len(chosen) < 2:
            return []
        some = sample(use, SAMPLE)
        some = some[~told[some]]
        if len(some) < ROWS:
            return []
        alone, parts = lonely(data, use, chosen, some)
        share = float(alone.mean())
        if share < JOINT_SHARE or binomial_tail(int(alone.sum()), len(alone), 2 * TAIL) > ALPHA:
            return []
        extra = parts[alone].mean(0) - parts[~alone].mean(0) if (~alone).any() else parts.mean(0)
        drivers = [chosen[i] for i in np.argsort(-extra, kind="stable")[:DRIVERS] if extra[i] > 0]
        message = (
            f"about {percent(share, 1.0)} of the rows in use are farther from every row of {data.name!r} than {100 * (1 - TAIL):.0f}% of its own "
            f"rows are from one another, though each value by itself is known; most apart in {listed(drivers)}"
        )
        return [
            found(
                self,
                "tip",
                "medium",
                use.name,
                drivers,
                message,
                rows=round(share * use.rows),
                evidence={"share": round(share, 6), "looked_at": len(some), "columns": len(chosen), "expected": TAIL},
                sure="likely",
                examples=some[alone],
            )
        ]


def _shared(context: AuditContext, data: Table, use: Table) -> list[str]:
    """Columns of both that are kept alike and say something; no keys, no moments (time goes on), not the target's."""
    spec = context.spec(data.name)
    target = context.declaration.task.target
    gone = {
        *spec.key,
        *spec.ids,
        *spec.ignore,
        *identifiers(data),
        *(sql.columns_in(target, data.names) if target else ()),
    }
    out = []
    for c in profile(data).columns:
        if c.name in gone or c.name not in use.names or c.type in ("text", "other", "datetime") or c.distinct == 0:
            continue
        numbers = columns.is_numeric(data, c.name)
        alike = numbers == columns.is_numeric(use, c.name) and (
            numbers or data.data.schema.field(c.name).type == use.data.schema.field(c.name).type
        )
        if alike and (numbers or c.distinct < 0.5 * c.rows):
            out.append(c.name)
    return out


def outside_of(data: Table, use: Table, name: str, level: float) -> Outside | None:
    """Rows in use outside of the column's range or levels, where they are more than chance explains at the level given."""
    empty = columns.missing(use, name)
    if columns.missing(data, name).any():
        empty = np.zeros(use.rows, dtype=bool)
    if columns.is_numeric(data, name):
        known, values = columns.numbers(data, name), columns.numbers(use, name)
        known = known[np.isfinite(known)]
        if len(known) == 0:
            return None
        above, below = values > known.max(), values < known.min()
        sides = []
        for mark, word in ((above, "above"), (below, "below")):
            k = int(mark.sum())
            if k and chance_beyond(k, len(values), len(known)) <= level:
                sides.append((mark, f"{word} all that was seen"))
        mark = np.logical_or.reduce([m for m, _ in sides]) if sides else np.zeros(use.rows, dtype=bool)
        how = " and ".join(w for _, w in sides)
    else:
        joined = pa.chunked_array([*data.data.column(name).chunks, *use.data.column(name).chunks])
        codes, n = columns.codes_of(joined)
        before, now = codes[: data.rows], codes[data.rows :]
        counts = np.bincount(before[before >= 0], minlength=n)
        mark = (now >= 0) & (counts[np.maximum(now, 0)] == 0)
        rare = float((counts == 1).sum() + 1) / max(1, int(counts.sum()))
        if mark.mean() < UNSEEN * rare:
            mark = np.zeros(use.rows, dtype=bool)
        levels = len(np.unique(now[mark]))
        how = f"with {counted(levels, 'level')} never seen"
    if empty.sum() and chance_beyond(int(empty.sum()), use.rows, data.rows) <= level:
        how = "missing, which it never was" if not mark.any() else f"{how} or missing, which it never was"
        mark = mark | empty
    return Outside(name, np.flatnonzero(mark), how) if mark.sum() >= max(5, SHARE * use.rows) else None


def chance_beyond(k: int, m: int, n: int) -> float:
    """The chance that at least k of m rows lie beyond all n others, were all drawn alike: k of the k largest are of the m.

    >>> round(chance_beyond(1, 10, 90), 3), round(chance_beyond(2, 10, 90), 5)
    (0.1, 0.00909)
    """
    return math.exp(math.fsum(math.log(m - i) - math.log(n + m - i) for i in range(min(k, m))))


def binomial_tail(hits: int, n: int, p: float) -> float:
    """P(X >= hits) of a binomial distribution."""
    logs = [
        math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) + k * math.log(p) + (n - k) * math.log1p(-p)
        for k in range(hits, n + 1)
    ]
    return min(1.0, math.fsum(math.exp(v) for v in logs))


def lonely(data: Table, use: Table, names: list[str], rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of the rows in use are alone, and (rows, columns) how far each column is from that of the nearest row of the data."""
    some = sample(data, SAMPLE)
    parts = [_places(data, use, name, some, rows) for name in names]
    own, other = _distances(parts, own=True), _distances(parts, own=False)
    np.fill_diagonal(own, np.inf)
    bar = float(np.quantile(own.min(1), 1 - TAIL))
    nearest = np.argmin(other, axis=1)
    apart = np.stack([_gap(b, a[nearest], numeric) for a, b, numeric in parts], axis=1)
    return other.min(1) > bar * (1 + 1e-9), apart


def _places(
    data: Table, use: Table, name: str, some: np.ndarray, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray, bool]:
    """The column in both samples: ranks from 0 to 1 of a number among the data (-1 where missing), or codes of levels."""
    if columns.is_numeric(data, name):
        known = columns.numbers(data, name)[some]
        values = columns.numbers(use, name)[rows]
        order = np.sort(known[np.isfinite(known)])
        middle = [
            np.where(
                np.isfinite(v),
                (np.searchsorted(order, v, side="left") + np.searchsorted(order, v, side="right"))
                / (2.0 * max(1, len(order))),
                -1.0,
            )
            for v in (known, values)
        ]
        return middle[0], middle[1], True
    one, two = data.data.column(name).take(pa.array(some)), use.data.column(name).take(pa.array(rows))
    codes, _ = columns.codes_of(pa.chunked_array([*one.chunks, *two.chunks], one.type))
    return codes[: len(some)].astype(np.float64), codes[len(some) :].astype(np.float64), False


def _distances(parts: list[tuple[np.ndarray, np.ndarray, bool]], *, own: bool) -> np.ndarray:
    """(rows, rows of the data): sums over columns of how far they are apart, from 0 to 1 each."""
    total = np.zeros((len(parts[0][0] if own else parts[0][1]), len(parts[0][0])), dtype=np.float32)
    for data, use, numeric in parts:
        total += _gap((data if own else use)[:, None], data[None, :], numeric).astype(np.float32)
    return total


def _gap(one: np.ndarray, two: np.ndarray, numeric: bool) -> np.ndarray:
    """Difference of ranks (1 where one is missing, 0 where both are), or whether levels differ."""
    if not numeric:
        return np.asarray(one != two, dtype=np.float64)
    return np.where((one < 0) != (two < 0), 1.0, np.abs(one - two))


CHECK = Coverage()
