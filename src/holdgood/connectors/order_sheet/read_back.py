"""Read a sheet back: by the line's own name, never by position; every cell that cannot be taken gets a word, and its line stays open."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from holdgood.connectors.order_sheet.book import SheetRow, open_book
from holdgood.connectors.order_sheet.cells import Unreadable, blank, decision_of, quantity_of, shown
from holdgood.connectors.order_sheet.held import broken, far_above
from holdgood.connectors.order_sheet.layout import DECISION, INPUTS, ITEM, LINE, NEW, ORDER, REASON
from holdgood.core.errors import DataError
from holdgood.core.records import CellFault, DecidedOrder, DecidedOrders, OrderLine, OrderPlan, Override

BY_PLAN = "approved by the plan"
_CODED = re.compile(r"_x([0-9A-Fa-f]{4})_")


@dataclass
class _Reading:
    plan: OrderPlan
    who: str
    when: str
    accept_rest: bool
    orders: dict[str, DecidedOrder] = field(default_factory=dict)
    overrides: dict[str, Override] = field(default_factory=dict)
    faults: list[CellFault] = field(default_factory=list)

    def fault(self, row: SheetRow, title: str, said: str, *, taken: bool = False) -> None:
        item, value = row.cells[ITEM], row.cells[title]
        self.faults.append(
            CellFault(
                sheet=row.sheet, cell=row.cell(title), item=shown(item), found=shown(value), said=said, taken=taken
            )
        )


def read_sheet(
    path: Path, plan: OrderPlan, *, who: str | None = None, accept_rest: bool = False, now: datetime | None = None
) -> DecidedOrders:
    """What was decided in a sheet that was made from ``plan``: orders, overrides, the lines still open, and what could not be read.

    ``who``: instead of the name on the summary. ``accept_rest``: lines without a decision are accepted. Raises ReadError for no
    workbook, DataError for a stale or foreign one, or where nobody's name stands.
    """
    book = open_book(path, plan)
    name = " ".join((who or book.who).split())
    if not name:
        raise DataError(
            "nobody's name stands on the summary",
            "who decided",
            "write the name into its yellow cell, or give --who NAME",
        )
    reading = _Reading(plan, name, (now or datetime.now(UTC)).isoformat(timespec="seconds"), accept_rest)
    lines = {line.id: line for line in plan.lines}
    named = [(row, str(row.cells[LINE]).strip() if not blank(row.cells[LINE]) else "") for row in book.rows]
    often = Counter(line for _, line in named if line)
    for row, line in named:
        if not line:
            if any(not blank(row.cells[t]) for t in (ITEM, *INPUTS)):
                reading.fault(row, LINE, "a row that the plan does not have: it is not ordered")
        elif line not in lines:
            reading.fault(row, LINE, "the plan has no such line: it is not ordered")
        elif often[line] > 1:
            reading.fault(row, LINE, f"this line stands here {often[line]} times: none of them is taken")
        else:
            _decide(reading, row, lines[line])
    gone = [line.item for line in plan.lines if not often[line.id]]
    reading.faults += [CellFault(sheet="", cell="", item=i, said="its row is gone: the line stays open") for i in gone]
    return DecidedOrders(
        plan=plan.id, plan_digest=plan.digest, who=name, when=reading.when,
        orders=tuple(reading.orders[i] for i in lines if i in reading.orders),
        overrides=tuple(reading.overrides[i] for i in lines if i in reading.overrides),
        open=tuple(line.item for line in plan.lines if line.id not in reading.orders), faults=tuple(reading.faults),
        broken=broken(plan, reading.orders.values()),
    )  # fmt: skip


def _decide(reading: _Reading, row: SheetRow, line: OrderLine) -> None:
    """Take one row, or say why not."""
    if not _same_item(row.cells[ITEM], line.item):
        return reading.fault(row, ITEM, f"this line is {line.item!r}: cells were moved against each other")
    if not _same_number(row.cells[ORDER], line.quantity):
        return reading.fault(
            row, ORDER, f"the plan says {line.quantity:g}: cells were moved, or changed here instead of under {NEW!r}"
        )
    try:
        chosen = decision_of(row.cells[DECISION])
    except Unreadable as why:
        return reading.fault(row, DECISION, str(why))
    try:
        units = quantity_of(row.cells[NEW], line)
    except Unreadable as why:
        return reading.fault(row, NEW, str(why))
    if chosen == "change" and units is None:
        return reading.fault(row, NEW, "a change without a quantity")
    if chosen in ("accept", "reject") and units is not None and units != (line.quantity if chosen == "accept" else 0.0):
        return reading.fault(row, NEW, f"{chosen}, and yet another quantity: one of the two")
    if not chosen and units is None:
        if not reading.accept_rest:
            return None
        chosen = "accept"
    reason = "" if blank(row.cells[REASON]) else " ".join(str(row.cells[REASON]).split())
    after = 0.0 if chosen == "reject" else line.quantity if units is None else units
    untouched = chosen == "accept" and line.approved and not reason
    reading.orders[line.id] = DecidedOrder(
        line=line.id, item=line.item, supplier=line.supplier, quantity=after, arrives=line.arrives,
        by=BY_PLAN if untouched else reading.who,
    )  # fmt: skip
    if after != line.quantity:
        if far := far_above(line, after):
            reading.fault(row, NEW, far, taken=True)
        if not reason:
            reading.fault(row, REASON, "changed without a reason", taken=True)
        reading.overrides[line.id] = Override(
            line=line.id,
            item=line.item,
            before=line.quantity,
            after=after,
            who=reading.who,
            reason=reason,
            when=reading.when,
        )
    return None


def _same_item(cell: Any, item: str) -> bool:
    """The same text, or the same number: Excel takes zeros off the front."""
    from_cell, own = _words(cell), _words(item)
    return from_cell == own or (from_cell != "" and _same_number(cell, own))


def _words(value: Any) -> str:
    """A text as it comes back from a workbook: line ends alike, no control signs, however the workbook writes them."""
    text = _CODED.sub(lambda m: chr(int(m[1], 16)), str(value if value is not None else ""))
    return " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())


def _same_number(cell: Any, value: Any) -> bool:
    try:
        return not isinstance(cell, bool) and abs(float(cell) - float(value)) <= 1e-9 * max(1.0, abs(float(value)))
    except (TypeError, ValueError):
        return False
