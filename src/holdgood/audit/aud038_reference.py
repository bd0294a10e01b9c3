"""AUD038: groups that are missing or thin against the population that a table should stand for (``audit.reference``).

Shares are given, or counted in another table (with a weight). Each group's share in the rows has a Wilson interval (Wilson 1927) at
a level that holds for all groups at once (Bonferroni; compare Goodman 1965). A group is thin where its whole interval lies below
what is expected. The rows needed so that a rate within the group is known to the margin: worst case of one half, 95%, with the
finite population correction where the population's size is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa

from holdgood.audit import columns
from holdgood.audit.found import counted, found, listed, percent
from holdgood.core.declaration import ReferenceSpec
from holdgood.core.errors import DataError, DeclarationError, NotApplicable, did_you_mean
from holdgood.core.protocols import AuditContext
from holdgood.core.records.audit import Finding, Picture
from holdgood.core.table import Table

LEVEL = 0.05  # for all groups of one reference together
THIN = 0.9  # of the expected share: less is thin, if proven
GRAVE = 0.8  # less is an issue
Z95 = NormalDist().inv_cdf(0.975)
JOIN = " / "
SUM = 0.005  # by which given shares may miss one
SHOWN = 4
MISSING = "\x01"
"""The group of rows in which a value is missing: no population has it."""


@dataclass(frozen=True)
class Group:
    """One group: its rows, its share of the known rows with an interval, the expected share, and the rows that would do."""

    name: str
    rows: int
    share: float
    low: float
    high: float
    expected: float
    needed: int

    @property
    def missing(self) -> bool:
        """No row at all."""
        return self.rows == 0

    @property
    def thin(self) -> bool:
        """Proven to be less than nine tenths of what is expected."""
        return self.rows > 0 and self.high < self.expected and self.share < THIN * self.expected


class Reference:
    """Compares each declared reference; thin groups and rows of groups that the reference does not know are two findings."""

    code: ClassVar[str] = "AUD038"
    title: ClassVar[str] = "groups against a reference population"
    scope: ClassVar[Literal["tables", "target"]] = "tables"

    def run(self, context: AuditContext) -> list[Finding]:
        """Look at every declared reference."""
        references = context.declaration.audit.reference
        if not references:
            raise NotApplicable("no reference population is declared (audit.reference)")
        out: list[Finding] = []
        for spec in references:
            table = _table(context, spec.table or context.declaration.main)
            if table.rows:
                out += self._look(table, spec, *_expected(context, spec))
        return out

    def _look(
        self, table: Table, spec: ReferenceSpec, expected: dict[str, float], members: dict[str, float]
    ) -> list[Finding]:
        names = _names(table, spec.columns)
        rows = {k: int(n) for k, n in zip(*np.unique(names, return_counts=True), strict=True) if k in expected}
        groups = groups_of({k: rows.get(k, 0) for k in expected}, expected, spec.margin, members)
        return self._thin(table, spec, groups) + self._unknown(table, spec, names, expected)

    def _thin(self, table: Table, spec: ReferenceSpec, groups: list[Group]) -> list[Finding]:
        short = [g for g in groups if g.thin or g.missing]
        if not short:
            return []
        short.sort(key=lambda g: (not g.missing, g.share / g.expected if g.expected else 1.0, -g.expected))
        gone = [g for g in short if g.missing]
        told = "; ".join(_says(g) for g in short[:SHOWN]) + (
            f"; and {len(short) - SHOWN} more" if len(short) > SHOWN else ""
        )
        message = f"{counted(len(short), 'group')} of {listed(spec.columns)} against the declared population: {told}"
        few = [g for g in short if g.rows < g.needed]
        if few:
            message += f"; to know a rate within a group to ±{spec.margin:g}, {max(g.needed for g in few):,} rows of it are needed"
        worst = short[0]
        evidence = {
            "groups": len(groups),
            "groups_missing": len(gone),
            "groups_thin": len(short) - len(gone),
            "worst_share": round(worst.share, 6),
            "worst_expected": round(worst.expected, 6),
            "worst_high": round(worst.high, 6),
            "rows_needed": max(g.needed for g in short),
            "rows_short": sum(max(0, g.needed - g.rows) for g in short),
            "level": LEVEL,
        }
        shown = sorted(groups, key=lambda g: (g.share - g.expected, g.name))[:20]
        return [
            found(
                self,
                "issue" if gone or worst.share < GRAVE * worst.expected else "tip",
                "high" if gone or worst.share < 0.5 * worst.expected else "medium",
                table.name,
                [c for c in spec.columns if c in table.names],
                message,
                rows=sum(g.rows for g in short),
                evidence=evidence,
                sure="likely",
                picture=Picture(
                    title="share of each group against what is expected",
                    form="bars",
                    y=tuple(g.share / g.expected if g.expected else float("nan") for g in shown),
                    labels=tuple(g.name for g in shown),
                    marks=tuple(i for i, g in enumerate(shown) if g.thin or g.missing),
                    y_name="share ÷ expected share",
                ),
            )
        ]

    def _unknown(
        self, table: Table, spec: ReferenceSpec, names: np.ndarray, expected: dict[str, float]
    ) -> list[Finding]:
        strange = np.flatnonzero(~np.isin(names, np.array([*expected, MISSING], dtype=object)))
        rows = len(strange)
        if rows == 0:
            return []
        levels = len(np.unique(names[strange]))
        message = (
            f"{counted(rows, 'row')} ({percent(rows, table.rows)}) of {listed(spec.columns)} belong to {counted(levels, 'group')} that the "
            "declared population does not know"
        )
        return [
            found(
                self,
                "tip",
                "low",
                table.name,
                [c for c in spec.columns if c in table.names],
                message,
                rows=rows,
                evidence={"rows": rows, "groups": levels, "share": round(rows / table.rows, 6)},
                examples=strange,
            )
        ]


def groups_of(
    rows: dict[str, int], expected: dict[str, float], margin: float, members: dict[str, float] | None = None
) -> list[Group]:
    """Compare rows a group with expected shares (of the groups named; they are made to sum to one).

    Wilson intervals at level 0.05 / groups; ``members``: the population's size by group, where it is known.
    """
    total, whole = sum(rows.values()), sum(expected.values())
    z = NormalDist().inv_cdf(1 - LEVEL / (2 * max(1, len(expected))))
    out = []
    for name, share in expected.items():
        n = rows.get(name, 0)
        low, high = wilson(n, total, z)
        needed = rows_needed(margin, (members or {}).get(name))
        out.append(Group(name, n, n / total if total else 0.0, low, high, share / whole if whole else 0.0, needed))
    return out


def wilson(hits: int, n: int, z: float) -> tuple[float, float]:
    """Wilson's interval of a share.

    >>> [round(v, 4) for v in wilson(10, 100, 1.96)]
    [0.0552, 0.1744]
    """
    if n == 0:
        return 0.0, 1.0
    p, w = hits / n, z * z / n
    middle, half = (p + w / 2) / (1 + w), z / (1 + w) * math.sqrt(p * (1 - p) / n + w / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def rows_needed(margin: float, population: float | None = None) -> int:
    """Rows so that a rate is known to ± margin at 95%, whatever the rate; fewer where the population itself is small.

    >>> rows_needed(0.05), rows_needed(0.05, 500)
    (385, 218)
    """
    n = Z95**2 / (4 * margin**2)
    if population is not None and population > 0:
        n = n / (1 + (n - 1) / population)
    return math.ceil(n)


def _says(g: Group) -> str:
    if g.missing:
        return f"`{g.name}` has no row, {percent(g.expected, 1.0)} expected"
    return f"`{g.name}` has {percent(g.share, 1.0)} of the rows ({percent(g.low, 1.0)} to {percent(g.high, 1.0)}), {percent(g.expected, 1.0)} expected"


def _table(context: AuditContext, name: str) -> Table:
    if name not in context.tables:
        raise DeclarationError(
            f"audit.reference names the table {name!r}, which is not there",
            "one of: " + ", ".join(context.tables),
            did_you_mean(name, context.tables) or "declare the table with its source",
        )
    return context.tables[name]


def _expected(context: AuditContext, spec: ReferenceSpec) -> tuple[dict[str, float], dict[str, float]]:
    """Expected share by group, and the population's size by group (empty where shares are given)."""
    if spec.by is None:
        total = sum(spec.shares.values())
        if total <= 0 or total > 1 + SUM:
            raise DeclarationError(
                f"audit.reference: the shares sum to {total:g}",
                "shares that sum to 1 (or less, where groups are left out)",
                "correct the shares",
            )
        return {k: v for k, v in spec.shares.items() if v > 0}, {}
    other = _table(context, spec.by)
    names = _names(other, spec.columns)
    weight = np.ones(other.rows)
    if spec.weight is not None:
        if other.type_of(spec.weight) != "number" or not columns.is_numeric(other, spec.weight):
            raise DataError(
                f"audit.reference: the weight {spec.weight!r} holds no numbers",
                "a column of counts",
                "name another column",
            )
        weight = np.nan_to_num(columns.numbers(other, spec.weight))
        if (weight < 0).any():
            raise DataError(
                f"audit.reference: the weight {spec.weight!r} has negative values",
                "counts of members",
                "correct the table",
            )
    keys, inverse = np.unique(names, return_inverse=True)
    sums = np.bincount(inverse, weights=weight, minlength=len(keys))
    members = {str(k): float(s) for k, s in zip(keys, sums, strict=True) if s > 0 and k != MISSING}
    total = sum(members.values())
    return {k: s / total for k, s in members.items()}, members


def _names(table: Table, names: list[str]) -> np.ndarray:
    """Object array of group names, one a row: the values as text, joined."""
    parts, gone = [], np.zeros(table.rows, dtype=bool)
    for name in names:
        table.type_of(name)  # DataError with a suggestion where it does not exist
        array = table.data.column(name)
        gone |= columns.missing(table, name)
        codes, _ = columns.codes_of(array)
        first = dict(zip(*(a.tolist() for a in np.unique(codes, return_index=True)), strict=True))
        words = {c: MISSING if c < 0 else _word(array[i].as_py(), array.type) for c, i in first.items()}
        lookup = np.array([words[c] for c in sorted(words)], dtype=object)
        parts.append(lookup[np.unique(codes, return_inverse=True)[1]] if table.rows else np.zeros(0, dtype=object))
    out = parts[0]
    for part in parts[1:]:
        out = out + JOIN + part
    out = np.where(gone, MISSING, out)
    return np.asarray(out, dtype=object)


def _word(value: object, kind: pa.DataType) -> str:
    """A level as people write it in a declaration: 3, not 3.0; true, not True."""
    if pa.types.is_boolean(kind):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


CHECK = Reference()
