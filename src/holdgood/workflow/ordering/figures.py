"""The numbers of a plan's lines: the best order of each item and what it does to the steps that it decides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdgood.core.inventory import Stock, Terms
from holdgood.decisions.inventory.allowed import allowed_at_least
from holdgood.decisions.inventory.projected import BestOrders, Projection, best_orders, project
from holdgood.decisions.inventory.service import needed_for_service
from holdgood.decisions.leftover import cost_of_leftover
from holdgood.decisions.run_out import run_out
from holdgood.workflow.ordering.limits import Binding
from holdgood.workflow.ordering.terms import Conditions

SPREAD = (0.1, 0.9)
"""The central 80% of demand."""
_LONGEST = 10
"""Horizons after which what is left over is taken to be sold or written off."""


@dataclass(frozen=True, eq=False)
class Figures:
    """Of m items, each (m,): what a plan's line says (see ``OrderLine``). ``wanted``: units before packs and minima. ``due``: steps
    from now on after which an order is due, NaN for not within the horizon.
    """

    quantity: np.ndarray
    wanted: np.ndarray
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
    if bound is not None:
        quantity = bound.bound(best.several.curve(best.projection.curve), conditions, quantity, whole)
    alone = np.where(terms.fixed > 0, best.quantity, np.maximum(best.projection.curve.lowest(), 0.0))
    wanted = np.where(conditions.service, served, alone)
    return of_quantity(paths, stock, terms, best, quantity, wanted, review, level)


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
    unmet = np.maximum(need - quantity[:, None], 0.0).mean(axis=1)
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
        quantity=quantity, wanted=wanted, due=_due(out, lead, review, level), demand=demand.mean(axis=1),
        low=np.quantile(demand, SPREAD[0], axis=1), high=np.quantile(demand, SPREAD[1], axis=1),
        if_not=projection.curve.none, if_done=done, at_risk=terms.shortage * unmet + over,
        short_if_not=(need > 1e-9).mean(axis=1), short=(need > quantity[:, None] + 1e-9).mean(axis=1), short_before=before,
        left=left, break_even=_break_even(paths, stock, terms, projection, quantity, done, review),
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


def _break_even(
    paths: np.ndarray,
    stock: Stock,
    terms: Terms,
    projection: Projection,
    quantity: np.ndarray,
    done: np.ndarray,
    review: int,
) -> np.ndarray:
    """What a unit short must cost for the order to pay: its other costs over the shortage that it saves; NaN without an order."""
    if terms.lost_sales:
        need = np.maximum(projection.need, 0.0)
        saved = (need - np.maximum(need - quantity[:, None], 0.0)).mean(axis=1)
    else:  # waiting is paid by the step: the cost is linear in its price, so that a price higher by one tells the steps
        dearer = Terms(
            **{**{k: getattr(terms, k) for k in terms.__dataclass_fields__}, "shortage": terms.shortage + 1.0}
        )
        other = project(paths, stock, dearer, review=review).curve
        saved = (other.none - projection.curve.none) - (other.at(quantity) - projection.curve.at(quantity))
    spent = done - projection.curve.none + terms.shortage * saved
    return np.where((quantity > 0) & (saved > 1e-12), np.maximum(spent, 0.0) / np.maximum(saved, 1e-12), np.nan)
