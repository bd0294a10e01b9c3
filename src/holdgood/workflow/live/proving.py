"""Facts that somebody has kept, to be held against what the journal has of them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from holdgood.core.errors import DataError
from holdgood.journal import Journal

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?", re.ASCII)  # no more: "20260301" may be somebody's key


def facts_in(file: Path) -> dict[str, Any]:
    """The row in a file: one JSON object, column to value. Raises DataError for a file that holds something else."""
    wanted = "one JSON object: column to value, the row as it was sent"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError(
            f"{file.name} cannot be read: {error.strerror}", "a file with " + wanted, "check the path"
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file.name} is no JSON", wanted, "give the row as it was sent") from error
    if not isinstance(found, dict):
        raise DataError(f"{file.name} holds no JSON object", wanted, "give the row as it was sent")
    return found


def proves(journal: Journal, model: str, id: str, row: Mapping[str, Any]) -> bool:
    """Whether a prediction was about just this row, as it stands or as a row of an Arrow stream has its moments.

    DataError as by ``Journal.proves``.
    """
    return journal.proves(model, id, row) or journal.proves(model, id, as_streamed(row))


def as_streamed(row: Mapping[str, Any]) -> dict[str, Any]:
    """The same row with dates and times as the server writes those of an Arrow stream: to the microsecond, with a zone in UTC.

    Columns of a stream have a type and no notation, so that whoever kept the row has written its moments in one of their own.
    """
    return {name: _streamed(value) if isinstance(value, str) else value for name, value in row.items()}


def _streamed(text: str) -> str:
    if _MOMENT.fullmatch(text) is None:
        return text
    try:
        when = datetime.fromisoformat(text)
        if when.tzinfo is None:
            return when.isoformat(timespec="microseconds")
        return when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    except (ValueError, OverflowError):
        return text
