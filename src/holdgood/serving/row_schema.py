"""The JSON schema of a row, with an example, from the contract of a bundle."""

from __future__ import annotations

import math
from typing import Any

from holdgood.core.records import ColumnRule
from holdgood.serving.loaded import Loaded
from holdgood.workflow.single.rules import expectation

_TYPES = {"number": "number", "boolean": "boolean"}


def row_schema(loaded: Loaded) -> dict[str, Any]:
    """Of one row. Bounds that only warn are told in words; what the contract refuses is a rule of the schema."""
    rules = loaded.rows().rules
    return {
        "type": "object",
        "title": f"a row of {rules.name}",
        "properties": {c.name: _column(c) for c in rules.columns},
        "required": [c.name for c in rules.columns if c.required],
        "example": example(loaded),
    }


def _column(rule: ColumnRule) -> dict[str, Any]:
    kind = _TYPES.get(rule.type, "string")
    told: dict[str, Any] = {
        "type": kind if rule.missing == "refuse" else [kind, "null"],
        "description": expectation(rule),
    }
    if rule.type == "datetime":
        told["format"] = "date-time"
    if rule.type == "number" and rule.outside == "refuse":
        told |= {n: v for n, v in (("minimum", rule.low), ("maximum", rule.high)) if not math.isnan(v)}
    if rule.levels and rule.unseen == "refuse":
        told["enum"] = list(rule.levels)
    return told


def example(loaded: Loaded) -> dict[str, Any]:
    """A made-up row that the contract takes: the middle of bounds, a known word, a day."""
    return {c.name: _cell(c) for c in loaded.rows().rules.columns}


def _cell(rule: ColumnRule) -> Any:
    if rule.type == "number":
        low, high = rule.low, rule.high
        middle = (
            0.0
            if math.isnan(low) and math.isnan(high)
            else low
            if math.isnan(high)
            else high
            if math.isnan(low)
            else (low + high) / 2
        )
        return round(middle) if rule.whole or abs(middle) > 1000 else round(middle, 3)
    if rule.type == "boolean":
        return False
    if rule.type == "datetime":
        return "2024-01-31T12:00:00Z"
    return rule.levels[0] if rule.levels else None
