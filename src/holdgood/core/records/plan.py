"""Plans: what to order, which work to do, each line with its money and its reason."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any, ClassVar

from holdgood.core.records.envelope import Number, Part, Record
from holdgood.core.records.panel import PanelNote

_NAN = float("nan")


class PlanLine(Part):
    """One decision: an item, what to do, expected money, the risk either way, and the reason in one sentence."""

    item: str
    action: str
    quantity: Number = _NAN
    due: str = ""
    expected_money: Number = _NAN
    risk_if_done: Number = _NAN
    risk_if_not: Number = _NAN
    reason: str = ""


class ItemTerms(Part):
    """Under which terms an item was planned; what it takes to price another quantity later. See ``holdgood.core.inventory.Terms``.

    ``maximum`` and ``shelf_life`` are None where there is none; ``unit_cost`` is NaN where nobody knows it. ``review``: steps from this order's
    arrival to the next one's, None for the plan's own. Where lead times vary, ``lead`` is the usual one, one in ten takes longer than
    ``lead_late``, and a share ``never`` of orders does not come.
    """

    holding: Number = _NAN
    shortage: Number = _NAN
    unit_cost: Number = _NAN
    fixed: float = 0.0
    waste: float = 0.0
    lead: int = 0
    pack: float = 0.0
    minimum: float = 0.0
    maximum: float | None = None
    shelf_life: float | None = None
    review: int | None = None
    lead_late: int | None = None
    never: float = 0.0


class ServiceStock(Part):
    """What a level of service takes over all items of a plan; the last of a curve is the plan itself, whose level is NaN.

    ``units``, ``worth``: ordered now. ``left``, ``left_worth``: expected on hand when the next order can arrive. ``met``: expected share of
    demand that is met until then, ``cost``: expected holding and shortage (NaN where money is not known of every item).
    """

    level: Number = _NAN
    units: float = 0.0
    worth: Number = _NAN
    left: float = 0.0
    left_worth: Number = _NAN
    met: float = 1.0
    cost: Number = _NAN


class OrderLine(Part):
    """One item: how much to order now, and why.

    ``id`` names the line in a sheet. ``order_by``: the step at whose end an order is due, empty where none is within the horizon;
    ``arrives``: when an order of now is there. ``cutoff``: the last step of
    the item's history. ``on_hand``, ``coming`` (units by step from the next one on), ``waiting``: the stock that
    it was planned with. ``demand``: expected until the next order could arrive, with its central 80%. Money is that of the steps from
    this order's arrival to the next one's: ``if_not`` and ``if_done`` are its expected costs without and with the order, ``money``
    what the order saves (NaN where costs are assumed), ``at_risk`` what it is expected to lose by being too small or too large.
    ``short_if_not``, ``short``: chances of running out in these steps; ``short_before``: before the order can arrive, which it
    cannot change. ``left``: units of the order that are expected to be there still when the next one arrives
    (not excess, which is stock beyond what any service level needs). ``break_even``: the
    order pays if a unit short costs more than so much. ``checks``: what to look at before it goes out. ``approved``: at little risk
    and with nothing to check.
    """

    id: str
    item: str
    supplier: str = ""
    quantity: float = 0.0
    order_by: str = ""
    arrives: str = ""
    cutoff: str = ""
    on_hand: Number = _NAN
    coming: tuple[float, ...] = ()
    waiting: float = 0.0
    demand: Number = _NAN
    demand_low: Number = _NAN
    demand_high: Number = _NAN
    money: Number = _NAN
    if_not: Number = _NAN
    if_done: Number = _NAN
    at_risk: Number = _NAN
    short_if_not: Number = _NAN
    short: Number = _NAN
    short_before: Number = _NAN
    left: Number = _NAN
    break_even: Number = _NAN
    reason: str = ""
    checks: tuple[str, ...] = ()
    approved: bool = False
    terms: ItemTerms = ItemTerms()

    @property
    def worth(self) -> float:
        """What the order costs to buy; NaN where the unit cost is not known."""
        return self.quantity * self.terms.unit_cost


class HeldLimit(Part):
    """One constraint that the plan was held to: all orders, or those of ``supplier``, take at most ``most``, or at least ``least``
    unless nothing is ordered from it; of their worth where ``in_money``, else of units.
    """

    name: str
    supplier: str | None = None
    most: float | None = None
    least: float | None = None
    in_money: bool = False


class LeftOut(Part):
    """An item without a line in the plan, and why."""

    item: str
    why: str


def _from_first(payload: dict[str, Any]) -> dict[str, Any]:
    """Schema 1 had the lines of a work plan."""
    lines = [
        {
            "id": f"L{i:04d}", "item": one["item"], "quantity": one.get("quantity") or 0.0, "order_by": one.get("due", ""),
            "money": one.get("expected_money"), "if_done": one.get("risk_if_done"), "if_not": one.get("risk_if_not"),
            "reason": one.get("reason", ""),
        }
        for i, one in enumerate(payload.get("lines", ()))
    ]  # fmt: skip
    return {"currency": payload.get("currency", ""), "assumed": payload.get("assumed", True), "lines": lines}


class OrderPlan(Record):
    """Orders ranked by money at stake. ``id`` and ``digest`` name the plan in the sheets that are made from it.

    ``made_utc``: when; ``cutoff``: the last step that was known; ``review``: steps to the next chance to order. ``assumed``: costs that
    money needs were not declared, so that there is none; ``assumptions``: what stands in for what nobody said. ``limits``: what
    the plan was held to (budget, capacity, minima), in words; ``held``: the same as numbers. ``service``: service against stock, a point a level.
    """

    kind: ClassVar[str] = "order-plan"
    schema_number: ClassVar[int] = 2
    upgraders: ClassVar[dict[int, Callable[[dict[str, Any]], dict[str, Any]]]] = {1: _from_first}

    lines: tuple[OrderLine, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    currency: str = ""
    assumed: bool = True
    made_utc: str = ""
    cutoff: str = ""
    frequency: str = ""
    review: int = 1
    lost_sales: bool = True
    objective: str = "cost"
    service_level: Number = _NAN
    assumptions: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    held: tuple[HeldLimit, ...] = ()
    notes: tuple[PanelNote, ...] = ()
    service: tuple[ServiceStock, ...] = ()
    bundle: str = ""

    def review_of(self, line: OrderLine) -> int:
        """Steps from the arrival of an order of now to that of the next one."""
        return self.review if line.terms.review is None else line.terms.review

    @property
    def digest(self) -> str:
        """A hash of everything in the plan; hex."""
        text = json.dumps(self.payload(), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    @property
    def id(self) -> str:
        """The plan's name: the first signs of its digest."""
        return self.digest[:12]

    @property
    def orders(self) -> tuple[OrderLine, ...]:
        """Lines with something to order."""
        return tuple(line for line in self.lines if line.quantity > 0)


class WorkPlan(Record):
    """Work orders ranked by money at stake."""

    kind: ClassVar[str] = "work-plan"

    lines: tuple[PlanLine, ...] = ()
    currency: str = ""
    assumed: bool = True
