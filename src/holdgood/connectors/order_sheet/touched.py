"""Whether anybody has written in a sheet since it was made."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

from holdgood.connectors.order_sheet.write_out import write_sheet
from holdgood.core.errors import HoldgoodError
from holdgood.core.records import OrderPlan

_STAMP = "docProps/core.xml"
"""Holds when a workbook was written: differs between two sheets of one plan."""


def touched(path: Path, plan: OrderPlan | None) -> bool:
    """Whether a workbook is anything else than the sheet of ``plan`` as it was made: filled in, saved anew by Excel, of another plan, or no
    workbook at all. In doubt it is.
    """
    if plan is None:
        return True
    with tempfile.TemporaryDirectory() as folder:
        try:
            fresh = _pages(write_sheet(plan, Path(folder) / "fresh.xlsx"))
        except HoldgoodError:
            return True  # without openpyxl nobody can say
    return _pages(path) != fresh


def _pages(path: Path) -> dict[str, tuple[int, int]]:
    """Size and checksum of everything in a workbook; nothing where it is none."""
    try:
        with zipfile.ZipFile(path) as packed:
            return {i.filename: (i.file_size, i.CRC) for i in packed.infolist() if i.filename != _STAMP}
    except (OSError, zipfile.BadZipFile):
        return {}
