"""Write an order plan as a workbook: a summary, one page a supplier, what was not planned, and the plan's name on a hidden page."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from holdgood.connectors.order_sheet.layout import (
    DECISION,
    DECISIONS,
    FORMAT,
    HIDDEN,
    INPUTS,
    LEFT_OUT,
    LINE,
    NEW,
    ORDER,
    ORDERED,
    SERVICE,
    SUMMARY,
    WHO_CELL,
    columns,
    moment,
    pages,
)
from holdgood.connectors.order_sheet.service_page import service_page
from holdgood.connectors.write import atomic, excel_value
from holdgood.core.errors import DataError, MissingExtra
from holdgood.core.records import OrderLine, OrderPlan

_HEAD, _INPUT, _QUIET = "1F3A4D", "FFF7DB", "F3F5F7"
_MOST = 200_000
_HOW = (
    "Write your name in the yellow cell above.",
    "One page a supplier; the lines with the most money at stake come first. Only yellow cells can be changed.",
    "Decision: accept, change (then write the new quantity) or reject. Give your reason: later it is told what each change brought.",
    "Lines without a decision are not ordered. Filter as you like; rows cannot be sorted, since their figures are locked.",
    "Save the file as .xlsx and send it back.",
)


def write_sheet(plan: OrderPlan, path: Path) -> Path:
    """Write the workbook and return its path; it appears complete or not at all.

    Raises MissingExtra without openpyxl, DataError for a plan that no sheet holds, EnvironmentFault where the disk refuses.
    """
    try:
        import openpyxl  # here and not at the top: an optional library, wanted for Excel files only
    except ModuleNotFoundError:
        raise MissingExtra.named("excel", "openpyxl", "writing an order sheet") from None
    if len(plan.lines) > _MOST:
        raise DataError(
            f"a plan of {len(plan.lines):,} lines is no sheet for people",
            f"at most {_MOST:,} lines",
            "plan some suppliers at a time",
        )
    book = openpyxl.Workbook()
    summary = book.active
    summary.title = SUMMARY
    shown = pages(plan)
    for title, (_, lines) in shown.items():
        _page(book.create_sheet(title), plan, lines)
    _summary(summary, plan, {title: (supplier, len(lines)) for title, (supplier, lines) in shown.items()})
    if plan.service:
        page = book.create_sheet(SERVICE)
        service_page(page, plan, _money(plan))
        _protect(page)
    if plan.left_out:
        _left_out(book.create_sheet(LEFT_OUT), plan)
    _name(book.create_sheet(HIDDEN), plan)
    with atomic(path) as handle:
        book.save(handle)
    return path


def _put(page: Any, row: int, column: int, value: Any, form: str = "General") -> Any:
    """A value as it is; a text is never a formula."""
    cell = page.cell(row, column)
    ready = excel_value(value)
    cell.value = ready
    if isinstance(ready, str) and cell.data_type == "f":
        cell.data_type, cell.quotePrefix = "s", True
    if not isinstance(ready, str):
        cell.number_format = form
    return cell


def _page(page: Any, plan: OrderPlan, lines: list[OrderLine]) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill, Protection
    from openpyxl.utils import get_column_letter

    head = columns(plan)
    place = {c.title: k for k, c in enumerate(head, start=1)}
    letter = {t: get_column_letter(k) for t, k in place.items()}
    for k, column in enumerate(head, start=1):
        cell = _put(page, 1, k, column.title)
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor=_HEAD)
        cell.alignment = Alignment(wrap_text=True, vertical="center")
        page.column_dimensions[letter[column.title]].width = column.width
    page.row_dimensions[1].height = 45
    page.column_dimensions[letter[LINE]].hidden = True
    yellow, open_cell, top = PatternFill("solid", fgColor=_INPUT), Protection(locked=False), Alignment(vertical="top")
    wrapped = Alignment(wrap_text=True, vertical="top")
    for row, line in enumerate(lines, start=2):
        for k, (column, value) in enumerate(zip(head, _cells(plan, line, row, letter), strict=True), start=1):
            formula = isinstance(value, _Formula)
            cell = page.cell(row, k, value.text) if formula else _put(page, row, k, value, column.form)
            cell.number_format = column.form
            cell.alignment = wrapped if column.width >= 24 else top
            if column.title in INPUTS:
                cell.fill, cell.protection = yellow, open_cell
    last = max(len(lines) + 1, 2)
    page.freeze_panes = page.cell(2, place[ORDER])
    page.auto_filter.ref = f"A1:{get_column_letter(len(head))}{last}"
    _rules(page, letter, last, len(head))
    _protect(page)
    page.page_setup.orientation, page.page_setup.fitToWidth, page.page_setup.fitToHeight = "landscape", 1, 0
    page.sheet_properties.pageSetUpPr.fitToPage = True
    page.print_title_rows = "1:1"


class _Formula:
    """A formula of ours, told apart from a text that begins like one."""

    def __init__(self, text: str) -> None:
        self.text = text


def _cells(plan: OrderPlan, line: OrderLine, row: int, letter: dict[str, str]) -> list[Any]:
    def at(title: str) -> str:
        return f"${letter[title]}{row}"

    terms, chosen, new = line.terms, at(DECISION), at(NEW)
    odd = '""'
    if terms.pack:
        packs = f"{new}/{at('Pack')}"
        odd = f'IF(AND(ISNUMBER({new}),ABS({packs}-ROUND({packs},0))>0.000001),"no multiple of the pack","")'
    missing = f'=IF(AND({chosen}="",{new}=""),"decision",IF(AND({chosen}="change",{new}=""),"new quantity",{odd}))'
    ordered = f'=IF({chosen}="reject",0,IF({new}<>"",{new},IF({chosen}="accept",{at(ORDER)},0)))'
    settled = "accept" if line.approved else None
    return [
        line.id, line.item, line.quantity, moment(line.arrives), line.break_even if plan.assumed else line.money, line.at_risk, line.short,
        line.short_if_not, line.left, line.on_hand, sum(line.coming), line.demand, line.reason,
        "; ".join(line.checks), settled, None, None, _Formula(missing), _Formula(ordered),
        _Formula(f'=IF(ISNUMBER({at("Unit cost")}),{at(ORDERED)}*{at("Unit cost")},"")'), terms.unit_cost, terms.pack or None,
    ]  # fmt: skip


def _rules(page: Any, letter: dict[str, str], last: int, width: int) -> None:
    """The drop-down, what a quantity may be, and colours that say what was decided."""
    from openpyxl.formatting.rule import FormulaRule
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    choice = DataValidation(type="list", formula1=f'"{",".join(DECISIONS)}"', allow_blank=True, showErrorMessage=True)
    choice.errorTitle, choice.error = "Decision", "Choose accept, change or reject."
    units = DataValidation(
        type="decimal", operator="greaterThanOrEqual", formula1="0", allow_blank=True, showErrorMessage=True
    )
    units.errorTitle, units.error = "New quantity", "A number of zero or more, in whole packs."
    page.add_data_validation(choice)
    page.add_data_validation(units)
    choice.add(f"{letter[DECISION]}2:{letter[DECISION]}{last}")
    units.add(f"{letter[NEW]}2:{letter[NEW]}{last}")
    span, decision = f"A2:{get_column_letter(width)}{last}", f"${letter[DECISION]}2"
    page.conditional_formatting.add(
        span, FormulaRule(formula=[f'{decision}="reject"'], font=Font(color="9AA5AE", strike=True))
    )
    page.conditional_formatting.add(
        f"{letter[ORDERED]}2:{letter[ORDERED]}{last}",
        FormulaRule(
            formula=[f'{decision}="change"'], fill=PatternFill("solid", bgColor="FFE1A8"), font=Font(bold=True)
        ),
    )


def _protect(page: Any) -> None:
    """Formulas and figures are locked, without a password: against slips, not against people."""
    page.protection.sheet = True
    # no word for sorting: Excel sorts no rows with locked cells
    page.protection.autoFilter = page.protection.formatColumns = page.protection.formatRows = False


def _summary(page: Any, plan: OrderPlan, shown: dict[str, tuple[str, int]]) -> None:
    from openpyxl.styles import Alignment, Font, PatternFill, Protection

    bold, head = Font(bold=True), PatternFill("solid", fgColor=_QUIET)
    _put(page, 1, 1, f"Orders from history up to {plan.cutoff}").font = Font(bold=True, size=15)
    _put(
        page,
        2,
        1,
        f"{len(plan.orders):,} of {len(plan.lines):,} items are to be ordered; made {plan.made_utc[:16].replace('T', ' ')} UTC, plan {plan.id}",
    )
    for k, said in enumerate(
        ("holding and shortage costs are ASSUMED: no savings are told, only what a missing unit must cost",)
        if plan.assumed
        else (),
        3,
    ):
        _put(page, k, 1, said).font = Font(bold=True, color="A33B20")
    _put(page, 5, 1, "Your name").font = bold
    name = page[WHO_CELL]
    name.fill, name.protection = PatternFill("solid", fgColor=_INPUT), Protection(locked=False)
    row = 7
    for k, title in enumerate(
        ("Supplier", "Items", "Without a decision", "Ordered units", "Worth", "Saves, expected"), start=1
    ):
        cell = _put(page, row, k, title)
        cell.font, cell.fill = bold, head
    first = row + 1
    at = {c.title: k for k, c in enumerate(columns(plan), start=1)}
    for title, (supplier, count) in shown.items():
        row += 1
        link = _put(page, row, 1, supplier or title)
        link.hyperlink = f"#'{title.replace(chr(39), chr(39) * 2)}'!A1"
        link.font = Font(color="1F5FA8", underline="single")
        _put(page, row, 2, count)
        span = {t: _span(title, at[t], count) for t in (DECISION, ORDERED, "Worth")}
        page.cell(row, 3, f"=COUNTBLANK({span[DECISION]})")
        page.cell(row, 4, f"=SUM({span[ORDERED]})").number_format = "#,##0"
        page.cell(row, 5, f"=SUM({span['Worth']})").number_format = _money(plan)
        saved = [line.money for line in plan.lines if line.supplier == supplier and math.isfinite(line.money)]
        _put(page, row, 6, math.fsum(saved) if saved else None, _money(plan))
    row += 1
    _put(page, row, 1, "All").font = bold
    for k in range(2, 7):
        cell = page.cell(row, k, f"=SUM({chr(64 + k)}{first}:{chr(64 + k)}{row - 1})")
        cell.font, cell.number_format = bold, _money(plan) if k >= 5 else "#,##0"
    row = _listed(page, row + 2, "How to use this sheet", _HOW)
    checks = [f"{line.item}: {check}" for line in plan.lines for check in line.checks][:10]
    row = _listed(page, row, "What to check first", checks)
    row = _listed(page, row, "What stands in for what nobody said", plan.assumptions)
    row = _listed(page, row, "What the plan was held to", plan.limits)
    _listed(page, row, "Notes", [n.message for n in plan.notes])
    for letter, width in zip("ABCDEF", (44, 22, 18, 14, 16, 16), strict=True):
        page.column_dimensions[letter].width = width
    page["A2"].alignment = Alignment(wrap_text=False)
    page.freeze_panes = "A8"
    _protect(page)


def _span(title: str, column: int, count: int) -> str:
    from openpyxl.utils import get_column_letter

    letter = get_column_letter(column)
    quoted = title.replace("'", "''")
    return f"'{quoted}'!{letter}2:{letter}{count + 1}"


def _money(plan: OrderPlan) -> str:
    return next(c.form for c in columns(plan) if c.title == "May lose")


def _listed(page: Any, row: int, title: str, said: Any) -> int:
    from openpyxl.styles import Font

    if not said:
        return row
    _put(page, row, 1, title).font = Font(bold=True)
    for text in said:
        row += 1
        _put(page, row, 1, text)
    return row + 2


def _left_out(page: Any, plan: OrderPlan) -> None:
    from openpyxl.styles import Font

    for k, (column, width) in enumerate((("Item", 28), ("Why it is not planned", 100)), start=1):
        _put(page, 1, k, column).font = Font(bold=True)
        page.column_dimensions["AB"[k - 1]].width = width
    for row, left in enumerate(plan.left_out, start=2):
        _put(page, row, 1, left.item)
        _put(page, row, 2, left.why)
    page.freeze_panes = "A2"
    _protect(page)


def _name(page: Any, plan: OrderPlan) -> None:
    """What tells this plan's sheet from every other."""
    for row, (key, value) in enumerate(
        (
            ("format", FORMAT),
            ("plan", plan.id),
            ("digest", plan.digest),
            ("made", plan.made_utc),
            ("lines", len(plan.lines)),
        ),
        start=1,
    ):
        _put(page, row, 1, key)
        _put(page, row, 2, value)
    page.sheet_state = "veryHidden"
    page.protection.sheet = True
