"""A journal in PostgreSQL, for teams: any number of machines write in it. Needs the extra ``sql``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from holdgood.core.errors import DataError, EnvironmentFault, MissingExtra
from holdgood.core.urls import mask, parameters_of, secrets_of
from holdgood.journal.postgresql_form import form_faults
from holdgood.journal.postgresql_migrations import migrate
from holdgood.journal.sql_session import SqlSession

_SECONDS_TO_CONNECT = 10
_PIECE = 5_000
_LOCK = "hashtextextended('holdgood alone ' || coalesce(current_schema(), '') || ' ' || %s, 0)"
_HOLD = f"SELECT pg_try_advisory_lock({_LOCK})"  # nosec B608 - nothing in it comes from outside
# An advisory lock's number stands in two halves. Of this backend: behind a pooler the next statement may reach another one.
_HOLDS = (
    "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid() AND objsubid = 1 "  # nosec B608
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    f"AND (classid::bigint << 32) | objid::bigint = {_LOCK})"
)
_HOLDING = {
    "idle_session_timeout": "0",
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "6",
}


class PostgresqlSession(SqlSession):
    """One connection. What is committed is on the server's disk (synchronous_commit on, whatever its default)."""

    def __init__(self, url: str, driver: Any) -> None:
        super().__init__()
        self._url, self._driver = url, driver
        self.duplicate = driver.errors.UniqueViolation
        with self.guard():
            settings = {} if "connect_timeout" in parameters_of(url) else {"connect_timeout": _SECONDS_TO_CONNECT}
            self._db = self._driver.connect(url, autocommit=True, client_encoding="UTF8", **settings)
            try:
                self._db.execute("SET synchronous_commit = on")
                migrate(self._db, mask(url))
            except BaseException:
                self._db.close()
                raise

    @contextmanager
    def guard(self) -> Iterator[None]:
        """Faults of server and network are EnvironmentFault, those of the database's content DataError."""
        try:
            yield
        except UnicodeError:
            raise DataError(
                f"the URL {mask(self._url)} cannot be taken apart",
                "a URL",
                "write special characters of the password as %XX, or use PGPASSWORD",
            ) from None
        except (self._driver.OperationalError, self._driver.InterfaceError) as error:
            raise EnvironmentFault(
                f"the journal {mask(self._url)} cannot be used: {self._said(error)}",
                "a server that can be reached, with room to grow, and a user it knows",
                "check the server, its disk and the password (PGPASSWORD)",
            ) from None
        except self._driver.Error as error:
            raise DataError(
                f"the database at {mask(self._url)} refused: {self._said(error)}",
                "a database in which this user may make and write tables",
                "grant the rights, or name another database",
            ) from None

    def _said(self, error: Exception) -> str:
        text = " ".join(str(error).split())
        for secret in secrets_of(self._url):
            text = text.replace(secret, "***")
        return text

    @contextmanager
    def writing(self, *writers: str) -> Iterator[None]:
        """A transaction that holds the locks of the writers' names, taken in one order by whoever takes several."""
        with self._db.transaction():
            for writer in sorted(writers):
                self._db.execute("SELECT pg_advisory_xact_lock(hashtextextended('holdgood ' || %s, 0))", (writer,))
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """A transaction that only reads."""
        with self.guard(), self._db.transaction():
            self._db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield

    def one(self, statement: str, values: Sequence[Any]) -> Any:
        """The first row."""
        return self._db.execute(_theirs(statement), values).fetchone()

    def many(self, statement: str, rows: Iterable[Sequence[Any]]) -> int:
        """All rows in one pipeline."""
        with self._db.cursor() as cursor:
            cursor.executemany(_theirs(statement), rows)
            return int(cursor.rowcount)

    def stream(self, statement: str, values: Sequence[Any]) -> Iterator[Any]:
        """Rows a piece at a time, so that a long journal does not fill memory."""
        with self._db.transaction(), self._db.cursor("entries") as cursor:
            cursor.itersize = _PIECE
            cursor.execute(_theirs(statement), values)
            yield from cursor

    def wipe(self) -> None:
        """Old versions of rows go out of the table. The server's own log and copies keep them for as long as it is told."""
        self._db.execute("VACUUM entries")

    def form_faults(self) -> list[str]:
        """Whether table, indexes, constraints and triggers are those that holdgood made, and each index says what the table holds."""
        with self.guard():
            return form_faults(self._db, self._driver)

    def hold(self, name: str) -> bool:
        """An advisory lock of the session: the server lets it go when the connection ends, within two minutes where the machine is lost."""
        with self.guard():
            for setting, value in _HOLDING.items():  # a name that this release of the server does not know is left
                self._db.execute(
                    "SELECT set_config(name, %s, false) FROM pg_settings WHERE name = %s", (value, setting)
                )
            return bool(self._db.execute(_HOLD, (name,)).fetchone()[0])

    def holds(self, name: str) -> bool:
        """Whether the server still knows this connection, and that it has the lock."""
        try:
            with self.guard():
                return bool(self._db.execute(_HOLDS, (name,)).fetchone()[0])
        except EnvironmentFault:
            return False

    def close(self) -> None:
        """End the connection."""
        self._db.close()


def _theirs(statement: str) -> str:
    return statement.replace("?", "%s")


class PostgresqlStore:
    """Where the database is."""

    def __init__(self, url: str) -> None:
        self._url, self.name = url, mask(url)

    def open(self) -> PostgresqlSession:
        """A connection; the table is made where it does not exist."""
        try:
            import psycopg  # here and not at the top: an optional library, wanted for PostgreSQL only
        except ModuleNotFoundError:
            raise MissingExtra.named("sql", "psycopg", "a journal in PostgreSQL") from None
        return PostgresqlSession(self._url, psycopg)
