"""``[watch]`` and ``[[route]]`` of live.toml: how a model in use is watched, and who is told."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from holdgood.core.declared_tables import Section


class WatchingSpec(Section):
    """How often, how strictly, and what."""

    false_a_year: float = Field(
        1.0, gt=0, le=52, description="false alarms that may be expected a year, over all detectors and looks together"
    )
    days: float = Field(7.0, gt=0, le=366, description="days from one look to the next")
    windows: list[int] = Field(
        default_factory=lambda: [1, 4, 13],
        description="how many looks back the rows of a comparison go: long windows see small changes, short ones large ones soon",
    )
    history_days: float = Field(400.0, ge=1, description="how far back answers are read")
    groups: list[str] = Field(
        default_factory=list, description="columns whose groups are watched; default: those of [fairness]"
    )
    feeds: list[str] = Field(
        default_factory=list,
        description="columns whose every value should keep sending rows: a site that goes silent is an alarm",
    )
    without: list[str] = Field(default_factory=list, description="codes of detectors to leave out")
    joint: bool = Field(True, description="also look at all features together (a few seconds)")

    @field_validator("windows")
    @classmethod
    def _some(cls, value: list[int]) -> list[int]:
        if not value or min(value) < 1 or len(value) > 6:
            raise ValueError("one to six windows of one look or more")
        return sorted(set(value))


class RouteSpec(Section):
    """One way in which people are told. Passwords and secrets come from environment variables, named here."""

    name: str = Field(..., min_length=1, max_length=80, description="what deliveries are called by")
    kind: Literal["webhook", "email", "alertmanager"] = Field(..., description="how")
    url: str = Field("", description="webhook and Alertmanager: where to")
    secret: str = Field("", description="webhook: the variable with the key that signs what is sent")
    token: str = Field("", description="webhook and Alertmanager: the variable with a bearer token")
    host: str = Field("", description="email: the server")
    port: int = Field(587, ge=1, le=65535, description="email: its port")
    starttls: bool = Field(True, description="email: encrypt before anything is said; a password is never sent without")
    user: str = Field("", description="email: who signs in")
    password: str = Field("", description="email: the variable with the password")
    sender: str = Field("", description="email: from whom")
    to: list[str] = Field(default_factory=list, description="email: to whom")
    least: Literal["low", "medium", "high"] = Field("low", description="less severe alarms do not go this way")
    codes: list[str] = Field(default_factory=list, description="only these codes; default: all")
    timeout: float = Field(10.0, gt=0, le=120, description="seconds until an attempt is given up")

    @model_validator(mode="after")
    def _whole(self) -> RouteSpec:
        if self.kind == "email" and not (self.host and self.sender and self.to):
            raise ValueError("an email route needs host, sender and to")
        if self.kind != "email" and not self.url.startswith(("http://", "https://")):
            raise ValueError(f"a {self.kind} route needs a url that begins with http:// or https://")
        return self
