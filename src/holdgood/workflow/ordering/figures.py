"""The numbers of a plan's lines: the best order of each item and what it does to the steps that it decides."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from holdgood.core.inventory import Stock, Terms
from holdgood.decisions.inventory.projected import Projection, project
from holdgood.decisions.leftover import cost_of_leftover
from holdgood.decisions.run_out import run_out
from holdgood.workflow.ordering.by_level import ByLevel, by_level
from holdgood.workflow.ordering.limits import Binding
from holdgood.workflow.ordering.quantities import Quantities, decided
from holdgood.workflow.ordering.terms import Conditions

SPREAD = (0.1, 0.9)
"""The central 80% of demand."""
_LONGEST = 10
"""Horizons after which what is left over is taken to be sold or written off."""


@dataclass(frozen=True, eq=False)
class Figures:
    """Of m items, each (m,): what a plan's line says (see ``OrderLine``). ``wanted``: units before packs and minima; ``free``: the order before
    what binds all items together, and ``why`` that changed it, in words. ``due``: steps
    from now on after which an order is due, NaN for not within the horizon. ``coming`` (m, k): expected to arrive, by step. ``service``: what
    other levels of service would take.
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
    coming: np.ndarray
    service: ByLevel


def figures(
    paths: np.ndarray, conditions: Conditions, whole: np.ndarray, bound: Binding | None = None, seed: int = 0
) -> Figures:
    """Best orders and their figures; arguments as in ``quantities.decided``, ``paths`` as long as lead time and review."""
    made = decided(paths, conditions, whole, bound, seed)
    stock, review = conditions.stock, conditions.review
    best, came, terms, quantity = made.best, made.came, made.terms, made.quantity
    projection = best.projection
    need = np.maximum(projection.need, 0.0)
    ordered = quantity > 0
    done = projection.curve.at(quantity) + np.where(ordered, terms.fixed, 0.0) - best.several.saved(quantity)
    short_now, saved = _short(paths, stock, made, projection, review)
    # an order that never comes leaves nothing
    still = np.where(projection.window > 0, np.clip(quantity[:, None] - need, 0.0, quantity[:, None]), 0.0)
    left = still.mean(axis=1)
    rate, longest = paths.mean(axis=(1, 2)), float(_LONGEST * paths.shape[2])
    kept = cost_of_leftover(still, terms.holding[:, None], rate[:, None], longest).mean(axis=1)
    over = kept + (terms.holding * review + np.where(terms.shelf_life <= review, terms.waste + terms.unit, 0.0)) * left
    lead = terms.lead.astype(np.int64)
    totals = np.cumsum(paths, axis=2)
    demand = totals[np.arange(len(lead)), :, lead + review - 1]
    out = run_out(paths, stock, came.arriving)
    before = np.where(lead > 0, out[np.arange(len(lead)), np.maximum(lead - 1, 0)], 0.0)
    coming = stock.arriving if came.arriving is None else np.round(came.arriving.mean(axis=1), 3)
    return Figures(
        quantity=quantity, wanted=made.wanted, free=made.free, why=made.why, coming=coming, service=by_level(made, conditions, whole),
        due=_due(out, conditions), demand=demand.mean(axis=1),
        low=np.quantile(demand, SPREAD[0], axis=1), high=np.quantile(demand, SPREAD[1], axis=1),
        if_not=projection.curve.none, if_done=done, at_risk=terms.shortage * short_now + over,
        short_if_not=(need > 1e-9).mean(axis=1), short=(need > quantity[:, None] + 1e-9).mean(axis=1), short_before=before,
        left=left, break_even=_break_even(terms, projection, quantity, done, saved),
    )  # fmt: skip


def join(parts: list[Figures]) -> Figures:
    """Those of several pieces of items together."""
    wide = max(p.coming.shape[1] for p in parts)
    coming = np.concatenate([np.pad(p.coming, ((0, 0), (0, wide - p.coming.shape[1]))) for p in parts])
    rest = {
        f.name: np.concatenate([getattr(p, f.name) for p in parts])
        for f in fields(Figures)
        if f.name not in ("coming", "service")
    }
    return Figures(**rest, coming=coming, service=parts[0].service.joined([p.service for p in parts[1:]]))


def _due(out: np.ndarray, conditions: Conditions) -> np.ndarray:
    """The first chance to order, in steps from now, whose order comes in time for what would otherwise run out too often."""
    n, steps = out.shape
    ahead, last = conditions.chances.ahead, conditions.chances.last
    late = np.take_along_axis(out, np.clip(last, 0, steps - 1), axis=1) > 1 - conditions.level
    late &= (ahead >= 0) & (last < steps)
    first = np.argmax(late, axis=1)
    return np.where(late.any(axis=1), ahead[np.arange(n), first].astype(float), np.nan)


def _short(
    paths: np.ndarray, stock: Stock, made: Quantities, projection: Projection, review: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """What the shortage cost is paid for with the order, and what the order saves of it: units; units times steps where demand waits."""
    terms, quantity, came = made.terms, made.quantity, made.came
    need = np.maximum(projection.need, 0.0)
    if terms.lost_sales:
        unmet = np.maximum(need - quantity[:, None], 0.0)
        return unmet.mean(axis=1), (need - unmet).mean(axis=1)
    # waiting is paid by the step: the cost is linear in its price, so that a price higher by one tells the steps
    more = replace(terms, shortage=terms.shortage + 1.0)
    dearer = project(paths, stock, more, review=review, leads=came.leads, arriving=came.arriving).curve
    short = np.maximum(dearer.at(quantity) - projection.curve.at(quantity), 0.0)
    return short, dearer.none - projection.curve.none - short


def _break_even(
    terms: Terms, projection: Projection, quantity: np.ndarray, done: np.ndarray, saved: np.ndarray
) -> np.ndarray:
    """What a unit short must cost for the order to pay: its other costs over the shortage that it saves; NaN without an order."""
    spent = done - projection.curve.none + terms.shortage * saved
    return np.where((quantity > 0) & (saved > 1e-12), np.maximum(spent, 0.0) / np.maximum(saved, 1e-12), np.nan)
