"""Open a workbook that came back: values as Excel last computed them, and which plan it says that it belongs to."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError  # nosec B405 # the name of an error that openpyxl raises; nothing is parsed with it

from holdgood.connectors.order_sheet.layout import (
    FORMAT,
    HIDDEN,
    INPUTS,
    ITEM,
    LEFT_OUT,
    LINE,
    ORDER,
    SERVICE,
    SUMMARY,
    WHO_CELL,
)
from holdgood.connectors.place import local_file, opening
from holdgood.connectors.steady import steady
from holdgood.connectors.store import refuse_beyond
from holdgood.core.errors import DataError, MissingExtra, ReadError
from holdgood.core.records import OrderPlan

_TOP = 20
"""Rows within which a page's line of titles is looked for."""
_ROWS, _COLUMNS = 1_048_576, 200


@dataclass(frozen=True)
class SheetRow:
    """One row of a page: its cells by title, as values; where a formula was never worked out, its text."""

    sheet: str
    number: int
    letters: dict[str, str]
    cells: dict[str, Any]

    def cell(self, title: str) -> str:
        """Where it stands, as Excel says it."""
        return f"{self.letters[title]}{self.number}"


@dataclass(frozen=True)
class Book:
    """``who``: the name on the summary; ``rows``: of every supplier's page."""

    who: str
    rows: tuple[SheetRow, ...]


def open_book(path: Path, plan: OrderPlan) -> Book:
    """Read a workbook and check that it is this plan's. ReadError for no workbook, DataError for a stale or foreign one."""
    try:
        import openpyxl  # here and not at the top: an optional library, wanted for Excel files only
    except ModuleNotFoundError:
        raise MissingExtra.named("excel", "openpyxl", "reading an order sheet") from None
    file = local_file(str(path))
    try:
        with steady(file), opening(file):
            with zipfile.ZipFile(file) as packed:
                refuse_beyond(
                    8 * sum(part.file_size for part in packed.infolist()), file.name, "ask for the sheet again"
                )
            values = openpyxl.load_workbook(file, data_only=True)
            written = openpyxl.load_workbook(file, data_only=False)
    except ReadError:
        raise
    except (
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        TypeError,
        IndexError,
        AttributeError,
        OSError,
        EOFError,
        ParseError,
    ) as error:
        raise ReadError(
            f"{file.name} is not a readable workbook: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            "the sheet that was sent out, saved as .xlsx without a password",
            "open it in Excel and save it again as .xlsx",
        ) from None
    _check_name(values, plan, file.name)
    who = values[SUMMARY][WHO_CELL].value if SUMMARY in values.sheetnames else None
    rows: list[SheetRow] = []
    for page in values.worksheets:
        if page.title not in (SUMMARY, LEFT_OUT, SERVICE, HIDDEN):
            rows += _rows(page, written[page.title])
    if not rows:
        raise DataError(
            f"{file.name} has no page with lines", "the pages of the sheet that was sent out", "ask for it again"
        )
    return Book(" ".join(str(who or "").split()), tuple(rows))


def _check_name(book: Any, plan: OrderPlan, file: str) -> None:
    """Refuse what was made from another plan, or by somebody else."""
    if HIDDEN not in book.sheetnames:
        raise DataError(
            f"{file} does not say which plan it belongs to",
            "a sheet that holdgood wrote",
            "fill in the sheet that was sent out",
        )
    said = {
        str(k): v
        for k, v in book[HIDDEN].iter_rows(min_row=1, max_row=_TOP, max_col=2, values_only=True)
        if k is not None
    }
    if said.get("format") != FORMAT:
        raise DataError(
            f"{file} is written in format {said.get('format')!r}",
            f"format {FORMAT}",
            "write the sheet again with this holdgood",
        )
    if said.get("plan") != plan.id or said.get("digest") != plan.digest:
        made, ours = str(said.get("made") or "?"), plan.made_utc or "?"
        age = "older" if made < ours else "newer" if made > ours else "changed"
        raise DataError(
            f"{file} was made from plan {said.get('plan')} of {made}, not from plan {plan.id} of {ours}: it is {age}",
            "the sheet of this very plan",
            "give the plan that lies beside the sheet (--plan), or fill in the sheet of the new plan",
        )


def _rows(page: Any, written: Any) -> Iterator[SheetRow]:
    """The rows of one page below its titles; pages that people added, without our titles, are passed over."""
    if not hasattr(page, "iter_rows"):
        return  # a chart that somebody added
    letters: dict[str, str] = {}
    width = min(page.max_column or 0, _COLUMNS)
    formulas = written.iter_rows(max_row=min(page.max_row or 0, _ROWS), max_col=width)
    for cells, texts in zip(
        page.iter_rows(max_row=min(page.max_row or 0, _ROWS), max_col=width), formulas, strict=False
    ):
        if not letters:
            found = {str(c.value).strip(): c.column_letter for c in reversed(cells) if c.value is not None}
            if LINE in found:
                lacking = [t for t in (ITEM, ORDER, *INPUTS) if t not in found]
                if lacking:
                    raise DataError(
                        f"page {page.title!r} has lost the column{'s' if len(lacking) > 1 else ''} {', '.join(lacking)}",
                        "all columns of the sheet that was sent out",
                        "put them back, or fill in a fresh copy",
                    )
                letters = {t: found[t] for t in (LINE, ITEM, ORDER, *INPUTS)}
            elif cells and cells[0].row > _TOP:
                return
            continue
        by_letter = {
            c.column_letter: (c.value, t.value)
            for c, t in zip(cells, texts, strict=True)
            if hasattr(c, "column_letter")
        }
        taken = {}
        for title, letter in letters.items():
            value, text = by_letter.get(letter, (None, None))
            taken[title] = text if value is None and isinstance(text, str) and text.startswith("=") else value
        if any(v is not None for v in taken.values()):
            yield SheetRow(page.title, cells[0].row, letters, taken)
