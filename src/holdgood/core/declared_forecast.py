"""How a table is declared to be a panel: what names a series, what is known ahead, how far to look, what to hand over."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, Field, field_validator, model_validator

from holdgood.core.declared_tables import Section


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, (str, int, float)) and not isinstance(value, bool) else value


Names: TypeAlias = Annotated[list[str], BeforeValidator(_listed)]
"""One name, or several."""
Steps: TypeAlias = Annotated[list[int], BeforeValidator(_listed)]
"""One number of steps, or several."""


class ForecastSpec(Section):
    """The main table as a panel of time series. Declaring ``horizon`` makes the task a forecast; the target is ``task.target``."""

    id: Names = Field(default_factory=list, description="columns that together name one series; none: one series")
    time: str | None = Field(None, description="column with the time of a row; default `time` of the main table")
    horizon: int | None = Field(None, ge=1, description="steps ahead")
    frequency: str | None = Field(
        None, description="one step: for example D, W-MON, MS, QS, h, 15min, B; default found from the data"
    )
    week: Literal["start", "end"] | None = Field(
        None,
        description="whether the day that names a week is its first or its last; default the last, as pandas names weeks "
        "(W-SUN), but for Mondays the first: data cannot tell. Holidays are counted by it",
    )
    seasons: Steps = Field(
        default_factory=list, description="season lengths in steps, the main one first; default by frequency; 1: none"
    )
    known: Names = Field(
        default_factory=list,
        description="columns that are known for every step ahead when the forecast is made, such as set prices and planned "
        "promotions; no other column is ever used as known ahead",
    )
    past: Names = Field(
        default_factory=list, description="columns that are known up to the last step only; default every other column"
    )
    static: Names = Field(
        default_factory=list, description="columns that say something about a series and do not change with time"
    )
    items: str | None = Field(
        None, description="a declared table with one row a series: attributes, also of items without any history"
    )
    future: str | None = Field(
        None, description="a declared table with the steps ahead: id, time and the columns under `known`"
    )
    in_stock: str | None = Field(
        None, description="column that is false (or 0) where a stock-out hid demand: sales are then at most demand"
    )
    stock_outs: Literal["impute", "drop", "keep"] = Field(
        "impute",
        description="demand that a stock-out hid: `impute` (completed by what is likely given at least what was sold), `drop` (such "
        "steps count as not observed), or `keep` (sales stand for demand); they are not scored in any case",
    )
    country: str | None = Field(
        None, description="public holidays as columns known ahead: DE, or DE-BY for a part of the country"
    )
    levels: list[Names] = Field(
        default_factory=list,
        description="levels of a hierarchy, each by its columns (of `id` or `static`), from the top down; sums agree across them",
    )
    lead_times: Steps = Field(
        default_factory=list, description="spans in steps from the next one on, whose sums are forecast too"
    )
    fill: Literal["missing", "zero"] = Field(
        "missing",
        description="steps without a row: `missing` (not known; a series ends with its last row), or `zero` (nothing was "
        "sold; all series end with the table)",
    )
    duplicates: Literal["refuse", "sum", "mean"] = Field(
        "refuse", description="several rows of one series in one step: refuse, or make one of them"
    )
    ended_after: int | None = Field(
        None,
        ge=1,
        description="steps without demand (or without a row while others go on) after which an item has ended and gets no forecast; default half a year, a "
        "season and a quarter, and so long that chance does not explain it; it is listed",
    )
    keep_ended: bool = Field(False, description="forecast ended items all the same")
    samples: int = Field(200, ge=20, le=10_000, description="joint paths a series")
    quantiles: list[float] = Field(
        default_factory=lambda: [0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975], description="quantiles that are written out"
    )
    service_level: float | None = Field(
        None, gt=0.5, lt=1, description="share of cases in which what is ordered should suffice: its quantile is added"
    )
    origins: int | None = Field(
        None, ge=1, le=24, description="past moments at which forecasts are judged; default by the length of history"
    )
    embargo: int = Field(
        0,
        ge=0,
        description="steps after each of these moments whose outcomes are not known in time and that nobody scores",
    )
    refit_after: int | None = Field(
        None,
        ge=1,
        description="steps of new history after which a bundle says that it should be fitted anew; it never does so by itself",
    )

    @property
    def levels_out(self) -> tuple[float, ...]:
        """The quantiles that are handed over, the service level among them, ascending."""
        extra = [] if self.service_level is None else [self.service_level]
        return tuple(sorted({*self.quantiles, *extra}))

    @field_validator("seasons", "lead_times")
    @classmethod
    def _positive(cls, value: list[int]) -> list[int]:
        if any(v < 1 for v in value):
            raise ValueError(f"steps are counted from 1, got {min(value)}")
        return value

    @field_validator("quantiles")
    @classmethod
    def _shares(cls, value: list[float]) -> list[float]:
        if not value or any(not 0 < v < 1 for v in value):
            raise ValueError("quantiles lie between 0 and 1, at least one of them")
        return value

    @model_validator(mode="after")
    def _roles(self) -> ForecastSpec:
        roles: dict[str, str] = {}
        for role in ("id", "known", "past", "static"):
            for name in getattr(self, role):
                if name in roles and {role, roles[name]} != {"id", "static"}:
                    raise ValueError(f"{name!r} stands under `{roles[name]}` and under `{role}`: one of the two")
                roles.setdefault(name, role)
        if self.horizon is not None and any(lead > self.horizon for lead in self.lead_times):
            raise ValueError(
                f"a lead time of {max(self.lead_times)} steps is longer than the horizon of {self.horizon}"
            )
        return self
