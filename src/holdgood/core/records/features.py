"""What the features are, and where each came from."""

from __future__ import annotations

from typing import ClassVar

from holdgood.core.records.envelope import Number, Part, Record


class LedgerEntry(Part):
    """One feature: builder, origin columns, and what it is."""

    name: str
    type: str
    builder: str
    origin: tuple[str, ...] = ()
    sentence: str = ""
    missing_share: float = 0.0
    distinct: int = 0


class JoinEntry(Part):
    """One join: how many rows found a partner, how old the facts were, what was refused.

    ``same_instant_rows``: facts that share key and moment with another; ``at_the_instant``: rows whose fact becomes known at
    the very instant of their decision.
    """

    table: str
    on: dict[str, str]
    as_of: bool = False
    matched_share: float = 0.0
    median_age_seconds: Number = float("nan")
    same_instant_rows: int = 0
    at_the_instant: int = 0
    too_old: int = 0
    sentence: str = ""


class FeatureLedger(Record):
    """All features, the joins behind them, and the columns that were left out, each with its reason."""

    kind: ClassVar[str] = "feature-ledger"

    features: tuple[LedgerEntry, ...]
    joins: tuple[JoinEntry, ...] = ()
    left_out: dict[str, str] = {}
