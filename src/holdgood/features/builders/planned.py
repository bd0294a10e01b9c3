"""What a plan is made of: one planned feature, one planned join, one input column. Plain values that travel as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from holdgood.core.declaration import Aggregate
from holdgood.core.errors import BundleError
from holdgood.core.frame import FeatureType
from holdgood.core.table import ColumnType

Builder: TypeAlias = Literal[
    "column", "calendar", "to decision", "absolute time", "age of the fact", "window", "expression"
]
BUILDERS: tuple[Builder, ...] = (
    "column",
    "calendar",
    "to decision",
    "absolute time",
    "age of the fact",
    "window",
    "expression",
)


ALL = "all"
"""The window of everything known so far."""


@dataclass(frozen=True)
class InputColumn:
    """A raw column: its frozen type, its Arrow type, and the expression for the moment it is known (None: with its row)."""

    name: str
    type: ColumnType
    arrow: str
    known: str | None = None


@dataclass(frozen=True)
class PlannedFeature:
    """One feature. ``column``: the raw column, or the expert's name for it; ``part``: a part of the calendar, or the
    aggregate of a ``window`` (as declared: "24 hours", "all").
    """

    name: str
    type: FeatureType
    builder: Builder
    table: str
    column: str
    origin: tuple[str, ...] = ()
    part: str = ""
    window: str = ""

    @property
    def sentence(self) -> str:
        """What it is, in words."""
        where = f"{self.table}.{self.column}"
        return {
            "column": f"{where} as it is",
            "calendar": f"{self.part} of {where}",
            "to decision": f"hours from the decision to {where}",
            "absolute time": f"{where} in days since 2000-01-01",
            "age of the fact": f"hours from the fact in {self.table} to the decision",
            "window": self._aggregate(),
            "expression": f"an expert's expression over {', '.join(self.origin)}"
            + (f" ({self.part})" if self.part else ""),
        }[self.builder]

    def _aggregate(self) -> str:
        known = "known so far" if self.window == ALL else f"known of the last {self.window}"
        if self.part == "count":
            return f"number of rows of {self.table} {known}"
        if self.part == "since":
            return f"hours since the last row of {self.table} {known}"
        said = "slope a day" if self.part == "trend" else self.part
        return f"{said} of {self.table}.{self.column} over the facts {known}"


@dataclass(frozen=True)
class PlannedJoin:
    """One join. ``on``: pairs of (main column, its column). ``time`` None: a static table. Durations in seconds.

    ``windows``: pairs of (as declared, seconds or None for all facts); ``over``: the columns that are aggregated in them.
    """

    table: str
    on: tuple[tuple[str, str], ...]
    columns: tuple[InputColumn, ...]
    time: str | None = None
    delay: float = 0.0
    tolerance: float | None = None
    windows: tuple[tuple[str, float | None], ...] = ()
    aggregate: tuple[Aggregate, ...] = ()
    over: tuple[str, ...] = ()

    @property
    def as_of(self) -> bool:
        """Whether any of its facts has a moment at which it becomes known."""
        return self.time is not None or any(c.known for c in self.columns)


def input_from(entry: Mapping[str, Any]) -> InputColumn:
    """Rebuild from JSON."""
    known = entry["known"]
    return InputColumn(str(entry["name"]), entry["type"], str(entry["arrow"]), None if known is None else str(known))


def feature_from(entry: Mapping[str, Any]) -> PlannedFeature:
    """Rebuild from JSON; BundleError for a builder or type that does not exist."""
    if entry["builder"] not in BUILDERS or entry["type"] not in ("number", "category", "text"):
        raise BundleError(
            f"a planned feature with builder {entry['builder']!r} and type {entry['type']!r}",
            "one of: " + ", ".join(BUILDERS),
            "the bundle is damaged, or written by a newer holdgood",
        )
    origin = tuple(str(o) for o in entry["origin"])
    table, column = str(entry["table"]), str(entry["column"])
    return PlannedFeature(
        str(entry["name"]),
        entry["type"],
        entry["builder"],
        table,
        column,
        origin,
        str(entry["part"]),
        str(entry.get("window", "")),
    )


def join_from(entry: Mapping[str, Any]) -> PlannedJoin:
    """Rebuild from JSON."""
    return PlannedJoin(
        str(entry["table"]),
        tuple((str(a), str(b)) for a, b in entry["on"]),
        tuple(input_from(c) for c in entry["columns"]),
        None if entry["time"] is None else str(entry["time"]),
        float(entry["delay"]),
        None if entry["tolerance"] is None else float(entry["tolerance"]),
        tuple((str(w), None if s is None else float(s)) for w, s in entry.get("windows", ())),
        tuple(_aggregate_of(a) for a in entry.get("aggregate", ())),
        tuple(str(c) for c in entry.get("over", ())),
    )


def _aggregate_of(name: Any) -> Aggregate:
    if name not in get_args(Aggregate):
        raise BundleError(
            f"a planned window with the aggregate {name!r}",
            "one of: " + ", ".join(get_args(Aggregate)),
            "the bundle is damaged, or written by a newer holdgood",
        )
    return name  # type: ignore[no-any-return]
