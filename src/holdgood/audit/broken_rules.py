"""Rules between columns, held against all rows: which cells contradict them, and what the rule says should stand there."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from holdgood.audit import columns
from holdgood.audit.coded import Coded, coded
from holdgood.audit.dependencies import LEAST_GROUP, MAJORITY, NEARLY_EXACT, Groups, alike, explained_by, groups
from holdgood.audit.rules_found import Looked, Rule, look, pair
from holdgood.core.table import Table

FILLED = 0.9
VARIED = 0.3
FEW = 10
_MOST_RULES = 12
_MOST_KEYS = 20_000


@dataclass(frozen=True)
class Contradiction:
    """Columns that one key settles. ``wrong`` and ``empty``: int, how many of a row's cells contradict or lack what is known.

    ``values``: by column the lists [key …, value] for the keys with such cells, in the order of the keys' content.
    ``cells``: how many cells differ from what ``values`` says, other ways of writing included.
    ``either``: key and column say the same of each other, and nothing tells which is wrong; ``key_wrong``: rows in which
    several columns contradict at once.
    """

    key: tuple[str, ...]
    columns: tuple[str, ...]
    wrong: np.ndarray
    empty: np.ndarray
    values: dict[str, list[list[Any]]]
    rows: int
    keys: int
    kappa: float
    share_broken: float
    cells: int
    key_wrong: int
    either: bool


@dataclass
class _Broken:
    rule: Rule
    key: np.ndarray
    value: Coded
    found: Groups
    wrong: np.ndarray
    empty: np.ndarray
    either: bool


def contradictions(table: Table) -> list[Contradiction]:
    """What breaks the rules of a table; nothing where all rules are exact."""
    looked = look(table)
    whole = _Whole(table)
    by_key: dict[tuple[str, ...], list[_Broken]] = defaultdict(list)
    for column, rules in _suspects(looked):
        told = _hold(whole, looked, column, rules)
        if told is not None:
            by_key[told.rule.key].append(told)
    return _without_twins([_one(table, whole, key, some, looked) for key, some in by_key.items()])


class _Whole:
    """Codes of all rows, made once for each column that is asked for."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.kept: dict[str, Coded] = {}

    def column(self, name: str) -> Coded:
        if name not in self.kept:
            self.kept[name] = coded(self.table, name)
        return self.kept[name]

    def key(self, names: tuple[str, ...]) -> np.ndarray:
        codes = self.column(names[0]).codes
        return codes if len(names) == 1 else pair(codes, self.column(names[1]).codes)


def _on_sample(looked: Looked, rule: Rule) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    key = looked.codes[rule.key[0]]
    key = key if len(rule.key) == 1 else pair(key, looked.codes[rule.key[1]])
    value = looked.codes[rule.column]
    return key, value, _against(rule.found, key, value)


def _against(found: Groups, key: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Boolean, one a row: the cell differs from a clear majority of its group."""
    clear = (found.rows >= LEAST_GROUP) & (found.most >= MAJORITY * found.rows)
    at = np.clip(key, 0, len(found.rows) - 1)
    known = _in(key, found) & (value >= 0)
    return np.asarray(known & clear[at] & (value != found.best[at]))


def _in(key: np.ndarray, found: Groups) -> np.ndarray:
    """Boolean, one a row: the key is among the groups (keys whose values are all unknown may lie beyond the last)."""
    return np.asarray((key >= 0) & (key < len(found.rows)))


def _suspects(looked: Looked) -> list[tuple[str, list[Rule]]]:
    """Columns whose best rule is broken in the sample the way errors break it."""
    out = []
    for column, rules in looked.rules.items():
        if not rules:
            continue
        best = rules[0]
        key, value, wrong = _on_sample(looked, best)
        if not wrong.any():
            continue
        also_settled = {r.column for some in looked.rules.values() for r in some if r.key == best.key}
        others = [c for n, c in looked.codes.items() if n not in best.key and n != column and n not in also_settled]
        honest = wrong & np.isin(value, best.found.best[best.found.kept]) if best.found.strays else wrong
        if alike(key, value, honest, best.found.best) or explained_by(wrong, others):
            continue
        out.append((column, rules))
    return sorted(out, key=lambda p: -p[1][0].found.kappa)[:_MOST_RULES]


def _hold(whole: _Whole, looked: Looked, column: str, rules: list[Rule]) -> _Broken | None:
    """Count a rule on all rows. Where other keys settle the column too, a cell is wrong only if most of them say so."""
    rule, value = rules[0], whole.column(column)
    leading = _leading(looked, rule, value, whole)
    key = whole.key(rule.key)
    found = groups(key, np.where(leading, value.codes, -1))
    if found is None:
        return None
    wrong = _against(found, key, value.codes)
    against = np.ones(len(key))
    votes = np.ones(len(key))
    for other in rules[1:4]:
        its_key = whole.key(other.key)
        its = groups(its_key, np.where(leading, value.codes, -1))
        if its is None:
            continue
        at = np.clip(its_key, 0, len(its.rows) - 1)
        says = _in(its_key, its) & (its.rows[at] >= LEAST_GROUP)
        votes += says
        against += says & (its.best[at] != value.codes)
    wrong &= 2 * against >= votes
    either = len(rules) == 1 and len(rule.key) == 1 and any(r.key == (column,) for r in looked.rules[rule.key[0]])
    clear = (found.rows >= LEAST_GROUP) & (found.most >= FILLED * found.rows)
    at = np.clip(key, 0, len(found.rows) - 1)
    empty = (value.codes < 0) & _in(key, found) & clear[at] & (found.broken <= 5 * NEARLY_EXACT)
    # a measured number names nothing: a few exceptions to what it seems to settle are no errors
    named = any(columns.is_text(whole.table, k) for k in rule.key)
    told = wrong.sum() >= (2 if named else FEW) or (named and wrong.any() and found.guess >= VARIED)
    return _Broken(rule, key, value, found, wrong, empty, either) if told else None


def _leading(looked: Looked, rule: Rule, value: Coded, whole: _Whole) -> np.ndarray:
    """Boolean, one a row: the value leads in some group of the sample; strays do not vote."""
    in_sample = value.codes[looked.rows]
    key, codes, _ = _on_sample(looked, rule)
    leads = rule.found.best[np.clip(key, 0, len(rule.found.best) - 1)] == codes
    known = np.zeros(len(value.values) + 1, dtype=bool)
    known[in_sample[leads & (in_sample >= 0)]] = True
    unseen = np.ones(len(value.values) + 1, dtype=bool)
    unseen[in_sample[in_sample >= 0]] = False
    both = known | unseen
    both[-1] = False
    return np.asarray(both[value.codes])


def _one(table: Table, whole: _Whole, key: tuple[str, ...], some: list[_Broken], looked: Looked) -> Contradiction:
    """Put the columns of one key together; rows that contradict in several have a wrong key, if anything."""
    some = sorted(some, key=lambda b: table.names.index(b.rule.column))
    settled = sum(any(r.key == key for r in rules[:1]) for rules in looked.rules.values())
    times = np.sum([b.wrong for b in some], axis=0)
    key_wrong = (times >= 2) & (2 * times >= settled) if len(some) > 1 else np.zeros(len(times), dtype=bool)
    values: dict[str, list[list[Any]]] = {}
    empty = np.zeros(len(times), dtype=np.int64)
    cells = 0
    parts = [whole.column(k) for k in key]
    for b in some:
        b.wrong &= ~key_wrong
        empty += b.empty
        if not b.either:
            hit = np.unique(b.key[b.wrong | b.empty])
            values[b.rule.column] = _values(parts, b)
            cells += changed(b.key, hit, b.found.best, b.value)
    wrong = np.sum([b.wrong for b in some], axis=0)
    rows = int(some[0].found.rows[some[0].found.kept].sum())
    return Contradiction(
        key,
        tuple(b.rule.column for b in some),
        wrong,
        empty,
        {c: v for c, v in values.items() if v},
        rows,
        int(some[0].found.kept.sum()),
        min(b.found.kappa for b in some),
        max(float(b.wrong.sum()) / rows for b in some),
        cells,
        int(key_wrong.sum()),
        any(b.either for b in some),
    )


def _values(parts: list[Coded], b: _Broken) -> list[list[Any]]:
    """[key …, value] for each key that has cells to set, in the order of the keys' content."""
    hit = np.flatnonzero(b.wrong | b.empty)
    _, first = np.unique(b.key[hit], return_index=True)
    rows = hit[first][:_MOST_KEYS]
    return [
        [*(as_plain(p.values[p.codes[r]]) for p in parts), as_plain(b.value.values[b.found.best[b.key[r]]])]
        for r in rows.tolist()
    ]


def changed(key: np.ndarray, hit: np.ndarray, best: np.ndarray, value: Coded) -> int:
    """How many cells of the listed keys do not read as they should."""
    listed = np.zeros(len(best) + 1, dtype=bool)
    listed[hit] = True
    at = np.where((key >= 0) & (key < len(best)), key, len(best))
    should = np.append(best, -1)[at]
    return int((listed[at] & (value.raw != should)).sum())


def as_plain(value: object) -> Any:
    """A value as it can stand in a declaration."""
    return value.isoformat(sep=" ") if isinstance(value, datetime) else value


def _without_twins(told: list[Contradiction]) -> list[Contradiction]:
    """Of two columns that settle each other, and break the rule in the same rows, one is told: the one that others accuse too."""
    accused = [c for o in told if not o.either for c in o.columns]
    out: list[Contradiction] = []
    for c in told:
        twin = any(o.either and set(o.columns) & set(c.key) and set(o.key) & set(c.columns) for o in out)
        settled = c.either and any(k in accused for k in c.key)
        if not (c.either and (twin or settled)) and (int(c.wrong.sum()) or int(c.empty.sum())):
            out.append(c)
    return out
