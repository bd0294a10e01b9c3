"""The challenge played on history: recorded sales are demand, and the published benchmark policy leads up to the first round."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from panel import HOLDING, LEAD, SHORTAGE, WEEKS, Sales

from holdgood.core.inventory import Observation, OrderPolicy, Stock, Terms
from holdgood.decisions.simulator import Outcome, World, simulate

WARM = 13
"""Weeks under the benchmark policy before the first round: several lead times, so that little is left of how it began."""
WINDOWS = tuple(range(93, 150, 8))
"""Weeks known at the first round of each window; the windows do not overlap, and the last one ends with the history."""


def terms(n: int) -> Terms:
    """Holding 0.2, lost sales 1, two full weeks on the way."""
    return Terms.of(n, holding=HOLDING, shortage=SHORTAGE, lead=LEAD, pack=1)


def benchmark_levels(sales: Sales) -> np.ndarray:
    """The published policy's forecast of the next four weeks together, (n,): seasonal factors over all series, 13-week moving average."""
    units, weeks = sales.units, np.minimum(sales.week, 52)
    of_week = np.array([np.nanmean(units[:, weeks == w]) if (weeks == w).any() else np.nan for w in range(1, 53)])
    factor = np.where(np.isnan(of_week), 1.0, of_week / np.nanmean(of_week))
    recent = units[:, -13:] / factor[weeks[-13:] - 1]
    count = (~np.isnan(recent)).sum(1)
    average = np.where(count > 0, np.nansum(recent, axis=1) / np.maximum(count, 1), 0.0)
    following = (weeks[-1] - 1 + np.arange(1, 5)) % 52
    return np.asarray(average * factor[following].sum())


@dataclass(frozen=True)
class UpTo:
    """Orders up to levels (rounds, n), one row a decision."""

    levels: np.ndarray
    name: str

    def order(self, seen: Observation) -> np.ndarray:
        """Rounded to whole units."""
        return np.maximum(np.round(self.levels[seen.step + 1] - seen.stock.position), 0.0)


@dataclass(frozen=True)
class Then:
    """The benchmark policy up to the first round, ``agent`` from there; the agent's steps count from the first round, as in the challenge."""

    before: OrderPolicy
    agent: OrderPolicy

    @property
    def name(self) -> str:
        return self.agent.name

    def order(self, seen: Observation) -> np.ndarray:
        """Units (n,)."""
        if seen.step + 1 < WARM:
            return self.before.order(seen)
        return self.agent.order(Observation(seen.step - WARM, seen.sales, seen.in_stock, seen.stock, seen.terms))


@lru_cache
def _levels(sales: Sales, first: int) -> np.ndarray:
    """(rounds, n) of the benchmark policy from ``first`` known weeks on."""
    return np.stack([benchmark_levels(sales.until(first + k)) for k in range(WARM + WEEKS)])


def played(agent: OrderPolicy, sales: Sales, recorded: np.ndarray, known: int) -> Outcome:
    """One window of eight weeks from ``known`` weeks on; costs of the six weeks that the rounds decide."""
    first = known - WARM
    levels = _levels(sales, first)
    start = Stock(np.ceil(levels[0] / 2), np.tile(np.round(levels[0] / 4)[:, None], (1, LEAD)), np.zeros(len(recorded)))
    past = recorded[:, :first]
    world = World(
        terms(len(recorded)), start, recorded[:, None, first : known + WEEKS], past, np.ones(past.shape, bool),
        since=WARM + LEAD,
    )  # fmt: skip
    before = UpTo(levels, "published benchmark")
    return simulate(before if agent is BENCHMARK else Then(before, agent), world)


BENCHMARK = UpTo(np.zeros((0, 0)), "published benchmark")
