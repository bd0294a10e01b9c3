"""How late outcomes come: the chance of being labelled by a given age, from rows that are labelled and rows that still wait."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.traffic import DAY, Traffic


@dataclass(frozen=True)
class Delay:
    """A step function: ``chance[i]`` of being labelled within ``days[i]`` days. Before the first step it is 0."""

    days: np.ndarray
    chance: np.ndarray

    def by(self, age: np.ndarray) -> np.ndarray:
        """Chance of being labelled at these ages in days, (n,)."""
        at = np.searchsorted(self.days, age, side="right") - 1
        return np.where(at >= 0, self.chance[np.maximum(at, 0)] if len(self.chance) else 0.0, 0.0)


def learned(traffic: Traffic) -> Delay:
    """Kaplan & Meier's product limit (1958): rows without an outcome are censored at their age. A lower bound is an answer too.

    >>> from holdgood.monitoring.delay import product_limit
    >>> product_limit(np.array([1.0, 2.0, 3.0]), np.array([True, False, True])).chance.round(3).tolist()
    [0.333, 1.0]
    """
    age = (traffic.as_of - traffic.when) / DAY
    known = traffic.told & np.isfinite(traffic.delay)
    return product_limit(np.where(known, traffic.delay, age), known)


def product_limit(days: np.ndarray, known: np.ndarray) -> Delay:
    """See ``learned``: ``days`` (n,) until the outcome, or until now where it is not ``known``."""
    days = np.maximum(days, 0.0)
    steps, codes = np.unique(days, return_inverse=True)
    events = np.bincount(codes, weights=known, minlength=len(steps))
    leaving = np.bincount(codes, minlength=len(steps))
    at_risk = len(days) - np.r_[0, np.cumsum(leaving)[:-1]] if len(days) else np.zeros(0)
    waits = np.cumprod(1.0 - events / np.maximum(at_risk, 1.0)) if len(days) else np.zeros(0)
    keep = events > 0
    return Delay(steps[keep], 1.0 - waits[keep])
