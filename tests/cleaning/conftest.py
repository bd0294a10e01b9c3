"""A table in which every repair has something to do."""

import pyarrow as pa
import pytest

from holdgood.core.table import Table


@pytest.fixture
def dirty():
    inf = float("inf")
    columns = {
        "weight": pa.array([1.5, -999.0, None, 3.0, inf, 1.5], pa.float64()),
        "count": pa.array([1, 9999, 3, None, 5, 1], pa.int64()),
        "price": pa.array(["1,200.50", "ask", None, "7", " 8.0 ", "1,200.50"], pa.string()),
        "town": pa.array(["Lyon", "lyon ", "Paris", None, "?", "Lyon"], pa.string()),
        "when": pa.array([0, 10**15, None, 10**12, 2 * 10**12, 0], pa.timestamp("us")),
        "day": pa.array(["2024-01-31", "31.12.2023", None, "2024-02-30", "soon", "2024-01-31"], pa.string()),
        "flag": pa.array([True, False, None, True, True, True]),
    }
    return Table.of(pa.table(columns), "stock")
