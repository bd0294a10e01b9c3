"""How the sheet is laid out: pages, columns, where the planner writes, where the plan's name is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from holdgood.core.records import OrderLine, OrderPlan

SUMMARY, LEFT_OUT, SERVICE, HIDDEN = "Summary", "Not planned", "Service and stock", "_plan"
FORMAT = 1
WHO_CELL = "B5"
DECISIONS = ("accept", "change", "reject")
LINE, ITEM, ORDER, DECISION, NEW, REASON, ORDERED = (
    "Line", "Item", "Order", "Decision", "New quantity", "Your reason", "Ordered",
)  # fmt: skip
INPUTS = (DECISION, NEW, REASON)
NO_SUPPLIER = "Orders"
_FORBIDDEN = str.maketrans(dict.fromkeys("[]:*?/\\", " "))
_LONGEST = 31


@dataclass(frozen=True)
class SheetColumn:
    """A column: its title, width in characters and number format."""

    title: str
    width: float
    form: str = "General"


UNITS, CHANCE = "#,##0.##;-#,##0.##;0", "0%"
DAY, MINUTE = "yyyy-mm-dd", "yyyy-mm-dd hh:mm"


def columns(plan: OrderPlan) -> tuple[SheetColumn, ...]:
    """The columns of a supplier's page, in order."""
    money = "#,##0" if not plan.currency else f'#,##0 "{plan.currency.replace(chr(34), "")}"'
    clock = any(" " in line.arrives for line in plan.lines)
    return (
        SheetColumn(LINE, 7),
        SheetColumn(ITEM, 22),
        SheetColumn(ORDER, 10, UNITS),
        SheetColumn("Arrives", 16 if clock else 11, MINUTE if clock else DAY),
        SheetColumn("Saves, expected" if not plan.assumed else "Pays if a missing unit costs more than", 14, money if not plan.assumed else "#,##0.00"),
        SheetColumn("May lose", 11, money),
        SheetColumn("Runs out with it", 9, CHANCE),
        SheetColumn("Runs out without", 9, CHANCE),
        SheetColumn("Left over", 10, UNITS),
        SheetColumn("On hand", 10, UNITS),
        SheetColumn("Coming", 10, UNITS),
        SheetColumn("Expected demand", 11, UNITS),
        SheetColumn("Why", 60),
        SheetColumn("Check first", 40),
        SheetColumn(DECISION, 11),
        SheetColumn(NEW, 11, UNITS),
        SheetColumn(REASON, 32),
        SheetColumn("Still missing", 24),
        SheetColumn(ORDERED, 10, UNITS),
        SheetColumn("Worth", 12, money),
        SheetColumn("Unit cost", 10, "#,##0.00"),
        SheetColumn("Pack", 8, UNITS),
    )  # fmt: skip


def moment(text: str) -> date | datetime | str | None:
    """A step's date as Excel holds dates, so that it sorts and filters as one; a text that is none stays one.

    >>> moment("2024-06-01"), moment("2024-06-01 06:30"), moment("")
    (datetime.date(2024, 6, 1), datetime.datetime(2024, 6, 1, 6, 30), None)
    """
    if not text:
        return None
    try:
        return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
    except ValueError:
        return text


def pages(plan: OrderPlan) -> dict[str, tuple[str, list[OrderLine]]]:
    """Lines by page: the page's title, the supplier's own name and the lines, those with most money at stake first."""
    by: dict[str, list[OrderLine]] = {}
    for line in plan.lines:
        by.setdefault(line.supplier, []).append(line)
    names = titles([s or NO_SUPPLIER for s in by])
    return {title: (supplier, by[supplier]) for title, supplier in zip(names, by, strict=True)}


def titles(names: Sequence[str]) -> list[str]:
    """Names that Excel takes for pages: short, without certain signs, each once, none of our own.

    >>> titles(["ACME/North", "acme north", "", "Summary"])
    ['ACME North', 'acme north 2', 'Orders', 'Summary 2']
    """
    taken = {n.lower() for n in (SUMMARY, LEFT_OUT, SERVICE, HIDDEN, "history")}
    found = []
    for name in names:
        plain = (
            " ".join(_printable(name).translate(_FORBIDDEN).split()).strip("' ")[:_LONGEST].strip("' ") or NO_SUPPLIER
        )
        free, number = plain, 2
        while free.lower() in taken:
            tail = f" {number}"
            free, number = plain[: _LONGEST - len(tail)].rstrip() + tail, number + 1
        taken.add(free.lower())
        found.append(free)
    return found


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
