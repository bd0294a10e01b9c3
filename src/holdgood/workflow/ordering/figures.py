"""The numbers of a plan's lines: the best order of each item and what it does to the steps that it decides."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from holdgood.core.inventory import Stock, Terms
from holdgood.decisions.inventory.allowed import allowed_at_least
from holdgood.decisions.inventory.projected import BestOrders, Projection, best_orders, project
from holdgood.decisions.inventory.service import needed_for_service
from holdgood.decisions.leftover import cost_of_leftover
from holdgood.decisions.run_out import run_out
from holdgood.workflow.ordering.limits import Binding
from holdgood.workflow.ordering.shortfall import level_curve, weighed
from holdgood.workflow.ordering.terms import Conditions

SPREAD = (0.1, 0.9)
"""The central 80% of demand."""
_LONGEST = 10
"""Horizons after which what is left over is taken to be sold or written off."""


@dataclass(frozen=True, eq=False)
class Figures:
    """Of m items, each (m,): what a plan's line says (see ``OrderLine``). ``wanted``: units before packs and minima; ``free``: the order before
    what binds all items together, and ``why`` that changed it, in words. ``due``: steps
    from now on after which an order is due, NaN for not within the horizon.
    """

    quantity: np.ndarray
    wanted: np.ndarray
    free: np.ndarray
    why: np.ndarray
    due: np.ndarray
    demand: np.ndarray
    low: np.ndarray
    high: np.ndarray
    if_not: np.ndarray
    if_done: np.ndarray
    at_risk: np.ndarray
    short_if_not: np.ndarray
    short: np.ndarray
    short_before: np.ndarray
    left: np.ndarray
    break_even: np.ndarray


def figures(
    paths: np.ndarray, conditions: Conditions, review: int, whole: np.ndarray, bound: Binding | None = None
) -> Figures:
    """Best orders and their figures; ``paths`` (m, samples, steps) of the items of ``conditions``, as long as lead time and review.

    ``whole`` (m,) bool: sold in whole units; others are ordered in amounts that people write, where no pack says otherwise. ``bound``: what
    binds the orders of all these items together.
    """
    terms, stock, level = conditions.terms, conditions.stock, conditions.level
    best = best_orders(paths, stock, terms, review=review)
    served = needed_for_service(best.projection, level)
    quantity = written_amount(
        np.where(conditions.service, allowed_at_least(served, terms), best.quantity), terms, whole
    )
    free, why = quantity, [""] * len(quantity)
    if bound is not None:
        need = np.maximum(best.projection.need, 0.0)
        by_level = level_curve(need, served, quantity, terms, review, level)
        curve = weighed(best.several.curve(best.projection.curve), by_level, conditions.service)
        quantity, why = bound.bound(curve, conditions, quantity, whole), bound.why
    alone = np.where(terms.fixed > 0, best.quantity, np.maximum(best.projection.curve.lowest(), 0.0))
    wanted = np.where(conditions.service, served, alone)
    found = of_quantity(paths, stock, terms, best, quantity, wanted, review, level)
    return replace(found, free=free, why=np.array(why, dtype=object))


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


def of_quantity(
    paths: np.ndarray, stock: Stock, terms: Terms, best: BestOrders, quantity: np.ndarray, wanted: np.ndarray, review: int,
    level: float,
) -> Figures:  # fmt: skip
    """The figures of given quantities; what they save after their window counts in ``if_done``."""
    projection = best.projection
    need = np.maximum(projection.need, 0.0)
    ordered = quantity > 0
    done = projection.curve.at(quantity) + np.where(ordered, terms.fixed, 0.0) - best.several.saved(quantity)
    short_now, saved = _short(paths, stock, terms, projection, quantity, review)
    still = np.clip(quantity[:, None] - need, 0.0, quantity[:, None])
    left = still.mean(axis=1)
    rate, longest = paths.mean(axis=(1, 2)), float(_LONGEST * paths.shape[2])
    kept = cost_of_leftover(still, terms.holding[:, None], rate[:, None], longest).mean(axis=1)
    over = kept + (terms.holding * review + np.where(terms.shelf_life <= review, terms.waste + terms.unit, 0.0)) * left
    lead = terms.lead.astype(np.int64)
    totals = np.cumsum(paths, axis=2)
    demand = totals[np.arange(len(lead)), :, lead + review - 1]
    out = run_out(paths, stock)
    before = np.where(lead > 0, out[np.arange(len(lead)), np.maximum(lead - 1, 0)], 0.0)
    return Figures(
        quantity=quantity, wanted=wanted, free=quantity, why=np.full(len(quantity), "", dtype=object),
        due=_due(out, lead, review, level), demand=demand.mean(axis=1),
        low=np.quantile(demand, SPREAD[0], axis=1), high=np.quantile(demand, SPREAD[1], axis=1),
        if_not=projection.curve.none, if_done=done, at_risk=terms.shortage * short_now + over,
        short_if_not=(need > 1e-9).mean(axis=1), short=(need > quantity[:, None] + 1e-9).mean(axis=1), short_before=before,
        left=left, break_even=_break_even(terms, projection, quantity, done, saved),
    )  # fmt: skip


def _due(out: np.ndarray, lead: np.ndarray, review: int, level: float) -> np.ndarray:
    """The first review, in steps from now, whose order comes in time for what would otherwise run out too often."""
    n, steps = out.shape
    due = np.full(n, np.nan)
    for ahead in range(0, steps, review):
        end = lead + ahead + review - 1
        fits = (end < steps) & np.isnan(due)
        late = out[np.arange(n), np.minimum(end, steps - 1)] > 1 - level
        due = np.where(fits & late, float(ahead), due)
    return due


def _short(
    paths: np.ndarray, stock: Stock, terms: Terms, projection: Projection, quantity: np.ndarray, review: int
) -> tuple[np.ndarray, np.ndarray]:
    """What the shortage cost is paid for with the order, and what the order saves of it: units; units times steps where demand waits."""
    need = np.maximum(projection.need, 0.0)
    if terms.lost_sales:
        unmet = np.maximum(need - quantity[:, None], 0.0)
        return unmet.mean(axis=1), (need - unmet).mean(axis=1)
    # waiting is paid by the step: the cost is linear in its price, so that a price higher by one tells the steps
    dearer = project(paths, stock, replace(terms, shortage=terms.shortage + 1.0), review=review).curve
    short = np.maximum(dearer.at(quantity) - projection.curve.at(quantity), 0.0)
    return short, dearer.none - projection.curve.none - short


def _break_even(
    terms: Terms, projection: Projection, quantity: np.ndarray, done: np.ndarray, saved: np.ndarray
) -> np.ndarray:
    """What a unit short must cost for the order to pay: its other costs over the shortage that it saves; NaN without an order."""
    spent = done - projection.curve.none + terms.shortage * saved
    return np.where((quantity > 0) & (saved > 1e-12), np.maximum(spent, 0.0) / np.maximum(saved, 1e-12), np.nan)
