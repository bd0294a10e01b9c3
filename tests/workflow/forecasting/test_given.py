"""Tables that a forecaster in use is handed by strangers."""

import pandas as pd
import pytest

from holdgood.core.errors import DataError
from holdgood.core.table import Table
from holdgood.features.panels.grid import Grid
from holdgood.features.panels.plan import PanelPlan
from holdgood.workflow.forecasting.given import attributes, check_numbers, check_span

DAY = 86_400_000_000
PLAN = PanelPlan(
    ("item",), "day", "sold + back", Grid("D", "fixed", DAY), known=("price", "promo"), static=("size", "kind"), in_stock="there",
    levels={"kind": ("a", "b")},
)  # fmt: skip


def table(**columns):
    rows = len(next(iter(columns.values())))
    return Table.of(pd.DataFrame({"item": ["a"] * rows, **columns}), "sales")


@pytest.mark.parametrize("name", ["price", "promo", "size", "there"])
@pytest.mark.parametrize("cell", ["secret", 2**53 + 1])
def test_what_the_plan_takes_as_a_number_must_be_one(name, cell):
    with pytest.raises(DataError, match=f"column '{name}' of table 'sales' holds what is no number") as told:
        check_numbers(PLAN, table(**{name: [1 if isinstance(cell, int) else "1", cell]}))
    assert "secret" not in str(told.value)


def test_other_columns_may_hold_anything():
    odd = table(
        kind=["c", "d"], note=["x", "y"], long=[2**60, 1], there=[True, False], sold=[1.0, 1e99], price=["1", "2.5"]
    )
    assert check_numbers(PLAN, odd) is odd
    with pytest.raises(DataError, match="'back' .* beyond 1e\\+100"):
        check_numbers(PLAN, table(back=[1.0, -1e101]))
    assert attributes(PLAN, table(size=[1, 2], group=["x", "y"])).names == ("item", "size")


@pytest.mark.parametrize(("fill", "steps"), [("missing", 11 + 1), ("zero", 11 + 11)])
def test_steps_are_counted_before_they_are_laid_out(fill, steps):
    plan = PanelPlan(("item",), "day", "y", Grid("D", "fixed", DAY), fill=fill)
    days = pd.to_datetime(["2024-01-01", "2024-01-11", "2024-01-01", None])
    given = Table.of(pd.DataFrame({"item": ["a", "a", "b", "a"], "day": days, "y": 1.0}), "sales")
    assert check_span(plan, given, steps) is given
    with pytest.raises(DataError, match=f"{steps} steps of .* of 2 series"):
        check_span(plan, given, steps - 1)
