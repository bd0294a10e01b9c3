"""The planner's sheet: an order plan as a workbook, and what people decided in it read back, cell by cell."""

from holdgood.connectors.order_sheet.read_back import read_sheet
from holdgood.connectors.order_sheet.touched import touched
from holdgood.connectors.order_sheet.write_out import write_sheet

__all__ = ["read_sheet", "touched", "write_sheet"]
