"""Plans: what to order, which work to do, each line with its money and its reason."""

from __future__ import annotations

from typing import ClassVar

from holdgood.core.records.envelope import Number, Part, Record


class PlanLine(Part):
    """One decision: an item, what to do, expected money, the risk either way, and the reason in one sentence."""

    item: str
    action: str
    quantity: Number = float("nan")
    due: str = ""
    expected_money: Number = float("nan")
    risk_if_done: Number = float("nan")
    risk_if_not: Number = float("nan")
    reason: str = ""


class OrderPlan(Record):
    """Lines ranked by money at stake."""

    kind: ClassVar[str] = "order-plan"

    lines: tuple[PlanLine, ...] = ()
    currency: str = ""
    assumed: bool = True


class WorkPlan(Record):
    """Work orders ranked by money at stake."""

    kind: ClassVar[str] = "work-plan"

    lines: tuple[PlanLine, ...] = ()
    currency: str = ""
    assumed: bool = True
