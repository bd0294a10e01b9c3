"""What a kind of planted error is, and the truth that its planting writes down."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from case import Case

Strength = Literal["weak", "middle", "strong"]
STRENGTHS: tuple[Strength, ...] = ("weak", "middle", "strong")


@dataclass
class Truth:
    """Where the error is.

    ``table`` and ``columns``; ``rows``: positions in the planted table; ``others``: (table, column) that it shows in as
    honestly. ``level``: "columns", or "table" where a finding that names no column tells it as well. ``size``: how much was
    planted, where it is not the number of rows.
    """

    table: str
    columns: tuple[str, ...] = ()
    rows: Sequence[int] = ()
    parameters: dict[str, Any] = field(default_factory=dict)
    others: tuple[tuple[str, str], ...] = ()
    level: Literal["columns", "table"] = "columns"
    size: int = 0

    def as_json(self, kind: str, strength: str) -> dict[str, Any]:
        """One JSON object; all planted rows are in it."""
        return {
            "kind": kind,
            "strength": strength,
            "table": self.table,
            "columns": list(self.columns),
            "others": [list(o) for o in self.others],
            "rows": [int(r) for r in self.rows],
            "parameters": {k: _plain(v) for k, v in self.parameters.items()},
        }


def _plain(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


Plant = Callable[[Case, Strength, np.random.Generator], Truth]


@dataclass(frozen=True)
class Kind:
    """A kind of error. ``codes``: a finding with one of these counts as found; ``also``: an honest description of the same
    fault under another name. ``prepare`` adds what the planting needs to the clean case (told apart from the error).
    ``declared``: the tables pass is given the declaration of times, keys and joins, and not the names of tables alone.
    ``clocked``: planted into the bases that have a clock, of which there are more.
    """

    name: str
    plant: Plant
    codes: tuple[str, ...]
    also: tuple[str, ...] = ()
    scope: Literal["tables", "target"] = "tables"
    prepare: Callable[[Case, np.random.Generator], None] | None = None
    declared: bool = False
    clocked: bool = False
    group: str = ""
    blind: str = ""
    """Why some of these cannot be told without a reference, where that is so."""


def share(strength: Strength, weak: float, middle: float, strong: float) -> float:
    """The number that belongs to a strength."""
    return {"weak": weak, "middle": middle, "strong": strong}[strength]


def some_rows(n: int, part: float, rng: np.random.Generator, *, fewest: int = 2) -> np.ndarray:
    """Random positions, ascending: a share of n, but at least a few."""
    return np.sort(rng.choice(n, min(n, max(fewest, round(part * n))), replace=False))


def stretch(n: int, part: float, rng: np.random.Generator, *, fewest: int = 3) -> np.ndarray:
    """Contiguous positions: a share of n, not touching the ends."""
    long = min(n - 2, max(fewest, round(part * n)))
    start = int(rng.integers(1, n - long))
    return np.arange(start, start + long)
