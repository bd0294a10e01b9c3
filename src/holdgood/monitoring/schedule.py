"""How many false alarms a year: the budget, spent evenly over looks, windows and detectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

YEAR_DAYS = 365.2425
WINDOWS: tuple[int, ...] = (1, 4, 13)
"""A look compares the rows since the last look, of the last four and of the last thirteen: small shifts add up to sure ones."""


def alpha_of_look(budget: float, days: float) -> float:
    """What one look may spend: looks every ``days`` days then expect at most ``budget`` false alarms a year.

    The expected number of looks with a false alarm is at most the sum of what looks spend, however they depend on
    each other and on one and the same reference (linearity of expectation).

    >>> round(alpha_of_look(1.0, 7.0), 4)
    0.0192
    """
    return min(0.5, budget * days / YEAR_DAYS)


def shares(alpha: float, parts: Sequence[str], weights: Mapping[str, float] | None = None) -> dict[str, float]:
    """A look's alpha divided over its parts (detectors, windows), by weight; a part that isn't named weighs one."""
    weight = {p: (weights or {}).get(p, 1.0) for p in parts}
    total = sum(weight.values())
    return {p: alpha * w / total for p, w in weight.items()}
