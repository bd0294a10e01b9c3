"""A year of a model in use: a season, two real drifts, three scares; and streams of paired losses for promotion decisions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

HISTORY = 730
YEAR = 365
ROWS = 60
"""Rows a day."""

SCARE_DAYS = 28


@dataclass(frozen=True)
class Year:
    """Rows in order of time: day (history is negative), features (n, 4), outcome. Days of drifts and scares."""

    day: np.ndarray
    x: np.ndarray
    y: np.ndarray
    drifts: tuple[int, int]
    scares: tuple[tuple[str, int], ...]


def year(seed: int) -> Year:
    """Two drifts change what the facts mean; scares change the facts alone.

    Scares: a fact that means nothing moves; one that means something moves (rows become other rows, what they mean stays); the season
    comes twice as strong. Winters are colder in the facts and rarer in the outcome, as in the two years of history.
    """
    rng = np.random.default_rng([71, seed])
    drifts, scares = _times(rng)
    day = np.repeat(np.arange(-HISTORY, YEAR), ROWS)
    n = len(day)
    wave = np.cos(2 * np.pi * (day + 20) / 365.25)
    x = rng.normal(size=(n, 4))
    x[:, 3] = 0.8 * wave + 0.6 * rng.normal(size=n)
    for kind, begin in scares:
        there = (day >= begin) & (day < begin + SCARE_DAYS)
        if kind == "a fact that means nothing":
            x[there, 2] += 1.5
        elif kind == "other rows":
            x[there, 0] += 1.0
        else:
            x[there, 3] += 0.8 * wave[there]
    weights = np.tile([1.0, -0.8, 0.0, 0.7], (n, 1))
    for k, moment in enumerate(drifts):
        weights[day >= moment] += rng.uniform(0.6, 1.2) * np.array([[-1.2, 0.0, 0.0, 0.0], [0.0, 1.4, 0.0, 0.0]][k])
    chance = 1.0 / (1.0 + np.exp(-(-0.5 + np.sum(weights * x, axis=1))))
    return Year(day, x, (rng.random(n) < chance).astype(float), drifts, scares)


def _times(rng: np.random.Generator) -> tuple[tuple[int, int], tuple[tuple[str, int], ...]]:
    """Five slots of the year, so that what a retraining answers can be told; which slot is what is drawn."""
    begins = [int(30 + 62 * k + rng.integers(0, 15)) for k in range(5)]
    order = rng.permutation(5)
    first, second = sorted(begins[i] for i in order[:2])
    kinds = ("a fact that means nothing", "other rows", "a strong season")
    return (first, second), tuple(sorted(zip(kinds, (begins[i] for i in order[2:]), strict=True), key=lambda s: s[1]))


KINDS = ("log loss", "days shake their rows", "money, heavy tails")
DAYS, A_DAY = 91, 22


def stream(kind: str, gain: float, seed: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Gains a row with their days, and their true standard error over all rows; the mean is ``gain`` standard errors."""
    rng = np.random.default_rng([72, KINDS.index(kind), round(1000 * gain) + 5000, seed])
    days = np.repeat(np.arange(DAYS), A_DAY)
    n = len(days)
    if kind == "log loss":
        rows, error = _log_loss(rng, n)
    elif kind == "days shake their rows":
        rows = rng.normal(size=n) + 0.6 * rng.normal(size=DAYS)[days]
        error = float(np.sqrt(1.0 / n + 0.36 / DAYS))
    else:
        # few rows carry the money, and on those the two differ either way
        rows = np.where(rng.random(n) < 0.2, rng.lognormal(0.0, 1.2, n) * rng.choice([-1.0, 1.0], n), 0.0)
        error = float(np.sqrt(0.2 * np.exp(2 * 1.44) / n))
    return rows + gain * error, days, error


def _log_loss(rng: np.random.Generator, n: int) -> tuple[np.ndarray, float]:
    """Champion's loss less challenger's: two models equally far from the truth on the logit scale, with mean zero."""
    truth = rng.normal(size=n)
    y = rng.random(n) < 1 / (1 + np.exp(-truth))
    logits = [truth + 0.5 * rng.normal(size=n) for _ in range(2)]
    one, two = (np.logaddexp(0.0, np.where(y, -z, z)) for z in logits)
    return one - two, SPREAD_OF_LOG_LOSS / float(np.sqrt(n))


SPREAD_OF_LOG_LOSS = 0.32542
"""Standard deviation of one row of ``_log_loss``, from ten million rows."""
