"""Where rows are added to a table: which database an address means."""

from __future__ import annotations

from holdgood.connectors.ledgered import Ledgered
from holdgood.connectors.postgresql_ledgered import PostgresLedgered
from holdgood.connectors.sqlite_ledgered import SqliteLedgered
from holdgood.core.errors import ReadError, did_you_mean
from holdgood.core.urls import mask


def table_at(target: str) -> Ledgered:
    """The table at ``sqlite:///file.db?table=t`` or ``postgresql://…?table=t``; ReadError for another address."""
    scheme = target.partition("://")[0].lower().partition("+")[0]
    if scheme == "sqlite":
        return SqliteLedgered(target)
    if scheme in ("postgresql", "postgres"):
        return PostgresLedgered(target)
    raise ReadError(
        f"{mask(target)} cannot be written",
        "a file, or sqlite:///FILE?table=NAME or postgresql://…?table=NAME",
        did_you_mean(scheme, ["sqlite", "postgresql"]) or "name one of these",
    )
