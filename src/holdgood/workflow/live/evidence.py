"""Evidence for a promotion, from a file."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import ValidationError

from holdgood.core.errors import DataError
from holdgood.core.records import Comparison


def evidence_in(file: Path) -> Comparison:
    """A comparison as JSON, bare or the first one found in a record that holds one."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"no file {file}", "a comparison as JSON", "check the path") from None
    except ValueError:
        raise DataError(f"{file.name} is not valid JSON", "a comparison as JSON", "look at the file") from None
    for candidate in _candidates(found):
        try:
            return Comparison.model_validate(candidate)
        except ValidationError:
            continue
    raise DataError(
        f"{file.name} holds no comparison",
        "first, second, difference, low, high …: see Comparison in docs/reference/records",
        "for example what holdgood compare --json prints",
    )


def _candidates(value: object) -> list[object]:
    """A value and, outermost first, all that it contains."""
    found: list[object] = []
    waiting = [value]
    while waiting:
        here = waiting.pop(0)
        if isinstance(here, dict):
            found.append(here)
            waiting += here.values()
        elif isinstance(here, list):
            waiting += here
    return found
