"""From what the state says to the terms that orders are decided under; what stands in for what nobody said is told, and checked first."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from holdgood.core.declaration import OrdersSpec
from holdgood.core.inventory import Stock, Terms
from holdgood.core.text import counted
from holdgood.workflow.ordering.calendars import Chances, Clock, timing
from holdgood.workflow.ordering.lead_times import LeadTimes
from holdgood.workflow.ordering.state import State
from holdgood.workflow.ordering.words import amount

YEARLY_RATE = 0.25
"""Share of the unit cost that a year of holding is taken to cost where nobody says: capital, space, shrinkage."""
LEVEL = 0.95
_YEAR = 365.25 * 86_400e6


@dataclass(frozen=True, eq=False)
class Conditions:
    """``terms`` and ``stock`` of m items. ``unit_cost`` (m,), NaN where unknown. ``service`` (m,) bool: ordered by service level.

    ``assumed`` (m,) bool: money is not known, since holding or shortage is assumed. ``checks``: what to look at, a list an item.
    ``barred`` (m,) str: why an item cannot be planned at all, else "". ``review`` (m,): steps from this order's arrival to the next one's;
    ``closed`` (m,) str: why no order is taken now, else ""; ``chances``: to order, from now on. ``seen`` (m, k): lead times as samples
    (``LeadTimes``), None where all are certain; ``unsure`` (m, j): units of open orders that nobody dated, of items whose lead time varies,
    beside ``waited`` (m, j), the steps since each was placed. ``assumptions``: what stands in, in words.
    """

    terms: Terms
    stock: Stock
    unit_cost: np.ndarray
    service: np.ndarray
    level: float
    assumed: np.ndarray
    checks: list[list[str]]
    assumptions: tuple[str, ...]
    barred: np.ndarray
    review: np.ndarray
    closed: np.ndarray
    chances: Chances
    seen: np.ndarray | None = None
    unsure: np.ndarray | None = None
    waited: np.ndarray | None = None


def conditions(
    spec: OrdersSpec, state: State, *, step: float, level: float | None, horizon: int, clock: Clock, leads: LeadTimes
) -> Conditions:  # fmt: skip
    """Settle terms and stock. ``step``: length of one in microseconds; ``level``: the forecast's declared service level."""
    n = len(state.place)
    checks: list[list[str]] = [[] for _ in range(n)]
    said: list[str] = []
    unit = _of(state, "unit_cost", n)
    price = _of(state, "price", n)
    service_level = spec.service_level or level or LEVEL
    varies = leads.varies
    lead = _lead(state, checks, said, n, varies)
    lead[varies] = usual_lead(leads.seen[varies])
    when = timing(spec, state.supplier, lead, varies, clock, horizon)
    holding, holding_assumed = _holding(spec, state, unit, step, said, n)
    shortage, shortage_assumed = _shortage(spec, state, price, unit, holding, service_level, checks, said, n)
    assumed = holding_assumed | shortage_assumed
    service = (
        np.full(n, True) if spec.objective == "service" else assumed if spec.objective == "auto" else np.full(n, False)
    )
    unit_known = np.nan_to_num(unit)
    minimum, maximum = _known(state, "minimum", 0.0, n), _known(state, "maximum", np.inf, n)
    life = np.floor(_known(state, "shelf_life", np.inf, n))
    terms = Terms.of(
        n,
        holding=holding,
        shortage=shortage,
        lead=when.lead,
        fixed=_known(state, "fixed", 0.0, n),
        waste=_known(state, "waste", 0.0, n) + unit_known,
        pack=_known(state, "pack", 0.0, n),
        # what contradicts itself is barred below; until it is taken out, numbers stand in that can be computed with
        minimum=np.minimum(minimum, maximum),
        maximum=maximum,
        shelf_life=np.maximum(life, 1.0),
        lost_sales=spec.lost_sales,
    )
    stock = _stock(spec, state, terms, checks, horizon, varies)
    barred = _barred(minimum, maximum, life)
    barred[barred == ""] = when.barred[barred == ""]
    settled = Conditions(
        terms,
        stock,
        unit,
        service,
        service_level,
        assumed,
        checks,
        tuple(said),
        barred,
        when.review,
        when.closed,
        when.chances,
    )
    return _uncertain(settled, state, leads) if varies.any() else settled


def usual_lead(seen: np.ndarray) -> np.ndarray:
    """The middle lead time (m,) of orders that came; seen (m, k) as in ``LeadTimes``."""
    came = np.where(np.isfinite(seen), seen, np.nan)
    return np.asarray(np.nanquantile(came, 0.5, axis=1, method="inverted_cdf")) if len(came) else np.zeros(0)


def _uncertain(settled: Conditions, state: State, leads: LeadTimes) -> Conditions:
    """With lead times as samples; what is on order without a date, of items whose lead time varies, comes when a sample says."""
    varies, terms = leads.varies, settled.terms
    seen = leads.seen.copy()
    seen[~varies, 0] = terms.lead[~varies]
    undated = np.isnan(state.arrives) & (state.ordered > 0) & varies[:, None]
    for i, k in np.argwhere(undated):
        since = "" if np.isnan(state.waited[i, k]) else f", placed {counted(int(state.waited[i, k]), 'step')} ago"
        gone = "" if np.isnan(state.waited[i, k]) or (seen[i] >= state.waited[i, k]).any() else (
            ": longer ago than any past order took, counted as lost; ask the supplier"
        )  # fmt: skip
        settled.checks[i].append(
            f"{state.ordered[i, k]:g} on order without a date{since}{gone or ': expected as past orders came'}"
        )
    return replace(
        settled,
        seen=seen,
        unsure=np.where(undated, state.ordered, 0.0),
        waited=np.where(undated, np.nan_to_num(state.waited), 0.0),
    )


def _barred(minimum: np.ndarray, maximum: np.ndarray, life: np.ndarray) -> np.ndarray:
    """Terms under which no order exists, in words."""
    why = np.full(len(minimum), "", dtype=object)
    for i in np.flatnonzero(life < 1):
        why[i] = (
            "its shelf life is under one step: a unit spoils before it is sold; correct shelf_life (it is in steps)"
        )
    for i in np.flatnonzero(minimum > maximum):
        why[i] = (
            f"its smallest order of {minimum[i]:g} is above its largest of {maximum[i]:g}: correct minimum or maximum"
        )
    return why


def _of(state: State, name: str, n: int) -> np.ndarray:
    return state.amounts.get(name, np.full(n, np.nan))


def _known(state: State, name: str, default: float, n: int) -> np.ndarray:
    values = _of(state, name, n)
    return np.where(np.isnan(values), default, values)


def _lead(state: State, checks: list[list[str]], said: list[str], n: int, varies: np.ndarray) -> np.ndarray:
    """Whole steps; where one is missing and none was seen, the median of the supplier's others, else of all."""
    lead = _of(state, "lead_time", n).copy()
    if "lead_time" not in state.amounts:
        if varies.all():
            return np.zeros(n)
        said.append("no lead time is declared: an order is taken to be there for the next step")
        return np.zeros(n)
    gone = np.flatnonzero(np.isnan(lead) & ~varies)
    every = float(np.nanmedian(lead)) if np.isfinite(lead).any() else 0.0
    for i in gone:
        same = lead[(state.supplier == state.supplier[i]) & ~np.isnan(lead)] if state.supplier[i] else np.empty(0)
        lead[i] = float(np.median(same)) if len(same) else every
        whose = f"the supplier's median of {lead[i]:g}" if len(same) else f"the median of all, {lead[i]:g},"
        checks[i].append(f"lead time unknown: {whose} steps is taken")
    if len(gone):
        said.append(
            f"{counted(len(gone), 'item')} without a lead time: the median of the supplier, else of all, is taken"
        )
    return np.ceil(np.where(varies, 0.0, lead) - 1e-9)


def _holding(
    spec: OrdersSpec, state: State, unit: np.ndarray, step: float, said: list[str], n: int
) -> tuple[np.ndarray, np.ndarray]:
    found = _of(state, "holding", n)
    rate = YEARLY_RATE if spec.holding_rate is None else spec.holding_rate
    by_rate = unit * rate * step / _YEAR
    taken = np.isnan(found) & ~np.isnan(by_rate)
    if taken.any() and spec.holding_rate is None:
        said.append(
            f"holding is ASSUMED to cost {rate:.0%} of the unit cost a year ({counted(int(taken.sum()), 'item')})"
        )
    found = np.where(np.isnan(found), by_rate, found)
    gone = np.isnan(found)
    if gone.any():
        said.append(
            f"neither holding nor unit cost is known of {counted(int(gone.sum()), 'item')}: holding a unit for a step counts as 1"
        )
    assumed = gone | (taken & (spec.holding_rate is None))
    return np.where(gone, 1.0, found), assumed


def _shortage(
    spec: OrdersSpec, state: State, price: np.ndarray, unit: np.ndarray, holding: np.ndarray, level: float,
    checks: list[list[str]], said: list[str], n: int,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    found = _of(state, "shortage", n)
    margin = price - unit
    for i in np.flatnonzero(np.isnan(found) & (margin <= 0)):
        checks[i].append(f"sold at {price[i]:g} and bought at {unit[i]:g}: no margin to lose")
    found = np.where(np.isnan(found), np.maximum(margin, 0.0), found)
    gone = np.isnan(found)
    implied = np.maximum(holding, 1e-9) * spec.review * level / (1 - level)
    if gone.any():
        said.append(
            f"what a missing unit costs is not known of {counted(int(gone.sum()), 'item')}: they are ordered to suffice in {level:.0%} "
            "of the cases, and no money is told"
        )
        if not gone.all():
            for i in np.flatnonzero(gone):
                checks[i].append("no price: its money is not known")
    return np.where(gone, implied, found), gone


def _stock(
    spec: OrdersSpec, state: State, terms: Terms, checks: list[list[str]], horizon: int, varies: np.ndarray
) -> Stock:
    n = len(state.place)
    on_hand, waiting = state.on_hand.copy(), np.zeros(n)
    for i in range(n):
        if np.isnan(on_hand[i]):
            checks[i].append("stock unknown: planned as if nothing were there; count it")
            on_hand[i] = 0.0
        elif on_hand[i] < 0:
            what = "taken as nothing on hand" if spec.lost_sales else "taken as demand that waits"
            checks[i].append(f"stock of {amount(on_hand[i])} is below zero: {what}; count it")
            waiting[i] = 0.0 if spec.lost_sales else -on_hand[i]
            on_hand[i] = 0.0
        if state.unknown_orders[i]:
            checks[i].append("open orders unknown: none is counted on; ask before ordering")
        if state.overdue[i] > 0:
            checks[i].append(
                f"{state.overdue[i]:g} on order are overdue: counted on for the next step; ask the supplier"
            )
        if state.counted[i] != 0:
            apart = state.counted[i]
            how = "the count of the stock has no date" if np.isnan(apart) else (
                f"the stock was counted {counted(int(abs(apart)), 'step')} {'before' if apart < 0 else 'after'} the history ends"
            )  # fmt: skip
            checks[i].append(how)
    arriving = np.zeros((n, horizon + 1))
    for i, k in np.argwhere(state.ordered > 0):
        at = state.arrives[i, k]
        if np.isnan(at) and varies[i]:
            continue  # drawn path by path
        if np.isnan(at):
            checks[i].append(f"{state.ordered[i, k]:g} on order without a date: expected after the usual lead time")
            at = terms.lead[i]
        arriving[i, min(int(at), horizon)] += state.ordered[i, k]
    used = np.flatnonzero(arriving.any(axis=0))
    return Stock(on_hand, arriving[:, : int(used[-1]) + 1 if len(used) else 1], waiting)
