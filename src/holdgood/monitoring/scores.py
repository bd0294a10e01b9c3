"""Rows as bounded scores: what is compared when two samples of a feature are compared.

A number becomes the first four Legendre polynomials of its rank among all rows (place, spread, skewness, tails: the smooth
test of Neyman 1937), a level becomes 0 or 1, and so does a gap. Means of scores are then all that tests look at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.frame import Frame

FEW_VALUES = 30
"""Numbers with at most this many different values are also compared value by value."""

LEVELS = 50
SPIKE = 0.05
BEYOND = 5
"""The kind of a score that tells a number's place beyond what the other features let expect (``beyond.py``)."""
_GRID = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class Scores:
    """Scores of all rows, (rows, scores); the first ``n`` rows are the reference. ``owner``: the feature of each score.

    ``kind``: 1…4 the degree of a rank polynomial, 0 a level, -1 a gap, ``BEYOND`` the place beyond what other features let expect.
    """

    values: np.ndarray
    owner: np.ndarray
    kind: np.ndarray
    n: int

    @property
    def m(self) -> int:
        """Rows in use."""
        return len(self.values) - self.n

    @property
    def firsts(self) -> list[int]:
        """Positions of one score a feature: the rank of a number, the most common level of a category."""
        picked = []
        for feature in np.unique(self.owner):
            mine = np.flatnonzero(self.owner == feature)
            ranks = mine[self.kind[mine] == 1]
            levels = mine[self.kind[mine] == 0]
            if len(ranks) or len(levels):
                picked.append(int((ranks if len(ranks) else levels)[0]))
        return picked

    @property
    def say(self) -> np.ndarray:
        """Each score's part of the family, (scores,): every feature has one say, of which a number's place (by itself and beyond) has half.

        Most changes move a place, and a number that is also compared value by value must not be heard thirty times.
        """
        part = np.ones(len(self.owner))
        for feature in np.unique(self.owner):
            mine = self.owner == feature
            of_place = np.isin(self.kind, (1, BEYOND))
            place, rest = mine & of_place, mine & ~of_place
            both = place.any() and rest.any()
            for part_of in (place, rest):
                part[part_of] = (0.5 if both else 1.0) / max(1, int(part_of.sum()))
        return part


def scores(reference: Frame, current: Frame) -> Scores:
    """Scores of two samples of the same features; constant scores are left out."""
    n = len(reference)
    columns: list[np.ndarray] = []
    owner: list[int] = []
    kind: list[int] = []
    for i, feature in enumerate(reference.features):
        for degree, column in _of(feature.type, reference.arrays[i], current.arrays[i]):
            if len(column) and column.min() < column.max():
                columns.append(column)
                owner.append(i)
                kind.append(degree)
    values = np.stack(columns, axis=1) if columns else np.zeros((n + len(current), 0))
    return Scores(values, np.array(owner, int), np.array(kind, int), n)


def distance(shift: np.ndarray, kind: np.ndarray) -> float:
    """How far two distributions of one feature lie apart, 0 to 1, from the shifts (scores,) of its mean scores.

    For numbers the largest gap between the distribution functions that the rank scores describe (KS distance); for levels
    half the sum of the gaps (total variation); for gaps the difference of the shares. The largest of them.
    """
    ranks = (kind > 0) & (kind != BEYOND)
    found = [0.0]
    if ranks.any():
        gap = sum(shift[j] * _integral(int(kind[j])) for j in np.flatnonzero(ranks))
        found.append(float(np.max(np.abs(gap))))
    if (kind == BEYOND).any():
        found.append(float(np.max(np.abs(shift[kind == BEYOND][:, None] * _integral(1)))))
    if (kind == 0).any():
        # Of a number's common values only some have scores: the largest gap is the whole truth there too.
        moved = np.abs(shift[kind == 0])
        found.append(float(max(moved.max(), 0.5 * moved.sum())))
    if (kind == -1).any():
        found.append(float(np.max(np.abs(shift[kind == -1]))))
    return min(1.0, max(found))


def _of(kind: str, before: np.ndarray, now: np.ndarray) -> list[tuple[int, np.ndarray]]:
    both = np.concatenate([before, now])
    if kind == "number":
        return _number(np.asarray(both, np.float64))
    if kind == "text":
        return _number(np.array([np.nan if v is None else float(len(v)) for v in both]))
    gone = np.array([v is None for v in both], bool)
    # Texts compare as bytes of one fixed type: np.unique on Python strings is many times slower.
    return [(-1, gone.astype(np.float64)), *_levels(np.where(gone, "", both).astype("U"), gone)]


def _number(values: np.ndarray) -> list[tuple[int, np.ndarray]]:
    gone = np.isnan(values)
    found: list[tuple[int, np.ndarray]] = [(-1, gone.astype(np.float64))]
    present = values[~gone]
    if len(present) == 0:
        return found
    levels, codes, counts = np.unique(present, return_inverse=True, return_counts=True)
    middle = (np.cumsum(counts) - 0.5 * counts) / len(present)
    u = 2.0 * middle[codes] - 1.0
    for degree, polynomial in enumerate(_legendre(u), start=1):
        column = np.zeros(len(values))
        column[~gone] = polynomial
        found.append((degree, column))
    common = np.arange(len(levels)) if len(levels) <= FEW_VALUES else np.flatnonzero(counts >= SPIKE * len(present))
    for level in common:
        column = np.zeros(len(values))
        column[~gone] = codes == level
        found.append((0, column))
    return found


def _levels(values: np.ndarray, gone: np.ndarray) -> list[tuple[int, np.ndarray]]:
    levels, codes, counts = np.unique(values[~gone], return_inverse=True, return_counts=True)
    # Ties by the levels themselves, whose order does not depend on the order of rows.
    order = np.argsort(-counts, kind="stable")
    found = []
    for level in order[:LEVELS]:
        column = np.zeros(len(values))
        column[~gone] = codes == level
        found.append((0, column))
    if len(levels) > LEVELS:
        column = np.zeros(len(values))
        column[~gone] = np.isin(codes, order[LEVELS:])
        found.append((0, column))
    return found


def _legendre(u: np.ndarray) -> tuple[np.ndarray, ...]:
    """The first four Legendre polynomials on -1…1, with variance one under the uniform distribution."""
    s = u * u
    return (
        np.sqrt(3.0) * u,
        np.sqrt(5.0) * 0.5 * (3.0 * s - 1.0),
        np.sqrt(7.0) * 0.5 * (5.0 * s - 3.0) * u,
        3.0 * 0.125 * ((35.0 * s - 30.0) * s + 3.0),
    )


def _integral(degree: int) -> np.ndarray:
    """The integral of a polynomial from 0 to each point of a grid: what a shift of its mean does to the distribution."""
    steps = _legendre(2.0 * _GRID - 1.0)[degree - 1]
    area: np.ndarray = np.concatenate([[0.0], np.cumsum(0.5 * (steps[1:] + steps[:-1]) * (_GRID[1] - _GRID[0]))])
    return area
