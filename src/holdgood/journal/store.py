"""Where a journal is kept: a file, or a database server."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from holdgood.core.errors import DataError
from holdgood.core.urls import is_url, mask
from holdgood.journal.postgresql_store import PostgresqlStore
from holdgood.journal.sql_session import SqlSession
from holdgood.journal.sqlite_store import SqliteStore


class Store(Protocol):
    """A place with a name that may be shown (no secrets in it)."""

    name: str

    def open(self) -> SqlSession:
        """A connection of the caller's own, in the newest form."""
        ...


def store_at(url: Path | str) -> Store:
    """The store for a path or a URL."""
    text = str(url)
    if not is_url(text):
        return SqliteStore(Path(url))
    if text.startswith(("postgresql://", "postgres://")):
        return PostgresqlStore(text)
    raise DataError(
        f"no journal can be kept at {mask(text)}", "a path, or postgresql://user@host/database", "check the address"
    )
