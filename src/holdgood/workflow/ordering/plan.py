"""From forecasts, state and declared terms to an order plan, ranked by money at stake."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from holdgood.core.declaration import OrdersSpec
from holdgood.core.errors import DataError
from holdgood.core.panel import Panel
from holdgood.core.records import ItemTerms, LeftOut, OrderLine, OrderPlan, PanelNote
from holdgood.features.panels.reader import ReadPanel
from holdgood.workflow.forecasting.result import Forecasts
from holdgood.workflow.ordering.by_level import points
from holdgood.workflow.ordering.calendars import Clock
from holdgood.workflow.ordering.figures import Figures, figures, join
from holdgood.workflow.ordering.lead_times import LeadTimes, declared_leads
from holdgood.workflow.ordering.limits import binding, held, minima, unpriced
from holdgood.workflow.ordering.state import Horizon, State
from holdgood.workflow.ordering.terms import Conditions, conditions
from holdgood.workflow.ordering.words import reason, worth_a_look

PIECE = 2_000
"""Items whose paths are held in memory at once."""
LATE = 0.9
"""Share of orders that come by when an order counts as late."""


@dataclass(frozen=True, eq=False)
class Decided:
    """Everything behind a plan: ``place`` (m,) positions of its items in the forecast, with their conditions and figures."""

    place: np.ndarray
    state: State
    conditions: Conditions
    figures: Figures
    limits: tuple[str, ...] = ()


def horizon_of(read: ReadPanel) -> Horizon:
    """What an order is planned against; a series without history begins where the others end."""
    grid = read.plan.grid
    first = grid.number(read.future.ds[:, 0].astype("M8[us]").astype(np.int64))
    return Horizon(read.panel.ids, grid.stamps(first - 1), read.future.ds)


def step_of(read: ReadPanel) -> float:
    """The length of a step in microseconds, on average over the horizon."""
    grid = read.plan.grid
    first = grid.number(read.future.ds[:1, 0].astype("M8[us]").astype(np.int64))
    ends = grid.moment(np.array([int(first[0]) - 1, int(first[0]) + 11]))
    return float(ends[1] - ends[0]) / 12


def clock_of(read: ReadPanel) -> Clock:
    """The steps of a forecast's series, by number."""
    grid = read.plan.grid
    return Clock(grid, grid.number(read.future.ds[:, 0].astype("M8[us]").astype(np.int64)) - 1, read.plan.calendar_zone)


def decide(
    forecasts: Forecasts, state: State, spec: OrdersSpec, service_level: float | None, currency: str = "",
    leads: LeadTimes | None = None,
) -> tuple[Decided, list[LeftOut]]:  # fmt: skip
    """The best order of each item with a state; what cannot be planned is left out with its reason. ``leads``: lead times as past orders had
    them; default those that ``spec`` declares.
    """
    steps = int(forecasts.read.future.ds.shape[1])
    clock = clock_of(forecasts.read)
    settled = conditions(
        spec, state, step=step_of(forecasts.read), level=service_level, horizon=steps,
        clock=replace(clock, now=clock.now[state.place]), leads=leads or declared_leads(spec, state.supplier),
    )  # fmt: skip
    wait = _wait(settled)
    least = minima(spec, state.suppliers)
    why = settled.barred.copy()
    why[unpriced(spec, settled, state.supplier, least)] = (
        "no unit cost, and a budget or its supplier's minimum holds for it: fill in unit_cost"
    )
    barred = why != ""
    left = [
        LeftOut(item=str(forecasts.read.panel.ids[state.place[i]]), why=str(why[i])) for i in np.flatnonzero(barred)
    ]
    late = (wait > steps) & ~barred
    left += [
        LeftOut(
            item=str(forecasts.read.panel.ids[state.place[i]]),
            why=f"an order takes {wait[i] - settled.review[i]:g} steps and the next chance comes {settled.review[i]} later: forecast at least "
            f"{wait[i]:g} steps ahead (the horizon is {steps})",
        )
        for i in np.flatnonzero(late)
    ]
    if (late | barred).all():
        if barred.any():
            raise DataError(
                f"no item of the state can be planned, for example {left[0].item}: {left[0].why}",
                "terms under which an order exists",
                "correct the state",
            )
        raise DataError(
            f"no order can arrive within the {steps} steps that are forecast",
            f"a horizon of {int(wait.min())} steps or more",
            "declare a longer horizon under [forecast] and run again, or correct the lead times (they are in steps)",
        )
    rows, counts = np.flatnonzero(~(late | barred)), in_whole_units(forecasts.read.panel)
    parts, done, holes = [], [], []
    together = spec.budget is not None or spec.capacity is not None or bool(least)
    limits: list[str] = []
    for some, paths in _paths(forecasts, state.place, rows, len(rows) if together else PIECE):
        whole = np.isfinite(paths).all(axis=(1, 2))
        holes += [str(forecasts.read.panel.ids[state.place[i]]) for i in some[~whole]]
        if whole.any():
            done.append(some[whole])
            kept = some[whole]
            own = take(settled, kept)
            bound = binding(spec, own, state.supplier[kept], least, currency) if together else None
            parts.append(figures(np.maximum(paths[whole], 0.0), own, counts[state.place[kept]], bound, forecasts.seed))
            limits += bound.said if bound is not None else []
    left += [LeftOut(item=i, why="its forecast has holes") for i in holes]
    if not done:
        raise DataError(
            "no item of the state has a forecast", "forecasts without holes", "look at the history: holdgood forecast"
        )
    kept = np.concatenate(done)
    joined = join(parts)
    return Decided(state.place[kept], _taken(state, kept), take(settled, kept), joined, tuple(limits)), left


def _wait(settled: Conditions) -> np.ndarray:
    """Steps (m,) that must be forecast: to the arrival of the next order, of nine in ten orders that come where lead times vary."""
    wait = settled.terms.lead + settled.review
    if settled.seen is None:
        return wait
    came = np.where(np.isfinite(settled.seen), settled.seen, np.nan)
    return np.maximum(wait, np.nanquantile(came, LATE, axis=1, method="inverted_cdf") + settled.review)


def _paths(
    forecasts: Forecasts, place: np.ndarray, rows: np.ndarray, piece: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Paths of some items at a time; of all at once where sums must agree."""
    if forecasts.model.coherent is not None:
        yield rows, forecasts.paths.y[place[rows]]
        return
    for begin in range(0, len(rows), piece):
        some = rows[begin : begin + piece]
        yield some, forecasts.model.paths(forecasts.read.take(place[some]), forecasts.samples, forecasts.seed).y


def take(settled: Conditions, rows: np.ndarray) -> Conditions:
    """The conditions of some items."""

    def some(values: np.ndarray | None) -> np.ndarray | None:
        return None if values is None else values[rows]

    return replace(
        settled, terms=settled.terms.take(rows), stock=settled.stock.take(rows), unit_cost=settled.unit_cost[rows],
        service=settled.service[rows], assumed=settled.assumed[rows], checks=[settled.checks[i] for i in rows],
        barred=settled.barred[rows], review=settled.review[rows], closed=settled.closed[rows], chances=settled.chances.take(rows),
        seen=some(settled.seen), unsure=some(settled.unsure), waited=some(settled.waited),
    )  # fmt: skip


def _taken(state: State, rows: np.ndarray) -> State:
    return replace(state, place=state.place[rows], supplier=state.supplier[rows], on_hand=state.on_hand[rows])


def written(
    forecasts: Forecasts, decided: Decided, spec: OrdersSpec, left: list[LeftOut], *, currency: str, bundle: str = "",
    notes: tuple[PanelNote, ...] = (), now: datetime | None = None,
) -> OrderPlan:  # fmt: skip
    """The plan as a record: lines ranked by money at stake, each with its reason."""
    settled, found, read = decided.conditions, decided.figures, forecasts.read
    horizon = horizon_of(read)
    sold, stale = (
        _most_sold(read.panel.take(decided.place), settled.terms.lead.astype(int) + settled.review),
        _stale(read, decided.place),
    )
    stake = found.if_not - found.if_done
    order = np.lexsort((-found.at_risk, -stake, settled.assumed, found.quantity <= 0))
    lines = [
        _line(f"L{rank:04d}", int(i), decided, spec, horizon, read, float(sold[i]), int(stale[i]), float(stake[i]))
        for rank, i in enumerate(order, start=1)
    ]
    made = now or datetime.now(UTC)
    suits = "cost" if not settled.service.any() else "service" if settled.service.all() else "cost and service"
    return OrderPlan(
        lines=tuple(lines), left_out=(*left, *decided.state.left_out), currency=currency, assumed=bool(settled.assumed.all()),
        made_utc=made.isoformat(timespec="seconds"), cutoff=day(horizon.cutoff.max()), frequency=read.panel.frequency,
        review=spec.review, lost_sales=spec.lost_sales, objective=suits,
        service_level=settled.level if settled.service.any() else float("nan"), assumptions=settled.assumptions, limits=decided.limits,
        held=held(spec, minima(spec, decided.state.suppliers)),
        notes=(*decided.state.notes, *notes), service=points(found.service, settled.unit_cost), bundle=bundle,
    )  # fmt: skip


def _line(
    name: str,
    i: int,
    decided: Decided,
    spec: OrdersSpec,
    horizon: Horizon,
    read: ReadPanel,
    sold: float,
    stale: int,
    stake: float,
) -> OrderLine:
    settled, found, at = decided.conditions, decided.figures, int(decided.place[i])
    terms, stock = settled.terms, settled.stock
    lead, review = int(terms.lead[i]), int(settled.review[i])
    assumed = bool(settled.assumed[i])
    own = ItemTerms(
        holding=float(terms.holding[i]), shortage=float(terms.shortage[i]), unit_cost=float(settled.unit_cost[i]),
        fixed=float(terms.fixed[i]), waste=float(terms.waste[i]), lead=lead, pack=float(terms.pack[i]), minimum=float(terms.minimum[i]),
        maximum=float(terms.maximum[i]) if np.isfinite(terms.maximum[i]) else None,
        shelf_life=float(terms.shelf_life[i]) if np.isfinite(terms.shelf_life[i]) else None, review=None if review == spec.review else review,
        **_late(settled, i),
    )  # fmt: skip
    quantity, coming = float(found.quantity[i]), found.coming[i]
    due = "" if np.isnan(found.due[i]) else _at_end_of(int(found.due[i]), horizon, at)
    figure = {
        n: float(getattr(found, n)[i])
        for n in ("if_not", "if_done", "at_risk", "short_if_not", "short", "short_before", "left")
    }
    looked = worth_a_look(
        quantity=quantity, wanted=float(found.wanted[i]), demand=float(found.demand[i]), low=float(found.low[i]),
        high=float(found.high[i]), short_if_not=figure["short_if_not"], short_before=figure["short_before"], steps=lead + review, most=sold,
        new=bool(read.new[at]), stale=stale, expedite=lead > 0, free=float(found.free[i]), why=str(found.why[i]), terms=own,
        closed=str(settled.closed[i]),
    )  # fmt: skip
    checks = (*settled.checks[i], *looked)
    said = reason(
        quantity=quantity, on_hand=float(stock.on_hand[i]), coming=float(coming[: lead + review].sum()), demand=float(found.demand[i]),
        next_day=_start_of(lead + review, horizon, at, read), short_if_not=figure["short_if_not"], short=figure["short"], terms=own,
        wanted=float(found.wanted[i]), due=due, now=_at_end_of(0, horizon, at), free=float(found.free[i]), why=str(found.why[i]),
        closed=str(settled.closed[i]),
    )  # fmt: skip
    limit = spec.auto_approve
    money = (
        {}
        if assumed
        else {"money": stake, "if_not": figure["if_not"], "if_done": figure["if_done"], "at_risk": figure["at_risk"]}
    )
    return OrderLine(
        id=name, item=str(read.panel.ids[at]), supplier=str(decided.state.supplier[i]), quantity=quantity, order_by=due,
        arrives=_start_of(lead, horizon, at, read) if quantity > 0 else "", cutoff=_at_end_of(0, horizon, at),
        on_hand=float(stock.on_hand[i]),
        coming=tuple(float(v) for v in np.trim_zeros(coming, "b")), waiting=float(stock.waiting[i]), demand=float(found.demand[i]),
        demand_low=float(found.low[i]), demand_high=float(found.high[i]), short_if_not=figure["short_if_not"], short=figure["short"],
        short_before=figure["short_before"], left=figure["left"], break_even=float(found.break_even[i]), reason=said, checks=checks,
        approved=limit is not None and not assumed and not checks and figure["at_risk"] <= limit, terms=own, **money,
    )  # fmt: skip


def _late(settled: Conditions, i: int) -> dict[str, Any]:
    """How lead times that vary stand in a line."""
    if settled.seen is None or (one := settled.seen[i][~np.isnan(settled.seen[i])]).max() == one.min():
        return {}
    late = np.quantile(one[np.isfinite(one)], LATE, method="inverted_cdf")
    return {"lead_late": int(late), "never": float(np.isinf(one).mean())}


def day(moment: np.datetime64) -> str:
    """A moment as people write it, without a midnight that says nothing.

    >>> day(np.datetime64("2024-03-01T00:00", "us")), day(np.datetime64("2024-03-01T06:30", "us"))
    ('2024-03-01', '2024-03-01 06:30')
    """
    return "" if np.isnat(moment) else str(moment.astype("M8[m]")).replace("T", " ").removesuffix(" 00:00")


def _start_of(step: int, horizon: Horizon, at: int, read: ReadPanel) -> str:
    """The step's own date; the one after the last that is forecast among them."""
    if step < horizon.ds.shape[1]:
        return day(horizon.ds[at, step])
    grid = read.plan.grid
    last = grid.number(horizon.ds[at, -1:].astype("M8[us]").astype(np.int64))
    return day(grid.stamps(last + 1 + step - horizon.ds.shape[1])[0])


def _at_end_of(steps: int, horizon: Horizon, at: int) -> str:
    return day(horizon.cutoff[at] if steps == 0 else horizon.ds[at, steps - 1])


def _most_sold(panel: Panel, steps: np.ndarray) -> np.ndarray:
    """The largest sum over so many consecutive steps that each series ever had; NaN where it is shorter."""
    most = np.full(len(panel), np.nan)
    for i, (y, span) in enumerate(zip(panel.series(), steps.tolist(), strict=True)):
        if len(y) >= span:
            total = np.concatenate([[0.0], np.cumsum(np.nan_to_num(y))])
            most[i] = (total[span:] - total[:-span]).max()
    return most


def in_whole_units(panel: Panel) -> np.ndarray:
    """(series,) where every amount ever seen is a whole number; a series without history is as most others."""
    whole = np.array([bool(np.all((y == np.floor(y)) | np.isnan(y))) for y in panel.series()])
    there = panel.lengths > 0
    return np.where(there, whole, whole[there].mean() > 0.5 if there.any() else True)


def _stale(read: ReadPanel, place: np.ndarray) -> np.ndarray:
    """Steps by which an item's history ends before the table does; none counts where ended items are kept on purpose."""
    if read.plan.keep_ended:
        return np.zeros(len(place), np.int64)
    ends = read.plan.grid.number(read.future.ds[:, 0].astype("M8[us]").astype(np.int64))
    return np.asarray(ends.max() - ends[place])
