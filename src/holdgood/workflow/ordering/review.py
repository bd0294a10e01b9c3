"""Overrides against what came: the plan says what it knew, the decisions what people changed, the history what was asked for since."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from holdgood.core.errors import DataError
from holdgood.core.inventory import Stock, Terms
from holdgood.core.panel import Panel
from holdgood.core.records import DecidedOrders, OrderLine, OrderPlan, Override, OverrideOutcome, OverrideReview
from holdgood.core.records.envelope import read, write
from holdgood.decisions.overrides import by_person, worth_of_change
from holdgood.workflow.forecasting.in_use import ForecastModel


def review_files(
    bundle: Path, history: str, decided: Sequence[Path], plans: Sequence[Path], *, to: Path | None = None
) -> OverrideReview:
    """The same from files; plans and decisions find each other by the plan's digest."""
    given, said = [read(p, OrderPlan) for p in plans], [read(d, DecidedOrders) for d in decided]
    for file, one in zip(decided, said, strict=True):
        kept = file.with_name(f"plan-{one.plan}.json")  # where ``plan orders`` keeps an earlier one
        if one.plan_digest not in {p.digest for p in given} and kept.exists():
            raise DataError(
                f"{file.name} holds decisions on plan {one.plan}, which is not given",
                f"the plan that was decided on, beside {', '.join(p.id for p in given)} or instead",
                f"--plan {kept}",
            )
    found = review_overrides(ForecastModel.load(bundle), history, given, said)
    if to is not None:
        write(to, found)
    return found


def review_overrides(
    model: ForecastModel, history: Any, plans: Sequence[OrderPlan], decided: Sequence[DecidedOrders]
) -> OverrideReview:
    """What every override was worth, and every person's together. DataError for decisions on a plan that is not given."""
    by_digest = {p.digest: p for p in plans}
    panel = model.panel_of(history).panel
    outcomes: list[OverrideOutcome] = []
    waiting: list[str] = []
    unpriced: list[str] = []
    for one in decided:
        plan = by_digest.get(one.plan_digest)
        if plan is None:
            raise DataError(
                f"decisions on plan {one.plan}, which is not given",
                f"one of: {', '.join(p.id for p in plans)}",
                "add --plan FILE for it",
            )
        priced = {line.id for line in plan.lines if np.isfinite(line.money)}
        unpriced += [c.item for c in one.overrides if c.line not in priced]
        some, late = _outcomes(plan, [c for c in one.overrides if c.line in priced], panel)
        outcomes += some
        waiting += late
    outcomes.sort(key=lambda o: o.added)
    return OverrideReview(
        plans=tuple(p.id for p in plans), currency=plans[0].currency if plans else "", outcomes=tuple(outcomes), people=by_person(outcomes),
        waiting=tuple(waiting), unpriced=tuple(unpriced), unseen=sum(not o.seen for o in outcomes),
    )  # fmt: skip


def _outcomes(plan: OrderPlan, overrides: Sequence[Override], panel: Panel) -> tuple[list[OverrideOutcome], list[str]]:
    lines = {line.id: line for line in plan.lines}
    place = {str(i): k for k, i in enumerate(panel.ids.tolist())}
    found, waiting = [], []
    for change in overrides:
        line = lines[change.line]
        since = _since(panel, place.get(line.item), line, line.terms.lead + plan.review_of(line))
        if since is None:
            waiting.append(line.item)
            continue
        demand, hidden = since
        stock = Stock(np.array([line.on_hand]), np.array([line.coming or (0.0,)]), np.array([line.waiting]))
        rate = np.array([line.demand / max(line.terms.lead + plan.review_of(line), 1)])
        worth = worth_of_change(
            demand[None, :], rate, stock, _terms(line, plan.lost_sales), np.array([change.before]), np.array([change.after]),
            review=plan.review_of(line),
        )  # fmt: skip
        found.append(
            OverrideOutcome(
                item=line.item, who=change.who, reason=change.reason, before=change.before, after=change.after,
                demand=float(demand.sum()), added=float(worth.added[0]), seen=bool(worth.seen[0]) and not hidden,
            )
        )  # fmt: skip
    return found, waiting


def _since(panel: Panel, at: int | None, line: OrderLine, steps: int) -> tuple[np.ndarray, bool] | None:
    """Demand of the steps after the plan's last one, and whether a stock-out hid some; None where they are not all known yet."""
    if at is None or not line.cutoff:
        return None
    begin, end = int(panel.indptr[at]), int(panel.indptr[at + 1])
    last = np.datetime64(line.cutoff.replace(" ", "T"), "us")
    first = begin + int(np.searchsorted(panel.ds[begin:end].astype("M8[m]").astype("M8[us]"), last, side="right"))
    demand = panel.y[first : first + steps]
    if first + steps > end or not np.isfinite(demand).all():
        return None
    hidden = panel.available is not None and not panel.available[first : first + steps].all()
    return np.maximum(demand, 0.0), hidden


def _terms(line: OrderLine, lost_sales: bool) -> Terms:
    own = line.terms
    return Terms.of(
        1, holding=own.holding, shortage=own.shortage, lead=float(own.lead), fixed=own.fixed, waste=own.waste,
        shelf_life=np.inf if own.shelf_life is None else own.shelf_life, lost_sales=lost_sales,
    )  # fmt: skip
