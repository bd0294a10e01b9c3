"""A table with one row a prediction, by its id: read, matched with the journal, with a word on each row that cannot be taken."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from holdgood.connectors.read import read_table
from holdgood.core.errors import DataError, did_you_mean
from holdgood.core.records.envelope import Record
from holdgood.journal import Journal, standing_now
from holdgood.journal.keys import moment_of
from holdgood.journal.timely import Asked
from holdgood.workflow.single.cells import LOST, reader_of


@dataclass(frozen=True)
class Fault:
    """A row (the first below the header is 1) that was not taken, and why. ``line``: of the file, None where it has none or none is sure."""

    row: int
    id: str
    said: str
    line: int | None = None


@dataclass(frozen=True)
class Taken:
    """What became of a table: rows written down, rows that were there already, rows not taken. ``undated``: written without saying since when
    it was known, so that they count from now on. ``refused``: of rows that were given no answer, so that they judge and teach nothing.
    """

    written: int
    there: int
    faults: tuple[Fault, ...]
    undated: int = 0
    refused: int = 0


def rows_of(source: Path | str, id_column: str, *needed: str) -> list[dict[str, Any]]:
    """The rows of a file (csv, parquet …) as dictionaries; ids are text as written. DataError where a column is missing."""
    table = read_table(source, name="rows", types={id_column: "text"})
    for column in (id_column, *needed):
        if column not in table.names:
            raise DataError(
                f"no column {column!r}",
                "one of: " + ", ".join(table.names),
                did_you_mean(column, table.names) or "name the column",
            )
    return [{k: _plain(v) for k, v in row.items()} for row in table.data.to_pylist()]


def matched(
    journal: Journal,
    rows: list[dict[str, Any]],
    id_column: str,
    model: str | None,
    make: Callable[[dict[str, Any], str, str, Asked], Record],
    lines: Sequence[int] = (),
    tried: Callable[[list[Record]], list[Record | str]] = lambda records: [*records],
) -> tuple[list[Record], list[Fault]]:
    """A record for each row whose prediction the journal has; ``make`` gets row, id, model and how it was asked,
    and raises DataError for what cannot be. ``lines``: of the rows, where they are known. ``tried`` gets all records at once, and gives each
    as it shall be written, or what is wrong with it.
    """
    default = model or _only_model(journal, rows)
    named: dict[str, list[str]] = {}
    for row in rows:
        named.setdefault(str(row.get("model") or default), []).append(str(row[id_column] or ""))
    known = {name: journal.asked(name, [i for i in ids if i]) for name, ids in named.items()}
    records: list[Record] = []
    numbers: list[int] = []
    faults: list[Fault] = []
    for number, row in enumerate(rows, 1):
        id, name = str(row[id_column] or ""), str(row.get("model") or default)
        try:
            if id not in known[name]:
                raise DataError(f"the journal has no prediction {id!r} of {name!r}" if id else "no id")
            records.append(make(row, id, name, known[name][id]))
            numbers.append(number)
        except DataError as error:
            wanted = f"; {error.expected} was expected: {error.do}" if error.expected else ""
            faults.append(Fault(number, id, error.came + wanted, lines[number - 1] if lines else None))
    kept: list[Record] = []
    for number, found in zip(numbers, tried(records), strict=True):
        if isinstance(found, str):
            row_id = str(rows[number - 1][id_column] or "")
            faults.append(Fault(number, row_id, found, lines[number - 1] if lines else None))
        else:
            kept.append(found)
    return kept, sorted(faults, key=lambda fault: fault.row)


def _only_model(journal: Journal, rows: list[dict[str, Any]]) -> str:
    if rows and all(row.get("model") for row in rows):
        return ""
    live = sorted({s.model for s in standing_now(journal)})
    if len(live) != 1:
        raise DataError(
            "rows of which model?",
            f"one of: {', '.join(live)}" if live else "a model's name",
            "--model NAME, or a column 'model'",
        )
    return live[0]


def text_of(row: Mapping[str, Any], column: str) -> str:
    """A cell as text; empty where there is none."""
    value = row.get(column)
    return "" if value is None else str(value)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and math.isnan(value):
        return None
    return value.isoformat() if isinstance(value, datetime) else value


def time_of(row: Mapping[str, Any], column: str) -> str:
    """A cell as a time in one notation (UTC); as it is where it is no time, so that it is told; empty where there is none.

    Alone it means what it would in a column of its like: one other cell must not make a date unreadable.
    """
    given = text_of(row, column)
    return moment_of(given) or _written(given) or given


@lru_cache(maxsize=10_000)
def _written(given: str) -> str:
    """A date as tables have it (1.3.2026, 2026/03/01) in the notation of ``moment_of``; empty where it is none."""
    found = reader_of("datetime")(given) if given else None
    return "" if found is None or found is LOST else (moment_of(str(np.datetime64(found, "us"))) or "")


def chunks(records: list[Record], size: int = 5_000) -> Iterator[list[Record]]:
    """Pieces that are written in one transaction each."""
    for first in range(0, len(records), size):
        yield records[first : first + size]
