"""Read what is declared: every table, the main one in its canonical order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from holdgood.connectors import read_table
from holdgood.core.declaration import Declaration
from holdgood.core.errors import DeclarationError, HoldgoodError, Interrupted
from holdgood.core.table import Table
from holdgood.workflow.named import check_columns, check_rows
from holdgood.workflow.rows import canonical_order


def read_or_say_why(read: Callable[[], Table]) -> Table | HoldgoodError:
    """One table of several; where it cannot be read, or has no rows, why: the others are still looked at.

    What is wrong with a declaration, and Ctrl-C, is raised.
    """
    try:
        return check_rows(read())
    except (DeclarationError, Interrupted):
        raise
    except HoldgoodError as error:
        return error


def read_declared(
    declaration: Declaration, sources: Mapping[str, Any], base: Path
) -> tuple[dict[str, Table], np.ndarray]:
    """The tables by name, and for each row of the main one its place in the source. ``sources`` replace declared ones."""
    tables: dict[str, Table] = {}
    places = np.zeros(0, np.int64)
    for name, spec in declaration.tables.items():
        source = sources.get(name, spec.source)
        table = read_table(source, name=name, options=dict(spec.options), types=dict(spec.types), base=base)
        check_rows(table)
        if name == declaration.main:
            places = canonical_order(table)
            table = table.take(places)
        tables[name] = table
    check_columns(declaration, tables)
    return tables, places
