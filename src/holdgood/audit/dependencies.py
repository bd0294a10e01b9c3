"""Does one column settle another? Counted over groups of rows that share a key, with the cells that break the rule.

A dependency is called one only where agreement within groups is far from what the column's own values would give by chance,
and where what breaks it is strewn over the groups as errors are, not gathered in a few as honest exceptions are.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

LEAST_GROUP = 3
LEAST_GROUPS = 5
LEAST_ROWS = 30
MOST_BROKEN = 0.12
AGAINST_GUESS = 0.25
AGREEMENT = 0.65
GATHERED = 0.4
NOISE = 1.5
MAJORITY = 2.0 / 3.0
NEARLY_EXACT = 0.01
STRAYS = 5
EVERYWHERE = 10
VARIED = 0.005
ALIKE = 1.25
EXPLAINED = 0.6
EXPLAINED_LEAST = 5
EXPLAINED_RARE = 0.2


@dataclass(frozen=True)
class Groups:
    """Cells counted by key and value. ``rows``, ``best`` and ``most``: by group, how many, which value leads, with how many.

    ``agreement`` of two rows of a group, ``chance``: of any two rows; ``guess``: the share that the commonest value misses;
    ``strays``: values that lead nowhere were left out.
    """

    rows: np.ndarray
    best: np.ndarray
    most: np.ndarray
    agreement: float
    chance: float
    guess: float
    strays: bool = False

    @property
    def kept(self) -> np.ndarray:
        """Groups that are large enough to say something."""
        return self.rows >= LEAST_GROUP

    @property
    def broken(self) -> float:
        """The share of rows, in groups that say something, that do not hold the leading value."""
        kept = self.kept
        total = self.rows[kept].sum()
        return float((self.rows[kept] - self.most[kept]).sum() / total) if total else 1.0

    @property
    def kappa(self) -> float:
        """Agreement of two rows of a group beyond what any two rows have."""
        return (self.agreement - self.chance) / (1.0 - self.chance) if self.chance < 1.0 else 0.0

    @property
    def gathered(self) -> tuple[float, float]:
        """How unevenly groups are broken: the squared coefficient of variation of their rates, noise taken out, and its error."""
        kept = self.kept
        rows = self.rows[kept].astype(np.float64)
        wrong = rows - self.most[kept]
        expected = self.broken * rows
        squares = float((expected**2).sum())
        if squares <= 0.0:
            return 0.0, 0.0
        return float((((wrong - expected) ** 2) - wrong).sum()) / squares, float(np.sqrt(2.0 / squares))


def groups(key: np.ndarray, value: np.ndarray) -> Groups | None:
    """Count the values of one column within the groups of another; codes are int64, -1 where unknown. None without groups."""
    known = (key >= 0) & (value >= 0)
    k, v = key[known], value[known]
    if len(k) < LEAST_ROWS:
        return None
    width = int(v.max()) + 1
    tall = int(k.max()) + 1
    if tall * width <= 8 * len(k):
        table = np.bincount(k * width + v, minlength=tall * width)
        cell = np.flatnonzero(table)
        counts = table[cell]
    else:
        cell, counts = np.unique(k * width + v, return_counts=True)
    of, what = cell // width, cell % width
    rows = np.bincount(of, weights=counts, minlength=tall).astype(np.int64)
    most = np.zeros(tall, dtype=np.int64)
    np.maximum.at(most, of, counts)
    leads = counts == most[of]
    best = np.full(tall, -1, dtype=np.int64)
    # of values with equally many rows the first by content leads
    at = np.flatnonzero(leads)[::-1]
    best[of[at]] = what[at]
    said = rows[of] >= LEAST_GROUP
    total = float(counts[said].sum())
    if total < LEAST_ROWS or int((rows >= LEAST_GROUP).sum()) < LEAST_GROUPS:
        return None
    pairs = counts[said].astype(np.float64)
    agreement = float((pairs * (pairs - 1.0) / (rows[of[said]] - 1.0)).sum() / total)
    shares = np.bincount(what[said], weights=pairs) / total
    return Groups(rows, best, most, agreement, float((shares**2).sum()), float(1.0 - shares.max()))


def holds(found: Groups) -> bool:
    """Whether the key settles the value in nearly all rows, and what breaks it looks like errors."""
    uneven, error = found.gathered
    return (
        found.kappa >= AGREEMENT
        and found.broken <= MOST_BROKEN
        and found.broken <= AGAINST_GUESS * found.guess
        and uneven <= GATHERED + NOISE * error
    )


def settles(key: np.ndarray, value: np.ndarray, *, words: bool = False) -> Groups | None:
    """The groups where the key settles the value, None where it does not.

    Of ``words`` those that lead in no group, strewn over many, are what errors look like ("xl" beside "al" in twenty
    cities): they are left out first, where without them the rule is nearly exact.
    """
    found = groups(key, value)
    if found is None or holds(found):
        return found
    if not words:
        return None
    leading = np.zeros(int(value.max(initial=0)) + 2, dtype=bool)
    leading[found.best[found.kept]] = True
    out = (value >= 0) & (key >= 0) & ~leading[value]
    strays = out & np.isin(value, _strewn(key[out], value[out]))
    if not STRAYS <= strays.sum() <= MOST_BROKEN * (value >= 0).sum():
        return None
    without = groups(key, np.where(strays, -1, value))
    if without is None or without.broken > NEARLY_EXACT or without.guess < VARIED or not holds(without):
        return None
    return replace(without, strays=True)


def _strewn(key: np.ndarray, value: np.ndarray) -> np.ndarray:
    """The values that come in many groups, or hardly ever twice in one; a rare but honest value keeps to its group."""
    if len(value) == 0:
        return value
    width = int(value.max()) + 1
    cells = np.unique(key * width + value)
    rows, seen = np.bincount(value, minlength=width), np.bincount(cells % width, minlength=width)
    return np.flatnonzero((seen >= LEAST_GROUP) & ((rows <= 2 * seen) | (seen >= EVERYWHERE)))


def explained_by(wrong: np.ndarray, others: list[np.ndarray]) -> bool:
    """Whether what breaks a rule shares a value of another column that is rare elsewhere: then it is another case, no error.

    ``wrong``: boolean, one a row; ``others``: codes of other columns.
    """
    hits = int(wrong.sum())
    if hits < EXPLAINED_LEAST:
        return False
    for codes in others:
        known = codes >= 0
        rows = np.bincount(codes[known])
        here = np.bincount(codes[known & wrong], minlength=len(rows))
        if np.any((here >= EXPLAINED * hits) & (rows <= EXPLAINED_RARE * len(wrong))):
            return True
    return False


def alike(key: np.ndarray, value: np.ndarray, wrong: np.ndarray, best: np.ndarray) -> bool:
    """Whether exceptions of one group resemble each other far more than chance makes them: then they are no errors.

    Where most houses of three rooms have three bedrooms, the others have two or four; errors are drawn from everywhere.
    ``best``: the leading value by group.
    """
    k, v = key[wrong], value[wrong]
    if len(k) < 2:
        return False
    width = int(value.max()) + 1
    marginal = np.bincount(value[value >= 0], minlength=width) / max(1, int((value >= 0).sum()))
    of, inverse = np.unique(k, return_inverse=True)
    in_group = np.bincount(inverse)
    cells = np.unique(inverse * width + v, return_counts=True)[1]
    met = float((cells * (cells - 1.0)).sum())
    # the leading value of a group is no exception there: its share is taken out
    lead = marginal[best[of]]
    squares = np.maximum((marginal**2).sum() - lead**2, 0.0) / np.maximum(1.0 - lead, 1e-12) ** 2
    expected = float((in_group * (in_group - 1.0) * squares).sum())
    return bool(met > ALIKE * expected + 4.0 * np.sqrt(expected) + 4.0)


def entropy(codes: np.ndarray) -> float:
    """Of the known codes, in nats."""
    known = codes[codes >= 0]
    if len(known) == 0:
        return 0.0
    share = np.bincount(known) / len(known)
    share = share[share > 0]
    return float(-(share * np.log(share)).sum())
