"""``[policy]`` of live.toml: when to retrain, what a challenger must show, and what may happen without a person."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from holdgood.core.budget import seconds_of
from holdgood.core.declared_tables import Section

_DAY = 86400.0


class PolicySpec(Section):
    """The written policy of retraining. Durations such as ``"90 d"``; losses in nats, or the target's unit squared."""

    schedule: str | None = Field(
        None,
        description="retrain when the model is so old, whatever else is known; default: never by the calendar alone",
    )
    cool_down: str = Field("14 d", description="after a model was trained or promoted nothing is retrained for so long")
    volume: float | None = Field(
        None,
        gt=0,
        description="retrain when new labelled rows reach this multiple of the rows that the model learned from",
    )
    least_rows: int = Field(500, ge=1, description="new labelled rows below which a new model would hardly differ")
    smallest_fall: float = Field(0.0, ge=0, description="a rise of the mean loss that does not matter yet")
    false_a_year: float = Field(
        0.5, gt=0, le=12, description="falls of performance that may be seen a year where nothing has changed"
    )
    season: Literal["year", "none"] = Field(
        "year", description="`year`: performance is compared with the same season of earlier years, where there is one"
    )
    outcomes: Literal["come", "never"] = Field(
        "come",
        description="`never`: no outcome will tell whether an alarm matters, so that a loud one is a reason by itself",
    )
    label_delay: str = Field(
        "0 d", description="how long after an answer its outcome is settled; younger rows judge nobody"
    )
    cost: float = Field(0.0, ge=0, description="what a retraining costs in money: people, machines, checks")
    horizon: str = Field("180 d", description="how long a new model is expected to be of use, for what it can win back")
    error: float = Field(
        0.05,
        gt=0,
        lt=0.5,
        description="the chance that a challenger is promoted that is not better, over all looks together",
    )
    smallest_gain: float = Field(0.0, ge=0, description="a fall of the mean loss that is not worth a change of model")
    shadow_rows: int = Field(
        2000,
        ge=20,
        description="labelled rows that champion and challenger are compared on at most; it ends before where it is clear",
    )
    shadow_days: float = Field(
        7.0, ge=0, description="days of shadow at the least before a promotion, for example a whole week"
    )
    fresh_rows: Literal["shadow", "held out"] = Field(
        "shadow",
        description="what the paired test is made on: the shadow's answers, or at once the newest rows, which the challenger held out",
    )
    gates: bool = Field(
        True, description="a challenger whose verdict is `not ready` is never promoted, however good it is"
    )
    promote: Literal["by itself", "ask"] = Field(
        "ask",
        description="a challenger that has won goes live by itself, or waits for a person; [approval] holds in both cases",
    )
    hold_out: str = Field(
        "14 d", description="the newest rows that a retraining holds out to judge its challenger, under a split by time"
    )
    memory: str | None = Field(None, description="how far back a challenger learns; default: from all rows")
    probation_rows: int = Field(
        2000,
        ge=0,
        description="labelled rows on which the replaced model is compared with its successor, all of them and the newest half and quarter; 0: no probation",
    )
    roll_back: Literal["by itself", "ask"] = Field(
        "by itself", description="what happens where the replaced model is proven better in the probation"
    )

    @field_validator("schedule", "cool_down", "label_delay", "horizon", "hold_out", "memory")
    @classmethod
    def _duration(cls, value: str | None) -> str | None:
        if value is not None:
            seconds_of(value)
        return value

    def days(self, name: Literal["cool_down", "label_delay", "horizon", "hold_out"]) -> float:
        """A declared duration in days."""
        return seconds_of(getattr(self, name)) / _DAY

    @property
    def memory_days(self) -> float | None:
        """How far back in days, None for all rows."""
        return None if self.memory is None else seconds_of(self.memory) / _DAY

    @property
    def schedule_days(self) -> float | None:
        """The schedule in days, None where there is none."""
        return None if self.schedule is None else seconds_of(self.schedule) / _DAY
