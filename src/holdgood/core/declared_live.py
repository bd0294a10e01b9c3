"""``live.toml``: how models of a live folder are kept, approved, watched and retrained. Everything has a default."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from holdgood.core.declared_policy import PolicySpec
from holdgood.core.declared_tables import Section
from holdgood.core.declared_watch import RouteSpec, WatchingSpec
from holdgood.core.records.contract import OutOfContract
from holdgood.core.settings import checked, toml_of

LIVE_FILE = "live.toml"


class ApprovalSpec(Section):
    """Who must agree before a bundle answers anybody (champion or canary). Names are taken as given: who may say them is the server's matter."""

    needed: int = Field(
        0, ge=0, le=20, description="people who must have approved a bundle; whoever promotes it is not counted"
    )
    by: list[str] = Field(default_factory=list, description="names that count; default: any")


class KeepSpec(Section):
    """What the journal keeps of people. A running server follows `facts` and `commitments` within seconds."""

    facts: bool = Field(True, description="false: predictions are kept without the facts of their rows")
    commitments: bool = Field(
        True,
        description="where facts are not kept, each prediction has a salted hash of them, by which whoever still has them can prove what was "
        "answered; false: not even that (who reads the journal can try out rows of few, coarse columns)",
    )
    days: int | None = Field(
        None,
        ge=1,
        description="after how many days `holdgood journal forget --due` deletes predictions, labels and overrides",
    )
    key: str = Field(
        "forget.key",
        description="a file, in the live folder or elsewhere, with the key by which deletions are sealed; hosts that share a journal share it",
    )


class ServeSpec(Section):
    """How rows are answered. A server reads this when it starts."""

    out_of_contract: OutOfContract = Field(
        "warn",
        description="a row outside of the contract: `warn`, an answer and a warning, or none where the contract itself refuses; "
        "`refuse`, none for any rule that is broken",
    )


class LiveSpec(Section):
    """What ``live.toml`` says."""

    journal: str = Field(
        "journal.sqlite",
        description="a file in the live folder, or postgresql://user@host/database (password in PGPASSWORD); the variable HOLDGOOD_JOURNAL "
        "goes before it",
    )
    approval: ApprovalSpec = Field(default_factory=ApprovalSpec, description="who must agree before a bundle goes live")
    keep: KeepSpec = Field(default_factory=KeepSpec, description="what is kept of people, and for how long")
    serve: ServeSpec = Field(default_factory=ServeSpec, description="how rows are answered")
    policy: PolicySpec = Field(default_factory=PolicySpec, description="when to retrain, and what may happen by itself")
    watch: WatchingSpec = Field(default_factory=WatchingSpec, description="how models in use are watched")
    route: list[RouteSpec] = Field(default_factory=list, description="who is told of alarms, and how")

    @field_validator("route")
    @classmethod
    def _names_differ(cls, routes: list[RouteSpec]) -> list[RouteSpec]:
        names = [r.name for r in routes]
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(
                f"routes of one name ({', '.join(twice)}): what one has sent would count as sent by the other"
            )
        return routes


def parse_live(data: Mapping[str, Any], *, where: str = LIVE_FILE) -> LiveSpec:
    """Check a mapping; every fault is told in one DeclarationError."""
    return checked(
        LiveSpec,
        data,
        where=where,
        expected="the names in the reference: docs/reference/live",
        do="correct the lines above; without the file, defaults hold",
    )


def read_live(file: Path) -> LiveSpec:
    """Read ``live.toml``; without one, the defaults."""
    return parse_live(toml_of(file) if file.exists() else {}, where=file.name)
