"""Excel workbooks (.xlsx, .xlsm): one sheet, read whole, values as they were last computed."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from xml.etree.ElementTree import ParseError  # nosec B405 # the name of an error that openpyxl raises; nothing is parsed with it

import pyarrow as pa

from holdgood.connectors.column_types import Reading
from holdgood.connectors.finish import finish
from holdgood.connectors.place import checked, local_file, opening
from holdgood.connectors.python_values import to_column
from holdgood.connectors.steady import steady
from holdgood.connectors.store import refuse_beyond
from holdgood.connectors.title_lines import title_rows, told
from holdgood.core.errors import MissingExtra, ReadError, did_you_mean
from holdgood.core.table import Note, Table
from holdgood.core.text import counted

_ERRORS = ("#N/A", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!", "#GETTING_DATA", "#SPILL!", "#CALC!")
_LOOK = 200
_GLANCE = 20
_SHOWN = 3


class Excel:
    """Reads one sheet of a workbook.

    Options: ``sheet`` (a name, or a number from 1; default the first), ``header`` (the line of names, from 1; default the
    first line that is neither blank nor a title).
    """

    name: ClassVar[str] = "excel"
    suffixes: ClassVar[tuple[str, ...]] = (".xlsx", ".xlsm")
    schemes: ClassVar[tuple[str, ...]] = ()

    def read(self, source: str, *, name: str, options: Mapping[str, Any], types: Mapping[str, Any]) -> Table:
        """Read one sheet. Blank lines are passed over; cells with an error of Excel's are missing, counted in a note."""
        chosen = checked(options, {"sheet": (str, int), "header": (int,)}, "an Excel file")
        path = local_file(source)
        with steady(path):
            asked = chosen.get("sheet", 1), chosen.get("header", 1)
            others: list[str] = []
            rows = [row for row in _rows(path, *asked, others) if any(c is not None for c in row)]
        if not rows:
            raise ReadError(
                f"the sheet of {path.name} is blank", "a line of names and rows", "declare the option sheet or header"
            )
        notes: list[Note] = []
        if others and "sheet" not in chosen:
            left = ", ".join(repr(o) for o in others[:_SHOWN]) + (" …" if len(others) > _SHOWN else "")
            message = f"only the first sheet of {path.name} was read, not {left}; the option sheet names another"
            notes.append(Note("other-sheets", message, len(others)))
        titles = 0 if "header" in chosen else title_rows([[_as_text(c) for c in row] for row in rows[:_LOOK]])
        if titles:
            rows = rows[titles:]
            notes.append(
                Note("title-lines", told(path.name, titles, "the option header (a line number) says otherwise"), titles)
            )
        width = max(_used(row) for row in rows)
        head = [_heading(c) for c in _wide(rows[0], width)]
        body = [_wide(row, width) for row in rows[1:]]
        arrays, other = [], []
        for position, heading in enumerate(head):
            label = heading or f"column_{position + 1}"
            values, faults = _without_errors([row[position] for row in body])
            if faults:
                message = f"column {label!r}: {counted(faults, 'cell')} with an error of Excel's such as #N/A; taken as missing"
                notes.append(Note("unparsed", message, faults, (label,)))
            array, more, unusable = to_column(label, values)
            arrays.append(array)
            notes.extend(more)
            if unusable:
                other.append(position)
        data = pa.Table.from_arrays(arrays, names=head)
        return finish(
            data, name=name, source=source, types=types, reading=Reading(typed=True), notes=notes, other=other
        )


def _rows(path: Path, sheet: str | int, header: int, others: list[str]) -> Iterator[tuple[Any, ...]]:
    """Rows of one sheet; ``others`` is given the names of the visible sheets that are not read and not blank."""
    try:
        import openpyxl  # here and not at the top: an optional library, wanted for Excel files only
    except ModuleNotFoundError:
        raise MissingExtra.named("excel", "openpyxl", "reading an Excel file") from None
    if header < 1:
        raise ReadError(f"option 'header' for an Excel file is {header}", "a line number from 1", "write for example 1")
    try:
        with opening(path):
            with zipfile.ZipFile(path) as packed:
                refuse_beyond(sum(part.file_size for part in packed.infolist()), path.name, "save the sheet as .csv")
            book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except ReadError:
        raise
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, ParseError) as error:
        raise ReadError(
            f"{path.name} is not a readable Excel workbook: {str(error).splitlines()[0] if str(error) else type(error).__name__}",
            "a workbook saved as .xlsx, without a password",
            "open it in Excel and save it again as .xlsx",
        ) from None
    try:
        page = _page(book, sheet, path.name)
        others += [p.title for p in book.worksheets if p is not page and p.sheet_state == "visible" and _is_used(p)]
        page.reset_dimensions()  # some programs write a wrong size, and rows would be lost
        yield from page.iter_rows(min_row=header, values_only=True)
    except (zipfile.BadZipFile, ParseError, EOFError) as error:
        raise ReadError(f"{path.name} is damaged: {error}", "a complete workbook", "copy or save it again") from None
    finally:
        book.close()


def _page(book: Any, sheet: str | int, file: str) -> Any:
    names = [page.title for page in book.worksheets]
    if isinstance(sheet, int):
        if not 1 <= sheet <= len(names):
            raise ReadError(
                f"{file} has no sheet number {sheet}", f"a number from 1 to {len(names)}", "or the sheet's name"
            )
        return book.worksheets[sheet - 1]
    if sheet not in names:
        hint = did_you_mean(sheet, names) or "check the option sheet"
        raise ReadError(f"{file} has no sheet {sheet!r}", "one of: " + ", ".join(names), hint)
    return book.worksheets[names.index(sheet)]


def _is_used(page: Any) -> bool:
    page.reset_dimensions()
    return any(c is not None for row in page.iter_rows(max_row=_GLANCE, values_only=True) for c in row)


def _used(row: Sequence[Any]) -> int:
    return next((i + 1 for i in range(len(row) - 1, -1, -1) if row[i] is not None), 0)


def _wide(row: Sequence[Any], width: int) -> list[Any]:
    return [*row[:width], *([None] * (width - len(row)))]


def _heading(cell: Any) -> str:
    """A name; an empty cell, or one that a merged cell covers, gets its name (and a note) with the other names."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None else " ".join(str(cell).split())


def _as_text(cell: Any) -> str:
    """A cell as a text file would hold it, so that one rule knows titles everywhere."""
    if cell is None or isinstance(cell, bool):
        return "" if cell is None else "true"
    return cell.isoformat() if hasattr(cell, "isoformat") else str(cell)


def _without_errors(values: list[Any]) -> tuple[list[Any], int]:
    faults = sum(isinstance(v, str) and v in _ERRORS for v in values)
    return ([None if isinstance(v, str) and v in _ERRORS else v for v in values], faults) if faults else (values, 0)


CONNECTOR = Excel()
