"""A case: the tables, what is declared about them, and what a person knows of their columns. Planting works on a copy."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from holdgood.core.table import Table

Place = tuple[str, str]


class NotPlantable(Exception):
    """This kind of error cannot be planted into these tables; the reason is told as n/a."""


@dataclass(frozen=True)
class Timed:
    """A table whose rows follow a clock: the column of moments, the columns that name one series, the readings."""

    table: str
    time: str
    series: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What a person knows of the columns. An injector needs it, the audit is not told.

    ``positive`` can never be zero; ``vocabulary`` is closed and spelled in words; ``celsius`` / ``fahrenheit`` are
    temperatures; ``millimetres``, ``inches`` and ``miles`` are lengths; ``swaps`` pairs somebody could type into one
    another's field; ``keys`` columns that name a row; ``joins`` (main table, column, other table, column); ``amount`` and
    ``label`` are outcomes.
    """

    positive: tuple[Place, ...] = ()
    vocabulary: tuple[Place, ...] = ()
    celsius: tuple[Place, ...] = ()
    fahrenheit: tuple[Place, ...] = ()
    millimetres: tuple[Place, ...] = ()
    inches: tuple[Place, ...] = ()
    miles: tuple[Place, ...] = ()
    swaps: tuple[tuple[str, str, str], ...] = ()
    depends: tuple[tuple[str, str, str], ...] = ()
    keys: tuple[tuple[str, tuple[str, ...]], ...] = ()
    joins: tuple[tuple[str, str, str, str], ...] = ()
    dates: tuple[Place, ...] = ()
    timed: tuple[Timed, ...] = ()
    fixed: tuple[Place, ...] = ()


@dataclass
class Case:
    """Tables as pandas frames with rows 0…n-1, the declaration as a dict, the main table's name, and what is known.

    ``part``: for each main row 0 development, 1 holdout, where the planting settles the split; else None.
    ``read``: frames that were already turned into Tables and have not been changed since.
    """

    name: str
    main: str
    tables: dict[str, pd.DataFrame]
    declared: dict[str, Any]
    known: Known
    part: np.ndarray | None = None
    read: dict[str, Table] = field(default_factory=dict)

    def copy(self) -> Case:
        """A copy to plant into; frames are shared until ``put`` replaces one."""
        return replace(self, tables=dict(self.tables), declared=copy.deepcopy(self.declared), read=dict(self.read))

    def put(self, table: str, frame: pd.DataFrame) -> None:
        """Replace one table."""
        self.tables[table] = frame.reset_index(drop=True)
        self.read.pop(table, None)

    def frame(self, table: str) -> pd.DataFrame:
        """A copy of one table to change."""
        return self.tables[table].copy()

    def as_tables(self) -> dict[str, Table]:
        """Every frame as holdgood takes it at the door."""
        for name, frame in self.tables.items():
            if name not in self.read:
                self.read[name] = Table.of(frame, name)
        return {name: self.read[name] for name in self.tables}

    def spec(self, table: str) -> dict[str, Any]:
        """The part of the declaration that is about one table, to be changed in place."""
        return self.declared.setdefault("tables", {}).setdefault(table, {})

    @property
    def target(self) -> str:
        """The declared target's column."""
        return str(self.declared["task"]["target"])

    def free(self) -> set[Place]:
        """Places that nothing hangs on: not the target, no key, no join, no clock."""
        taken = set(self.known.fixed) | {(self.main, self.target)}
        taken |= {(t, c) for t, columns in self.known.keys for c in columns}
        taken |= {(m, c) for m, c, _, _ in self.known.joins} | {(o, c) for _, _, o, c in self.known.joins}
        taken |= {(t.table, c) for t in self.known.timed for c in (t.time, *t.series)}
        return {(t, c) for t, f in self.tables.items() for c in f.columns} - taken


def numbers(case: Case, *, complete: bool = True, fewest: int = 500, levels: int = 8) -> list[Place]:
    """Number columns with several values, in tables of some size, in schema order."""
    out, free = [], case.free()
    for table, frame in case.tables.items():
        for column in frame.columns:
            values = frame[column]
            if (table, column) not in free or len(frame) < fewest or not pd.api.types.is_numeric_dtype(values):
                continue
            if pd.api.types.is_bool_dtype(values) or values.nunique() < levels:
                continue
            if not complete or not values.isna().any():
                out.append((table, column))
    return out


def some(places: list[Any] | tuple[Any, ...], rng: np.random.Generator, why: str) -> Any:
    """One of the places, or NotPlantable with the reason."""
    if not places:
        raise NotPlantable(why)
    return places[int(rng.integers(len(places)))]


def as_written(values: pd.Series) -> pd.Series:
    """Values as they stand in a file: text, None where missing. What a reader sees once one cell is no number or date."""
    if pd.api.types.is_datetime64_any_dtype(values):
        whole_days = bool((values.dropna() == values.dropna().dt.normalize()).all())
        text = values.dt.strftime("%Y-%m-%d" if whole_days else "%Y-%m-%d %H:%M:%S")
    elif pd.api.types.is_float_dtype(values) and bool((values.dropna() % 1 == 0).all()):
        text = values.astype("Int64").astype("string")
    else:
        text = values.astype("string")
    return text.astype(object).where(values.notna(), None)
