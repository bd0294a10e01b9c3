"""How much of each item: the one place where a plan and the policy that is tried in a simulator decide."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from holdgood.core.inventory import Terms
from holdgood.decisions.inventory.allowed import allowed_at_least
from holdgood.decisions.inventory.projected import BestOrders, best_orders
from holdgood.decisions.inventory.sampled_leads import sampled_arrivals, sampled_leads
from holdgood.decisions.inventory.service import needed_for_service
from holdgood.workflow.ordering.limits import Binding
from holdgood.workflow.ordering.shortfall import level_curve, weighed
from holdgood.workflow.ordering.terms import Conditions


@dataclass(frozen=True, eq=False)
class Arrivals:
    """What came of chance: ``leads`` (n, samples), None where lead times are certain; ``arriving`` (n, samples, steps) of open orders, None where
    all of them are dated.
    """

    leads: np.ndarray | None = None
    arriving: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Quantities:
    """``quantity`` (n,) and what led to it: ``free`` before what binds all items together, ``why`` that changed it; ``wanted`` before packs and
    minima. ``terms``: those that were decided under, nothing allowed where no order is taken now.
    """

    quantity: np.ndarray
    free: np.ndarray
    wanted: np.ndarray
    why: np.ndarray
    best: BestOrders
    came: Arrivals
    terms: Terms


def decided(
    paths: np.ndarray, conditions: Conditions, whole: np.ndarray, bound: Binding | None = None, seed: int = 0
) -> Quantities:
    """The orders of now; ``paths`` (n, samples, steps). ``whole`` (n,) bool: sold in whole units; others are ordered in amounts that people
    write, where no pack says otherwise. ``bound``: what binds the orders of all these items together.
    """
    stock, level, review, came = conditions.stock, conditions.level, conditions.review, _drawn(paths, conditions, seed)
    shut = conditions.closed != ""
    given = conditions.terms
    terms = replace(given, minimum=np.where(shut, 0.0, given.minimum), maximum=np.where(shut, 0.0, given.maximum))
    best = best_orders(paths, stock, terms, review=review, leads=came.leads, arriving=came.arriving)
    served = needed_for_service(best.projection, level)
    quantity = written_amount(
        np.where(conditions.service, allowed_at_least(served, terms), best.quantity), terms, whole
    )
    free, why = quantity, [""] * len(quantity)
    if bound is not None:
        need = np.maximum(best.projection.need, 0.0)
        by_level = level_curve(need, served, quantity, terms, review, level)
        curve = weighed(best.several.curve(best.projection.curve), by_level, conditions.service)
        quantity, why = bound.bound(curve, replace(conditions, terms=terms), quantity, whole), bound.why
    alone = np.where(terms.fixed > 0, best.quantity, np.maximum(best.projection.curve.lowest(), 0.0))
    wanted = np.where(conditions.service, served, alone)
    return Quantities(quantity, free, wanted, np.array(why, dtype=object), best, came, terms)


def _drawn(paths: np.ndarray, conditions: Conditions, seed: int) -> Arrivals:
    """A lead time a path, and when open orders without a date come; drawn apart from demand."""
    if conditions.seen is None:
        return Arrivals()
    rng = np.random.default_rng([seed, 1])
    leads = sampled_leads(conditions.seen, paths.shape[:2], rng)
    if conditions.unsure is None or conditions.waited is None or not conditions.unsure.any():
        return Arrivals(leads)
    arriving = sampled_arrivals(
        conditions.unsure, conditions.waited, conditions.seen, paths.shape[2], paths.shape[1], rng
    )
    dated = conditions.stock.arriving[:, : paths.shape[2]]
    arriving[:, :, : dated.shape[1]] += dated[:, None, :]
    return Arrivals(leads, arriving)


def written_amount(quantity: np.ndarray, terms: Terms, whole: np.ndarray) -> np.ndarray:
    """Orders without a pack in whole units, or to four digits; never above the maximum.

    >>> terms = Terms.of(3, holding=1, shortage=1, pack=np.array([0.0, 0.0, 6.0]))
    >>> written_amount(np.array([12.3, 123_456.7, 18.0]), terms, np.array([True, False, True]))
    array([1.300e+01, 1.235e+05, 1.800e+01])
    """
    size = 10.0 ** (np.floor(np.log10(np.maximum(quantity, 1e-9))) - 3)
    unit = np.where(whole, 1.0, size)
    up = np.round(np.ceil(quantity / unit - 1e-9) * unit, 9)
    return np.where((terms.pack > 0) | (quantity <= 0), quantity, np.minimum(up, terms.maximum))
