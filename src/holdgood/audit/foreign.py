"""Pairs of columns, in some rows of which both hold a value that is strange there and at home in the other.

The two columns' distributions and the share of exchanged rows are estimated together (expectation and maximisation, the two
taken as independent). A row counts where exchanging it is more than ten thousand times as likely as not; the count is held
against rows put together at random, in which honest strangers meet just as often.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from holdgood.audit.factors import tail

ROWS = 5
CERTAIN = 9.0
HINT = 4.0
BY_CHANCE = 4.0
LARGEST_SHARE = 0.3
_STEP = 0.05
_REACH = 500
_ROUNDS = 10
_FIRST_ROWS = 8_000


def foreign(values: Sequence[np.ndarray], some: list[int]) -> list[tuple[tuple[int, int], np.ndarray, float]]:
    """(pair, positions of rows more likely exchanged than not, surprise) of pairs among some columns; ``values`` by column."""
    codes = {i: _codes(values[i]) for i in some}
    found = []
    for n, i in enumerate(some):
        for j in some[n + 1 :]:
            if not _hint(codes[i][:_FIRST_ROWS], codes[j][:_FIRST_ROWS]):
                continue
            hit = _settled(codes[i], codes[j])
            if hit is not None:
                found.append(((i, j), *hit))
    return found


def _codes(values: np.ndarray) -> np.ndarray:
    """One number for values that are within five percent of each other; 0 for missing."""
    there = np.isfinite(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.clip(np.round(np.log(np.abs(values)) / _STEP), -_REACH, _REACH)
    place = np.where(values == 0, -_REACH - 1, place) + _REACH + 2
    signed = np.where(values < 0, place + 2 * _REACH + 3, place)
    return np.where(there, signed, 0).astype(np.int64)


_CODES = 4 * _REACH + 8


def _logs(codes: np.ndarray, weight: np.ndarray, others: np.ndarray, other_weight: np.ndarray) -> np.ndarray:
    """Logarithms of a column's distribution: its own rows that stay, and the partner's that come over."""
    counts = np.bincount(codes, weight, _CODES) + np.bincount(others, other_weight, _CODES) + 0.5
    logs: np.ndarray = np.log(counts / counts.sum())
    return logs


def _gain(one: np.ndarray, two: np.ndarray, p: np.ndarray, q: np.ndarray) -> np.ndarray:
    gain: np.ndarray = p[two] + q[one] - p[one] - q[two]
    gain[(one == 0) | (two == 0)] = 0.0
    return gain


def _hint(one: np.ndarray, two: np.ndarray) -> bool:
    """Whether strangers meet more often than by chance, as the columns stand."""
    here = np.ones(len(one))
    none = np.zeros(len(one))
    p, q = _logs(one, here, two, none), _logs(two, here, one, none)
    seen = int((_gain(one, two, p, q) > HINT).sum())
    return (
        seen >= ROWS
        and seen >= 2 * int((_gain(one, _drawn(two), p, q) > HINT).sum())
        and seen < LARGEST_SHARE * len(one)
    )


def _drawn(codes: np.ndarray) -> np.ndarray:
    return np.roll(codes, len(codes) // 2 + 1)


def _settled(one: np.ndarray, two: np.ndarray) -> tuple[np.ndarray, float] | None:
    both = (one > 0) & (two > 0)
    share, weight = 0.02, np.zeros(len(one))
    p, q = _logs(one, 1 - weight, two, weight), _logs(two, 1 - weight, one, weight)
    for _ in range(_ROUNDS):
        odds = np.clip(_gain(one, two, p, q) + np.log(share / (1 - share)), -50, 50)
        weight = np.where(both, 1 / (1 + np.exp(-odds)), 0.0)
        share = float(np.clip(weight.mean(), 1e-4, LARGEST_SHARE))
        p, q = _logs(one, 1 - weight, two, weight), _logs(two, 1 - weight, one, weight)
    hits = np.flatnonzero(_gain(one, two, p, q) > CERTAIN)
    by_chance = int((_gain(one, _drawn(two), p, q) > CERTAIN).sum())
    if len(hits) < ROWS or len(hits) < BY_CHANCE * by_chance or len(hits) > LARGEST_SHARE * len(one):
        return None
    return np.flatnonzero(weight > 0.5), tail(len(hits), len(hits) + by_chance, 0.5)
