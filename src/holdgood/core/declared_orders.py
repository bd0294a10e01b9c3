"""How orders are declared: which table says where stock stands, under which terms items are bought, and what a plan may spend."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, model_validator

from holdgood.core.declared_calendar import CalendarSpec
from holdgood.core.declared_forecast import Names
from holdgood.core.declared_tables import Section


def _amount(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("a column of the state table, or a number")
    if isinstance(value, (int, float)) and not 0 <= value < float("inf"):
        raise ValueError("a finite number of zero or more, or a column of the state table")
    return value


ColumnOrNumber: TypeAlias = Annotated[str | float | None, BeforeValidator(_amount)]
"""A column of the state table, or one number for every item. None: the column of the field's own name, where the table has it."""

NEVER = "never"


def _chances(value: Any) -> Any:
    """Lead times by chance, for all or by supplier, checked."""
    if not isinstance(value, dict) or not value:
        return value
    nested = [v for v in value.values() if isinstance(v, dict)]
    if nested and len(nested) < len(value):
        raise ValueError("chances for all, or chances by supplier: not both")
    for name, one in ((k, v) for k, v in value.items()) if nested else (("", value),):
        of = f" of {name}" if name else ""
        for steps, share in one.items():
            if str(steps) != NEVER and not str(steps).isdecimal():
                raise ValueError(f"{steps!r} is no lead time{of}: whole steps from 0 on, or `never`")
            if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
                raise ValueError(f"{share!r} is no chance{of}: a number from 0 to 1")
        if abs(sum(one.values()) - 1) > 1e-6:
            raise ValueError(f"the chances{of} sum to {sum(one.values()):g}: they must sum to 1")
        if one.get(NEVER, 0) >= 1:
            raise ValueError(f"orders{of} never come: no order can be planned")
    return value


Chances: TypeAlias = Annotated[dict[str, float] | dict[str, dict[str, float]], BeforeValidator(_chances)]


class OrdersSpec(Section):
    """What an order is decided by. Whatever is a *column or number* is by default the column of its own name, where the state has one."""

    table: str | None = Field(None, description="a declared table that is the state: one row an item")
    open_orders: str | None = Field(
        None,
        description="a declared table of open orders, several an item: the item's columns, `on_order` and `arrives`",
    )
    item: Names = Field(
        default_factory=list, description="columns that name an item in the state; default those under `forecast.id`"
    )
    as_of: str | None = Field(None, description="column with the moment at which the stock was counted")
    on_hand: str = Field("on_hand", description="column with the units on hand")
    on_order: str = Field("on_order", description="column with the units on the way; empty where nobody knows")
    arrives: str = Field(
        "arrives", description="column with when they arrive: a date, or steps from now (1: the next one)"
    )
    supplier: str = Field("supplier", description="column with who delivers")
    price: ColumnOrNumber = Field(None, description="what a unit is sold for: column or number")
    unit_cost: ColumnOrNumber = Field(None, description="what a unit is bought for: column or number")
    holding: ColumnOrNumber = Field(
        None, description="cost of a unit on hand at the end of a step: column or number; default by `holding_rate`"
    )
    holding_rate: float | None = Field(
        None, ge=0, lt=100, description="the same as a share of the unit cost a year, for example 0.25"
    )
    shortage: ColumnOrNumber = Field(
        None,
        description="cost of a unit that is asked for and not there: column or number; default price less unit cost",
    )
    fixed: ColumnOrNumber = Field(None, description="cost of an order of any size: column or number; default 0")
    waste: ColumnOrNumber = Field(None, description="cost of a unit that spoils, beside what it cost; default 0")
    lead_time: ColumnOrNumber = Field(
        None,
        description="steps that an order is on its way: column or number; 0: there for the next step; default 0",
    )
    lead_chances: Chances = Field(
        default_factory=dict,
        description="lead times that vary, in steps, and how likely each is: { 1 = 0.7, 3 = 0.25, never = 0.05 }, for all or by supplier",
    )
    deliveries: str | None = Field(
        None,
        description="a declared table of past orders, from which lead times are drawn: the item's columns or `supplier`, with `ordered` "
        "and `delivered`, or `lead_time` in steps; empty where nothing came",
    )
    ordered: str = Field(
        "ordered", description="column with when an order was placed: a date; open orders: or steps ago"
    )
    delivered: str = Field("delivered", description="column with when it came")
    calendar: CalendarSpec | None = Field(None, description="days of ordering, delivery and work; default every step")
    calendars: dict[str, CalendarSpec] = Field(
        default_factory=dict, description="the same by supplier, instead of `calendar`"
    )
    pack: ColumnOrNumber = Field(None, description="orders are multiples of it: column or number; default any amount")
    minimum: ColumnOrNumber = Field(None, description="least units of one order: column or number; default none")
    maximum: ColumnOrNumber = Field(None, description="most units of one order: column or number; default none")
    shelf_life: ColumnOrNumber = Field(None, description="steps that a unit keeps after arrival; default it keeps")
    review: int = Field(1, ge=1, le=100_000, description="steps from one order to the next chance to order")
    lost_sales: bool = Field(True, description="demand that is not met is lost; false: it waits")
    objective: Literal["auto", "cost", "service"] = Field(
        "auto",
        description="`cost`: least expected cost; `service`: the service level at least cost; `auto`: cost where holding "
        "and shortage are known, else service",
    )
    service_level: float | None = Field(
        None,
        gt=0.5,
        lt=1,
        description="chance that what is there suffices until the next order can arrive; default `forecast.service_level`, else 0.95",
    )
    supplier_minimum: float | dict[str, float] = Field(
        0.0, description="least worth of one order to a supplier, in money: one number, or by supplier"
    )
    budget: float | None = Field(None, ge=0, allow_inf_nan=False, description="money that a plan may spend")
    capacity: float | None = Field(None, ge=0, allow_inf_nan=False, description="units that a plan may order in all")
    auto_approve: float | None = Field(
        None,
        ge=0,
        description="orders that put at most so much money at risk, and with nothing to check, are approved without a look",
    )
    currency: str = Field("", description="shown beside every amount; default `costs.currency`")

    @model_validator(mode="after")
    def _consistent(self) -> OrdersSpec:
        if self.holding is not None and self.holding_rate is not None:
            raise ValueError("`holding` and `holding_rate` say the same thing: one of the two")
        if (
            self.objective == "service"
            and self.auto_approve is not None
            and self.shortage is None
            and self.price is None
        ):
            raise ValueError("`auto_approve` is in money: declare `shortage`, or `price` and `unit_cost`")
        if self.lead_chances and self.deliveries is not None:
            raise ValueError("`lead_chances` and `deliveries` say the same thing: one of the two")
        if (self.calendar is not None or self.calendars) and self.review != 1:
            raise ValueError("a calendar says when the next order can be placed: `review` is for steps without one")
        minima = self.supplier_minimum
        if not all(0 <= v < float("inf") for v in (minima.values() if isinstance(minima, dict) else [minima])):
            raise ValueError("`supplier_minimum` is a finite number of zero or more")
        return self
