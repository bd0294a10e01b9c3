"""Which columns settle which others, found on a sample of rows: one key by column, two where one does not do."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from holdgood.audit import columns
from holdgood.audit.coded import coded
from holdgood.audit.dependencies import LEAST_GROUP, LEAST_GROUPS, Groups, entropy, groups, settles
from holdgood.audit.profile import profile
from holdgood.audit.sample import sample
from holdgood.core.table import Table

WIDEST = 40
CLOSE = 1.15
ALONE = 0.6
PAIR_GROUPS = 12
_FIRST_LOOK = 4_000
_FIRST_BAR = 0.3
_PAIRED = 8
_PAIRS_FOR = 12


@dataclass(frozen=True)
class Rule:
    """``key`` settles ``column`` in nearly all rows; ``found``: the counts in the sample."""

    key: tuple[str, ...]
    column: str
    found: Groups


@dataclass(frozen=True)
class Looked:
    """Codes of the columns that can take part, on the sample, and the rules among them, best first for each column."""

    rows: np.ndarray
    codes: dict[str, np.ndarray]
    rules: dict[str, list[Rule]]


def look(table: Table) -> Looked:
    """Find the rules of a table."""
    rows = sample(table)
    codes = {c: coded(table, c, rows).codes for c in _candidates(table, len(rows))}
    height = {c: entropy(v) for c, v in codes.items()}
    rules: dict[str, list[Rule]] = {c: [] for c in codes}
    settled: dict[str, bool] = {}
    for key in codes:
        if not _may_be_key(table, key, codes[key]):
            continue
        first = _in_whole_groups(codes[key])
        for column, values in codes.items():
            if column == key or height[column] <= 0.0 or height[key] < 0.7 * height[column]:
                continue
            some = groups(codes[key][first], values[first])
            if some is None or some.kappa < _FIRST_BAR:
                continue
            found = settles(codes[key], values, words=columns.is_text(table, column))
            if found is not None:
                rules[column].append(Rule((key,), column, found))
                settled[column] = True
    open_ones = [c for c in codes if c not in settled and height[c] > 0.0][:_PAIRS_FOR]
    for rule in _by_two(table, codes, open_ones, rules):
        rules[rule.column].append(rule)
    for column, several in rules.items():
        rules[column] = _ranked(table, several)
    return Looked(rows, codes, rules)


def _ranked(table: Table, several: list[Rule]) -> list[Rule]:
    """The rule that is broken least first; of those that are broken about as little, the one with the fewest keys."""
    if not several:
        return []
    least = min(r.found.broken for r in several)

    def rank(r: Rule) -> tuple[bool, int, float, list[int]]:
        close = r.found.broken <= CLOSE * least + 3.0 / max(1, int(r.found.rows.sum()))
        return not close, len(r.found.rows), round(r.found.broken, 9), [table.names.index(k) for k in r.key]

    return sorted(several, key=rank)


def _candidates(table: Table, rows: int) -> list[str]:
    """Columns whose values repeat, texts before numbers, as far as they go in a wide table."""
    described = profile(table).columns
    fit = [
        (not columns.is_text(table, c.name), i, c.name)
        for i, c in enumerate(described)
        if c.distinct >= 2 and 2 * min(c.distinct, rows) <= rows and table.type_of(c.name) not in ("text", "other")
    ]
    kept = {name for _, _, name in sorted(fit)[:WIDEST]}
    return [n for n in table.names if n in kept]


def _may_be_key(table: Table, column: str, codes: np.ndarray, least: int = LEAST_GROUPS) -> bool:
    """Texts, whole numbers and moments with several values; measured numbers name nothing."""
    if columns.is_numeric(table, column):
        values = columns.numbers(table, column)
        finite = values[np.isfinite(values)][:1000]
        if len(finite) == 0 or np.any(finite != np.round(finite)):
            return False
    return bool(codes.max(initial=-1) + 1 >= least)


def _in_whole_groups(key: np.ndarray) -> np.ndarray:
    """Positions of about 4,000 rows in whole groups, chosen by code in an order that has nothing to do with content."""
    if len(key) <= _FIRST_LOOK:
        return np.arange(len(key))
    mixed = (np.arange(int(key.max()) + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(11)
    size = np.bincount(key[key >= 0], minlength=len(mixed))
    order = np.argsort(mixed, kind="stable")
    order = order[size[order] >= LEAST_GROUP]
    taken = order[: max(12, int(np.searchsorted(np.cumsum(size[order]), _FIRST_LOOK)) + 1)]
    chosen = np.zeros(len(mixed) + 1, dtype=bool)
    chosen[taken] = True
    chosen[-1] = False
    return np.flatnonzero(chosen[key])


def _by_two(table: Table, codes: dict[str, np.ndarray], wanted: list[str], rules: dict[str, list[Rule]]) -> list[Rule]:
    """Two columns that settle a third together, where neither does alone; only columns of few values are paired."""
    fit = [c for c in codes if _may_be_key(table, c, codes[c], 2)]
    fit = sorted(fit, key=lambda c: (not columns.is_text(table, c), table.names.index(c)))[:_PAIRED]
    out = []
    for a, b in combinations(fit, 2):
        if any(r.key == (a,) for r in rules[b]) or any(r.key == (b,) for r in rules[a]):
            continue  # one of them says what the other does
        both = pair(codes[a], codes[b])
        if 3 * (int(both.max(initial=-1)) + 1) > len(both):
            continue
        first = _in_whole_groups(both)
        for column in wanted:
            if column in (a, b):
                continue
            some = groups(both[first], codes[column][first])
            if some is None or some.kappa < _FIRST_BAR:
                continue
            found = settles(both, codes[column])
            alone = [groups(codes[c], codes[column]) for c in (a, b)]
            if found is None or int(found.kept.sum()) < PAIR_GROUPS:
                continue
            if all(g is None or g.kappa <= ALONE * found.kappa for g in alone):
                out.append(Rule((a, b), column, found))
    return out


def pair(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Codes of two columns as one, dense, -1 where either is unknown; in the order of the first, then the second."""
    known = (a >= 0) & (b >= 0)
    width = int(b.max(initial=0)) + 1
    cell = a * width + b
    tall = (int(a.max(initial=0)) + 1) * width
    out = np.full(len(a), -1, dtype=np.int64)
    if tall <= 4 * len(a):
        seen = np.bincount(cell[known], minlength=tall) > 0
        out[known] = (np.cumsum(seen) - 1)[cell[known]]
    else:
        out[known] = np.unique(cell[known], return_inverse=True)[1]
    return out
