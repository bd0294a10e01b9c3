"""Facts that somebody has kept, to be held against what the journal has of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from holdgood.core.errors import DataError


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
