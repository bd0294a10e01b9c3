"""The same thing entered twice and not alike: pairs of rows that agree in nearly everything, or carry one name.

Two roads lead to a pair. *Nearly equal rows* differ in one or two columns and share a value that hardly any other row has, or
stand in a table where rows otherwise do not come near each other; they count only where there are more of them than the pairs
that differ in more columns let one expect (numbers of pairs grow at most geometrically with the number of columns in which they
differ). *Rows of one name* share a key that names rows, declared or found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from holdgood.audit import columns
from holdgood.audit.keys import Key, keys, repeated
from holdgood.audit.memory import Memory
from holdgood.audit.profile import profile
from holdgood.audit.rows import column_hash, copies
from holdgood.audit.sample import sample
from holdgood.audit.twins import Twins, twins
from holdgood.core.table import Table

FEWEST = 6
SHARE = 0.0005
_RARE = 3
_PROBES = 5
_INFORMATION = float(np.log(200.0))
_BEYOND = 1.5
_WIDE = 8
_WIDER = 16
_JUDGED = 20_000
_NEAR = 0.05
_ALIKE = 0.65
_STEPS = 2.5


@dataclass(frozen=True)
class Doubles:
    """Pairs of rows (positions, ``first`` < ``second``), the ``compared`` columns, and in which of them they differ.

    ``near``: every differing cell differs by little (5% of the number, a step of its rounding, a slip of the finger, a blank).
    ``weight``: how many pairs of the table each stands for. ``share`` of the rows was looked at.
    """

    compared: tuple[str, ...]
    first: np.ndarray
    second: np.ndarray
    differ: np.ndarray
    near: np.ndarray
    weight: np.ndarray
    share: float

    @property
    def rows(self) -> int:
        """How many rows repeat another one, estimated where only a share was looked at."""
        if len(self.second) == 0:
            return 0
        return round(len(np.unique(self.second)) * float(self.weight.sum()) / len(self.weight))

    def which(self, mask: np.ndarray) -> Doubles:
        """Some of the pairs."""
        return Doubles(
            self.compared,
            self.first[mask],
            self.second[mask],
            self.differ[mask],
            self.near[mask],
            self.weight[mask],
            self.share,
        )

    def only(self, names: tuple[str, ...]) -> Doubles:
        """The same pairs, compared in fewer columns."""
        kept = [self.compared.index(n) for n in names]
        return Doubles(names, self.first, self.second, self.differ[:, kept], self.near, self.weight, self.share)

    def often(self) -> list[str]:
        """The columns in which the pairs differ, most often first, ties in schema order."""
        count = self.differ.sum(axis=0)
        return [self.compared[i] for i in np.argsort(-count, kind="stable") if count[i]]


_near: Memory[Doubles] = Memory()
_named: Memory[Doubles] = Memory()


def nearly_equal(table: Table) -> Doubles:
    """Pairs that differ in one or two columns, where chance does not explain them; remembered while the data lives."""
    return _near.get(table.data, table.columns, lambda: _nearly_equal(table))


def of_one_name(table: Table, key: Key) -> Doubles:
    """Pairs of rows that share a key and are not equal in all other columns; remembered while the data lives."""
    return _named.get(table.data, (table.columns, key), lambda: _of_one_name(table, key))


def entered_twice(table: Table, declared: tuple[str, ...]) -> Doubles:
    """Both kinds of pairs, each once: nearly equal rows, and rows of one name if they are mostly copies of one thing."""
    found = [nearly_equal(table)]
    for key in naming_keys(table, declared):
        named = of_one_name(table, key)
        if one_thing(table, named, key):
            found.append(named.only(found[0].compared))
    first, second = (np.concatenate([getattr(f, side) for f in found]) for side in ("first", "second"))
    _, at = np.unique(first * np.int64(max(1, table.rows)) + second, return_index=True)
    at = np.sort(at)
    return Doubles(
        found[0].compared,
        first[at],
        second[at],
        np.concatenate([f.differ for f in found])[at],
        np.concatenate([f.near for f in found])[at],
        np.concatenate([f.weight for f in found])[at],
        found[0].share,
    )


def one_thing(table: Table, named: Doubles, key: Key) -> bool:
    """Whether rows of one name are mostly copies of one thing: they differ in clearly fewer columns than any two rows do."""
    if len(named.first) == 0:
        return False
    usual = sum(1.0 - _meet(table, name) for name in named.compared if name not in key.columns)
    return float(np.median(named.differ.sum(axis=1))) <= _ALIKE * usual


def _meet(table: Table, name: str) -> float:
    """The chance that two rows agree in a column."""
    hashes = column_hash(table, name, 0)[sample(table)]
    counts = np.unique(hashes, return_counts=True)[1].astype(np.float64)
    return float((counts * (counts - 1.0)).sum() / max(1.0, len(hashes) * (len(hashes) - 1.0)))


def naming_keys(table: Table, declared: tuple[str, ...]) -> tuple[Key, ...]:
    """The declared key, or keys found in the data, that repeat at least once."""
    if declared:
        return (Key(declared, len(repeated(table, declared)[0])),)
    return tuple(k for k in keys(table) if k.repeats)


def exact_by_chance(table: Table, pairs: float) -> bool:
    """Whether so many pairs of rows that are equal in every column are what nearly equal rows let one expect."""
    seen = twins(table)
    if len(seen.first) == 0:
        return False
    # pairs within crowds of equal rows are not among those seen: where these seem few, all are counted
    if seen.level(1) < pairs and not copies(table, table.names).by_chance:
        return False
    rare = _rare(table, seen)
    count = seen.differ.sum(axis=1)
    exact, one, two = (float(seen.weight[rare & (count == k)].sum()) for k in (0, 1, 2))
    return exact < max(FEWEST, 0.001 * table.rows) or exact <= _BEYOND * one * one / max(two, 1.0)


def _nearly_equal(table: Table) -> Doubles:
    seen = twins(table)
    chosen = _beyond_chance(table, seen)
    everything = _compared(table)
    picked = np.flatnonzero(chosen)
    if len(picked) == 0:
        return _described(table, everything, picked, picked, np.empty(0), seen.share)
    picked = picked[np.argsort(seen.second[picked], kind="stable")]
    found = _described(table, everything, seen.first[picked], seen.second[picked], seen.weight[picked], seen.share)
    if len(seen.compared) < len(everything):  # a wide table was compared in some columns only
        found = found.which(found.differ.sum(axis=1) <= 2)
    named_by = {c for k in keys(table) if k.repeats == 0 for c in k.columns}
    if named_by:  # rows that differ only in what names them are different things that look alike
        inside = np.array([name in named_by for name in everything])
        found = found.which(np.asarray(found.differ[:, ~inside].any(axis=1)))
    return found if _enough(table, float(found.weight.sum())) else found.which(np.zeros(len(found.first), dtype=bool))


def _beyond_chance(table: Table, seen: Twins) -> np.ndarray:
    """Boolean, one a pair seen: it differs in one or two columns and such pairs are more than expected."""
    count = seen.differ.sum(axis=1)
    out = np.zeros(len(count), dtype=bool)
    if len(count) == 0:
        return out
    rare = _rare(table, seen)
    weight = [float(seen.weight[rare & (count == k)].sum()) for k in range(5)]
    width = len(seen.compared)
    two = weight[2]
    if width >= _WIDE:
        expected = weight[3] ** 2 / max(weight[4], 1.0)
        mask = rare & (count == 2)
        if _stands_out(table, two, expected) and _enough(table, _spread(seen, mask, 3)):
            out |= mask
        two = min(two, expected)
    mask = rare & (count == 1)
    one = weight[1]
    if _stands_out(table, one, two**2 / max(weight[3], 1.0)) and _not_by_design(table, seen, mask):
        out |= mask
    level = [seen.level(k) for k in range(6)]
    mask = count == 1
    alone = _enough(table, level[1]) and level[1] > 3.0 * (level[2] + level[3])
    if width >= _WIDE and alone and _not_by_design(table, seen, mask):
        out |= mask
    if width >= _WIDER and level[2] > 3.0 * (level[3] + level[4] + level[5]):
        mask = count == 2
        if _enough(table, _spread(seen, mask, 3)):
            out |= mask
    return out


def _not_by_design(table: Table, seen: Twins, mask: np.ndarray) -> bool:
    """Rows meet in pairs, not in crowds, and in more columns than one; in always the same one only where there are many."""
    rows = len(np.unique(seen.second[mask]))
    total = float(seen.weight[mask].sum())
    largest = float((seen.differ[mask].T @ seen.weight[mask]).max())
    return bool(mask.sum() <= 1.5 * rows and (largest <= 0.8 * total or total >= 0.01 * table.rows))


def _enough(table: Table, pairs: float) -> bool:
    return pairs >= max(FEWEST, SHARE * table.rows)


def _stands_out(table: Table, seen: float, expected: float) -> bool:
    return _enough(table, seen) and seen > _BEYOND * expected + 3.0 * float(np.sqrt(expected))


def _rare(table: Table, seen: Twins) -> np.ndarray:
    """Boolean, one a pair: the two rows share a value that at most three rows of the whole table have."""
    out = np.zeros(len(seen.first), dtype=bool)
    count = seen.differ.sum(axis=1)
    if not (count <= 2).any():
        return out
    described = {c.name: c for c in profile(table).columns}
    by_distinct = sorted(
        (k for k, name in enumerate(seen.compared) if np.log(max(described[name].distinct, 1)) >= _INFORMATION),
        key=lambda k: (-described[seen.compared[k]].distinct, k),
    )
    for k in by_distinct[:_PROBES]:
        hashes = column_hash(table, seen.compared[k], k)
        agree = np.flatnonzero(~seen.differ[:, k])
        mine = hashes[seen.first[agree]]
        wanted = np.unique(mine)
        at = np.minimum(np.searchsorted(wanted, hashes), max(0, len(wanted) - 1))
        often = np.bincount(at[wanted[at] == hashes], minlength=len(wanted)) if len(wanted) else np.empty(0)
        out[agree] |= often[np.searchsorted(wanted, mine)] <= _RARE
    return out


def _spread(seen: Twins, mask: np.ndarray, without: int) -> float:
    """Weight of the pairs of two columns, without the commonest combinations of columns: designs repeat the same ones."""
    some = seen.differ[mask].astype(np.float64)
    both = np.triu((some * seen.weight[mask][:, None]).T @ some, 1).ravel()
    return float(np.sort(both)[::-1][without:].sum())


def _of_one_name(table: Table, key: Key) -> Doubles:
    first, second = repeated(table, key.columns)
    one, two = np.minimum(first, second), np.maximum(first, second)
    order = np.lexsort((two, one))
    every = tuple(c.name for c in profile(table).columns if c.type != "other" and c.distinct + (c.missing > 0) > 1)
    found = _described(table, every, one[order], two[order], np.ones(len(one)), 1.0)
    return found.which(np.asarray(found.differ.any(axis=1)))


def _compared(table: Table) -> tuple[str, ...]:
    """Columns in which rows can be alike or not: not constant, not different in every row, not kept only."""
    return tuple(
        c.name
        for c in profile(table).columns
        if c.type != "other" and c.distinct + (c.missing > 0) > 1 and c.distinct < c.rows
    )


def _described(
    table: Table, names: tuple[str, ...], first: np.ndarray, second: np.ndarray, weight: np.ndarray, share: float
) -> Doubles:
    """The pairs with the columns in which they differ, and by how little."""
    differ = np.zeros((len(first), len(names)), dtype=bool)
    near = np.ones(len(first), dtype=bool)
    if len(first) == 0:
        return Doubles(names, first, second, differ, near, weight, share)
    rows, back = np.unique(np.concatenate([first, second]), return_inverse=True)
    some = table.take(rows)
    here, there = back[: len(first)], back[len(first) :]
    for k, name in enumerate(names):
        hashes = column_hash(some, name, k)
        differ[:, k] = hashes[here] != hashes[there]
        apart = np.flatnonzero(differ[:, k])
        if len(apart):
            near[apart] &= _alike(table, some, name, here[apart], there[apart])
    return Doubles(names, first, second, differ, near, weight, share)


def _alike(table: Table, some: Table, name: str, here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Boolean, one a pair: the two cells differ by little, or one is blank."""
    if columns.is_text(some, name):
        words = some.data.column(name).combine_chunks().to_pylist()
        judged = np.zeros(len(here), dtype=bool)
        judged[:_JUDGED] = [_slip(words[i], words[j]) for i, j in zip(here[:_JUDGED], there[:_JUDGED], strict=True)]
        return judged
    values = columns.numbers(some, name)
    one, two = values[here], values[there]
    blank = np.isnan(one) | np.isnan(two)
    described = next(c for c in profile(table).columns if c.name == name)
    if columns.is_moment(some, name) or described.distinct <= 10:
        return np.asarray(blank)
    with np.errstate(invalid="ignore"):
        gap = np.abs(one - two)
        relative = gap <= _NEAR * np.maximum(np.abs(one), np.abs(two))
        step = gap <= _STEPS * _rounding(values)
    little = gap <= 0.25 * described.sd if np.isfinite(described.sd) else np.zeros(len(gap), dtype=bool)
    return np.asarray(blank | ((relative | step) & little))


def _rounding(values: np.ndarray) -> float:
    """The step that the values are rounded to: a power of ten, at most 1."""
    there = values[np.isfinite(values)][:2_000]
    for digits in range(7):
        scaled = there * 10.0**digits
        if np.all(np.abs(scaled - np.round(scaled)) < 1e-6 * np.maximum(1.0, np.abs(scaled))):
            return float(10.0**-digits)
    return 0.0


_PLAIN = re.compile(r"[\W_]+")


def _slip(one: str | None, two: str | None) -> bool:
    """Blank, the same but for case, spaces and signs, or one slip of the finger (two in a long text)."""
    if one is None or two is None:
        return True
    a, b = _PLAIN.sub("", one.casefold()), _PLAIN.sub("", two.casefold())
    if a == b:
        return True
    longest = max(len(a), len(b))
    return longest >= 4 and _within(a, b, 1 if longest < 8 else 2)


def _within(a: str, b: str, most: int) -> bool:
    """Whether at most so many letters are put in, left out, changed or swapped with their neighbour."""
    if abs(len(a) - len(b)) > most:
        return False
    while a and b and a[0] == b[0]:
        a, b = a[1:], b[1:]
    while a and b and a[-1] == b[-1]:
        a, b = a[:-1], b[:-1]
    if max(len(a), len(b)) <= most:
        return True
    if most == 0:
        return False
    swapped = len(a) > 1 and len(b) > 1 and a[0] == b[1] and a[1] == b[0] and _within(a[2:], b[2:], most - 1)
    return swapped or _within(a[1:], b[1:], most - 1) or _within(a[1:], b, most - 1) or _within(a, b[1:], most - 1)
