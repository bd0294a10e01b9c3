"""Streams of correlated rows, week by week, in which something changes or nothing does. NumPy only: peers read it in their own environments."""

from __future__ import annotations

import numpy as np

NUMBERS, WEEKS, CHANGE = 10, 26, 4
"""Columns that are numbers (one category stands beside them); weeks of a stream; the week from which it is changed."""

LEVELS = np.array(list("abcdefgh"))
KINDS = ("abrupt", "gradual", "one group", "joint")
SIZES = {"small": 0.1, "medium": 0.25, "large": 0.6}
JOINT = {"small": 0.15, "medium": 0.3, "large": 0.6}
GRADUAL = 8
SHAKEN = {
    "season": {"season": 0.5},
    "season, weeks shake each number": {"season": 0.5, "shock": 0.3},
    "season, weeks shake all numbers together": {"season": 0.5, "together": 0.5},
}
YEAR = 365.2425


def rows(
    rng: np.random.Generator,
    day: np.ndarray,
    *,
    shift: float = 0.0,
    group: float = 0.0,
    apart: float = 0.0,
    season: float = 0.0,
    shock: float = 0.0,
    together: float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Numbers (n, NUMBERS) with correlation 0.5 and a category (n,), at moments in days.

    ``shift``: of the first number's mean, in standard deviations; ``group``: the same where the category is "b" (about a quarter);
    ``apart``: by how much the correlation of the first two numbers falls; ``season``: amplitude of a yearly wave in every number.
    ``shock`` and ``together``: standard deviation of what a week does to each number alone, and to all numbers together.
    """
    n = len(day)
    shared = rng.normal(size=n)
    x = np.sqrt(0.5) * shared[:, None] + np.sqrt(0.5) * rng.normal(size=(n, NUMBERS))
    if apart:
        linked = 0.5 - apart
        x[:, 1] = linked * x[:, 0] + np.sqrt(1.0 - linked**2) * rng.normal(size=n)
    level = LEVELS[np.minimum(7, rng.geometric(0.4, n) - 1)]
    x[:, 0] += shift + group * (level == "b")
    if season:
        x = x + season * np.sin(2 * np.pi * day[:, None] / YEAR + np.arange(NUMBERS))
    if shock or together:
        weeks = np.floor(day / 7.0).astype(int)
        of_week = weeks - weeks.min()
        count = int(of_week.max()) + 1
        x = x + (shock * rng.normal(size=(count, NUMBERS)) + together * rng.normal(size=(count, 1)))[of_week]
    x[:, 2] = np.exp(x[:, 2])
    x[:, 3] = np.round(x[:, 3] * 2.0)
    return x, level


def reference(
    seed: int, n: int, *, days: float = 730.0, season: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days, numbers and category of a reference that ends at day 0."""
    rng = np.random.default_rng([seed, 1])
    day = -np.sort(rng.random(n) * days)[::-1]
    return day, *rows(rng, day, season=season)


def week(
    seed: int, number: int, n: int, *, kind: str = "", size: str = "", season: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days, numbers and category of one week in use; changed from week ``CHANGE`` on, gradually over ``GRADUAL`` weeks where so asked."""
    rng = np.random.default_rng([seed, 2, number])
    day = np.sort(7.0 * number + 7.0 * rng.random(n))
    since = number - CHANGE
    if not kind or since < 0:
        return day, *rows(rng, day, season=season)
    if kind == "joint":
        return day, *rows(rng, day, apart=JOINT[size], season=season)
    much = SIZES[size] * (min(1.0, (since + 1) / GRADUAL) if kind == "gradual" else 1.0)
    return day, *rows(
        rng,
        day,
        **{"group" if kind == "one group" else "shift": 2.0 * much if kind == "one group" else much},
        season=season,
    )


def lumpy(rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
    """Columns of which a few rows say most: heavy tails, a count, three categories of sixteen levels, three flags that 6% of rows have."""
    shared = rng.normal(size=n)
    out = {f"amount {j}": np.exp(1.5 * (0.7 * shared + 0.7 * rng.normal(size=n))) for j in range(3)}
    out["count"] = np.round(shared + rng.normal(size=n))
    out |= {f"level {j}": np.array(list("abcdefghijklmnop"))[rng.integers(0, 16, n)] for j in range(3)}
    return out | {f"flag {j}": (rng.random(n) < 0.06).astype(float) for j in range(3)}
