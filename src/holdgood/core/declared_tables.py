"""How tables are declared: where each lies, what its columns are, how it joins the main one."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, field_validator

from holdgood.core.budget import seconds_of
from holdgood.core.table import ColumnType


class Section(BaseModel):
    """A part of the declaration: frozen, and strict about names."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Aggregate: TypeAlias = Literal["count", "mean", "trend", "min", "max", "sum", "sd", "first", "last", "since"]
_AGGREGATES: tuple[Aggregate, ...] = ("count", "mean", "trend")


class JoinSpec(Section):
    """How another table joins the main one. ``on`` maps *main column* to *this table's column*."""

    on: dict[str, str] = Field(description="main table's column = this table's column")
    tolerance: str | None = Field(None, description='how old a fact may be, for example "6 hours"; only with `time`')
    windows: list[str] = Field(
        default_factory=list,
        description='aggregate the facts known at the decision over the last so long, for example ["24 hours", "7 days"]; '
        'also "all" (everything known so far); only with `time`',
    )
    aggregate: list[Aggregate] = Field(
        default_factory=lambda: list(_AGGREGATES[:3]),
        description="what is made of each number within each window: count, mean, trend, min, max, sum, sd, first, last; "
        "`count` is of rows; `since` is the time since the last fact",
    )
    over: list[str] = Field(
        default_factory=list, description="columns to aggregate; default every usable number of the table"
    )

    @field_validator("tolerance")
    @classmethod
    def _duration(cls, value: str | None) -> str | None:
        if value is not None:
            seconds_of(value)
        return value

    @field_validator("windows")
    @classmethod
    def _windows(cls, value: list[str]) -> list[str]:
        for window in value:
            if window != "all" and seconds_of(window) <= 0:
                raise ValueError(f"a window is longer than nothing, got {window!r}")
        return value


class TableSpec(Section):
    """One table: where it is, what its columns are for, and when each of its facts is known."""

    source: str = Field("", description="a file, or sqlite:///file.db?table=t, postgresql://…?table=t")
    options: dict[str, Any] = Field(
        default_factory=dict, description="for the connector: delimiter, encoding, sheet, query …"
    )
    key: list[str] = Field(default_factory=list, description="columns that name a row")
    time: str | None = Field(
        None, description="SQL expression: when a row's facts are known (other tables) or the event's time (main)"
    )
    delay: str = Field("0s", description="how long after `time` the facts of a row arrive")
    join: JoinSpec | None = Field(None, description="how this table joins the main one")
    types: dict[str, ColumnType] = Field(default_factory=dict, description="frozen column types")
    known: dict[str, str] = Field(
        default_factory=dict,
        description='when a column is known: "before" (default), "after" (never usable), or an SQL expression giving the moment',
    )
    ignore: list[str] = Field(
        default_factory=list, description="columns that are never used as features (still audited)"
    )
    ids: list[str] = Field(default_factory=list, description="columns that only identify")
    every: str | None = Field(
        None,
        description='how often a row is expected (of one series), for example "30 minutes"; default found from the data',
    )
    fresh: str | None = Field(
        None, description='how old the newest row may be at the time of the audit, for example "2 days"'
    )
    series: list[str] = Field(
        default_factory=list, description="columns that name one series (a sensor, a shop) over time"
    )
    timezone: str | None = Field(
        None, description="the time zone that times without one are in, for example `Europe/Paris`"
    )
    units: dict[str, str] = Field(
        default_factory=dict,
        description='units of columns, for example `{temperature = "degC"}`, where people know them',
    )

    @field_validator("delay", "every", "fresh")
    @classmethod
    def _duration(cls, value: str | None) -> str | None:
        if value is not None:
            seconds_of(value)
        return value

    @field_validator("timezone")
    @classmethod
    def _zone(cls, value: str | None) -> str | None:
        if value is not None and value not in available_timezones():
            raise ValueError(f"no time zone is called {value!r}; write for example Europe/Paris")
        return value
