"""Ways of ordering that the order sheet compares: each turns a forecast into orders at every review, and sees observations only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.special import ndtri

from holdgood.core.inventory import Observation, OrderPolicy
from holdgood.decisions.inventory.allowed import allowed_at_least
from holdgood.decisions.inventory.base_stock import base_stock_levels
from holdgood.decisions.inventory.gain import gain_of_sale


class Mean(Protocol):
    """A forecast with the size of its errors; ``sigma`` (n,) of a step."""

    @property
    def sigma(self) -> np.ndarray: ...

    def mean(self, seen: Observation, steps: int) -> np.ndarray:
        """(n, steps) of the steps to come."""
        ...


class Sampled(Protocol):
    """A forecast by joint paths."""

    def paths(self, seen: Observation, steps: int) -> np.ndarray:
        """(n, samples, steps) of the steps to come."""
        ...


def span_of(seen: Observation, review: int) -> int:
    """Steps from now until the order after this one arrives."""
    return int(seen.terms.lead.max()) + review


@dataclass(frozen=True, eq=False)
class AtReviews:
    """``policy`` asked at steps -1, ``review`` - 1 and so on only: the calendar binds everyone."""

    policy: OrderPolicy
    review: int

    @property
    def name(self) -> str:
        return self.policy.name

    def order(self, seen: Observation) -> np.ndarray:
        """Units (n,)."""
        if (seen.step + 1) % self.review:
            return np.zeros(len(seen.terms))
        return self.policy.order(seen)


@dataclass(frozen=True, eq=False)
class SafetyStock:
    """Order up to the forecast until the next order arrives plus a normal safety stock, sigma times the root of those steps, at the newsvendor's level."""

    forecast: Mean
    review: int
    name: str

    def order(self, seen: Observation) -> np.ndarray:
        """Units (n,), on the position."""
        steps, gain = span_of(seen, self.review), gain_of_sale(seen.terms)
        safe = ndtri(gain / (gain + self.review * seen.terms.holding)) * self.forecast.sigma * np.sqrt(steps)
        level = self.forecast.mean(seen, steps).sum(axis=1) + safe
        return allowed_at_least(level - seen.stock.position, seen.terms)


@dataclass(frozen=True, eq=False)
class BaseStock:
    """Order up to the level that is cheapest over joint paths, on the position."""

    forecast: Sampled
    review: int
    name: str

    def order(self, seen: Observation) -> np.ndarray:
        """Units (n,)."""
        paths = self.forecast.paths(seen, span_of(seen, self.review))
        level = base_stock_levels(paths, seen.terms, review=self.review)
        return allowed_at_least(level - seen.stock.position, seen.terms)
